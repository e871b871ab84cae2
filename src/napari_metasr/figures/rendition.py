"""A window of a slice, super-resolved and interpolated, and the files that are made of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.figures.caption import description_text, super_resolved_text
from napari_metasr.figures.comparison import Comparison, Inferred, Locator, save_comparison
from napari_metasr.figures.size import PRINT_DPI
from napari_metasr.files import replacing
from napari_metasr.geometry.affines import slice_affine
from napari_metasr.geometry.windows import Window
from napari_metasr.io.names import is_volume_file, marks_path
from napari_metasr.io.writer import check_source_kept, write_slice
from napari_metasr.normalisation import difference_limit
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.trust.correction import Correction
from napari_metasr.trust.risk import marked_share, marked_text
from napari_metasr.volume import SIGNS
from napari_metasr.zoom.baselines import interpolate_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.trust.risk import Guarantee, RiskModel
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.weights import ModelCard
    from napari_metasr.zoom.engine import ZoomModel

MARKS_TEXT = "For research use, marks where a super-resolved image may be wrong"


@dataclass(frozen=True)
class Slice:
    """One slice of a volume.

    Attributes
    ----------
    image
        (rows, columns), in the volume's units.
    volume, plane, index, time
        Where it was taken.
    """

    image: NDArray[Any]
    volume: Volume
    plane: Plane
    index: int
    time: int = 0

    @property
    def intensity_range(self) -> tuple[float, float]:
        """The percentiles that inference maps to 0 and 1, of the slice's time point."""
        return self.volume.at_time(self.time).intensity_range

    @property
    def value_range(self) -> tuple[float, float]:
        """The smallest and the largest finite value of the slice's time point."""
        return self.volume.at_time(self.time).value_range

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between rows and between columns, in the volume's unit."""
        return self.volume.plane_spacing(self.plane)


@dataclass(frozen=True)
class Marks:
    """Where a rendition may be wrong.

    Attributes
    ----------
    marked
        (rows, columns) of the window.
    share
        Marked share of its tissue.
    guarantee
        What is guaranteed about them.
    """

    marked: NDArray[np.bool_]
    share: float
    guarantee: Guarantee

    @property
    def text(self) -> str:
        """How much is marked, and what that means."""
        return f"{marked_text(self.share, 'tissue')} {self.guarantee.sentence}"


def mark(
    model: RiskModel,
    rendition: Rendition,
    guarantee: Guarantee,
    *,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float],
) -> Rendition:
    """Return a rendition with marks where it may be wrong."""
    image = rendition.slice.image
    encoded = model.encode(image, intensity_range=intensity_range, value_range=value_range)
    pixels = rendition.grid.pixel_range(rendition.window)
    risk = model.render_pixels(encoded, rendition.grid, pixels)
    marked = guarantee.marked(risk)
    return replace(rendition, marks=Marks(marked, marked_share(marked, risk), guarantee))


@dataclass(frozen=True)
class Rendition:
    """A window of a slice at a scale.

    Attributes
    ----------
    slice
        The low-resolution slice.
    grid, window
        Output grid of the slice, and low-resolution edges (top, left, bottom, right) on it.
    super_resolved, interpolated
        float32, (rows, columns) of the window, in the slice's units.
    card
        Of the model.
    encoded_share
        Pixels that the network ran on, of the slice's; halos count.
    correction
        What made it consistent with the slice, if anything.
    told
        What the network was told of how the slice was acquired, in words.
    inferred
        What the slice does not determine of it, float32, signed, in the slice's units; with a
        correction.
    marks
        Where it may be wrong, if that was asked for.
    """

    slice: Slice
    grid: OutputGrid
    window: Window
    super_resolved: NDArray[np.float32]
    interpolated: NDArray[np.float32]
    card: ModelCard
    encoded_share: float
    correction: Correction | None = None
    inferred: NDArray[np.float32] | None = None
    marks: Marks | None = None
    told: str = ""

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between output rows and between output columns, in the volume's unit."""
        return self.grid.layer_transform(self.slice.spacing, (0.0, 0.0))[0]

    @property
    def caption(self) -> str:
        """What it is, in a sentence."""
        unit = SIGNS[self.slice.volume.source.unit]
        return super_resolved_text(
            self.card.title, self.grid.true_scale, self.spacing, unit, self.remark
        )

    @property
    def remark(self) -> str:
        """What was done beside super-resolution, for captions."""
        correction = self.correction
        texts = [f"told: {self.told}"] if self.told else []
        if correction is not None:
            again = correction.reduced_again(correction.distance)
            texts.append(f"{correction.description} ({again})")
        if self.marks is not None:
            texts.append(self.marks.text.removesuffix("."))
        return "; ".join(texts)

    @property
    def concerns(self) -> tuple[str, ...]:
        """What to know before trusting it: of the scan, and of the model at this scale."""
        found = self.card.concerns(max(self.grid.true_scale), "in plane")
        return (*self.slice.volume.source.concerns, *found)


def render(
    model: ZoomModel,
    slice_: Slice,
    grid: OutputGrid,
    window: Window,
    *,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float],
    assumption: Assumption | None = None,
) -> Rendition:
    """Encode a slice, and render a window of it by the network and by bicubic interpolation.

    Parameters
    ----------
    model
        The network.
    grid, window
        See `Rendition`.
    intensity_range, value_range
        Intensity range and value range of the slice's volume.
    assumption
        The acquisition with which the result is to be consistent, if with any.

    Raises
    ------
    ValueError
        If no output pixel lies in the window, or there would be too many.
    """
    pixels = grid.pixel_range(window)
    encoded = model.encode(slice_.image, intensity_range=intensity_range, value_range=value_range)
    correction = inferred = None
    if assumption is None:
        super_resolved = model.render_pixels(encoded, grid, pixels)
    else:
        correction = Correction(model, encoded, grid, assumption)
        super_resolved = model.render_pixels(encoded, grid, pixels, correction)
        inferred = correction.inferred(pixels)
    return Rendition(
        slice_,
        grid,
        window,
        super_resolved=super_resolved,
        interpolated=interpolate_pixels(slice_.image, grid, pixels, value_range=value_range),
        card=model.card,
        encoded_share=encoded.encoded_pixels / slice_.image.size,
        correction=correction,
        inferred=inferred,
        told=model.assumed,
    )


def save_nifti(
    path: Path, rendition: Rendition, *, dtype: DTypeLike | None = None, overwrite: bool = False
) -> Path:
    """Write a rendition as a volume one slice thick, and its JSON sidecar: both, or neither.

    Marks, where there are any, are written first and get their name last.

    Parameters
    ----------
    path
        Ends as for `write_volume`.
    dtype
        Type of the numbers in the file; float32 by default.

    Raises
    ------
    OSError, ValueError
        As `write_slice`; also if the sidecar exists and ``overwrite`` is not set, or is that of
        the source.
    """
    cut, volume, marks = rendition.slice, rendition.slice.volume, rendition.marks
    shape = (1, *volume.spatial_shape)[-3:]
    affine = slice_affine(
        volume.affine, shape, cut.plane, cut.index, rendition.grid, rendition.window
    )
    with ExitStack() as stack:
        if marks is not None:
            check_source_kept(marks_path(path), volume.source)
            write_slice(
                stack.enter_context(replacing(marks_path(path), overwrite=overwrite)),
                marks.marked.astype(np.uint8),
                affine,
                cut.plane,
                volume.source,
                dtype=np.uint8,
                description=MARKS_TEXT,
            )
        return write_slice(
            path,
            rendition.super_resolved,
            affine,
            cut.plane,
            volume.source,
            dtype=dtype,
            description=description_text(rendition.card.title, rendition.grid.true_scale),
            record=_record(rendition),
            overwrite=overwrite,
        )


def _record(rendition: Rendition) -> dict[str, Any]:
    """Return what the sidecar says, in BIDS's spelling; a DICOM source is not named."""
    cut, card, source = rendition.slice, rendition.card, rendition.slice.volume.source
    names: Sequence[str] = ()
    if source.path is not None and is_volume_file(source.path):
        names = (source.path.name,)
    return (
        {
            "Description": rendition.caption,
            "Purpose": RESEARCH_USE,
            "Sources": list(names),
            "Model": {"Name": card.name, "Title": card.title, "Sha256": card.sha256},
            "Scale": list(rendition.grid.true_scale),
            "Spacing": list(rendition.spacing),
            "Unit": source.unit,
            "Plane": str(cut.plane),
            "Slice": cut.index,
            "TimePoint": cut.time,
            "Window": list(rendition.window),
            "Concerns": list(rendition.concerns),
        }
        | _consistency(rendition.correction)
        | _marks(rendition.marks)
        | ({"Told": rendition.told} if rendition.told else {})
    )


def _marks(marks: Marks | None) -> dict[str, Any]:
    """Return what the sidecar says of marks."""
    if marks is None:
        return {}
    return {
        "Marks": {
            "Threshold": marks.guarantee.threshold,
            "MarkedShare": marks.share,
            "Guaranteed": marks.guarantee.holds,
            "Guarantee": marks.guarantee.sentence,
        }
    }


def _consistency(correction: Correction | None) -> dict[str, Any]:
    """Return what the sidecar says of a correction, distances in the source's units."""
    if correction is None:
        return {}
    return {
        "ConsistentWith": {
            "Acquisition": correction.assumption.title,
            "NoiseSigma": correction.assumption.noise,
            "DistanceFromScan": correction.distance,
            "DistanceFromScanBefore": correction.distance_before,
        }
    }


def _inferred(rendition: Rendition, view: View) -> Inferred | None:
    """Return the inferred part for a figure, up to a tenth of the intensity window."""
    correction, image = rendition.correction, rendition.inferred
    if correction is None or image is None:
        return None
    limit = difference_limit(view.contrast_limits) / correction.unit
    return Inferred(image / correction.unit, limit, correction.unit_name)


def save_figure(
    path: Path,
    rendition: Rendition,
    *,
    view: View,
    heading: str,
    dpi: int = PRINT_DPI,
    width_mm: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a rendition beside bicubic interpolation as a PNG or PDF.

    Parameters
    ----------
    dpi, width_mm
        Dots an inch of a PNG, and the width of the page; see `save_comparison`.

    Raises
    ------
    OSError, ValueError
        As `save_comparison`.
    """
    cut = rendition.slice
    region, whole = rendition.window, Window.whole(rendition.grid.input_shape)
    size = f"{region.height:.4g} × {region.width:.4g} pixels"
    place = f"y {region.top:.4g}, x {region.left:.4g}, {size}"
    moment = f" · time point {cut.time}" if cut.volume.time_points > 1 else ""
    where = f"{cut.plane} slice {cut.index}" if cut.volume.data.ndim > 2 else "picture"
    return save_comparison(
        path,
        Comparison(
            interpolated=rendition.interpolated,
            super_resolved=rendition.super_resolved,
            spacing=rendition.spacing,
            scale=rendition.grid.true_scale,
            model=rendition.card.title,
            heading=heading,
            details=f"{where}{moment} · region {place}",
            inferred=_inferred(rendition, view),
            marked=None if rendition.marks is None else rendition.marks.marked,
            remark=rendition.remark,
        ),
        view=view,
        locator=None if region == whole else Locator(cut.image, cut.spacing, rendition.window),
        dpi=dpi,
        width_mm=width_mm,
        overwrite=overwrite,
    )
