"""A window of a slice, super-resolved and interpolated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_metasr.figures.caption import super_resolved_text
from napari_metasr.normalisation import contrast_limits
from napari_metasr.quality.local_range import LocalRange
from napari_metasr.trust.correction import Correction
from napari_metasr.trust.risk import marked_share, marked_text
from napari_metasr.volume import SIGNS
from napari_metasr.zoom.baselines import interpolate_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.geometry.windows import Window
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.trust.risk import Guarantee, RiskModel
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.weights import ModelCard
    from napari_metasr.zoom.engine import ZoomModel


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
    def scanned(self) -> Volume:
        """The volume of the slice's time point."""
        return self.volume.at_time(self.time)

    @property
    def intensity_range(self) -> tuple[float, float]:
        """The percentiles that inference maps to 0 and 1, of the slice's time point."""
        return self.scanned.intensity_range

    @property
    def value_range(self) -> tuple[float, float]:
        """The smallest and the largest finite value of the slice's time point."""
        return self.scanned.value_range

    @property
    def contrast_limits(self) -> tuple[float, float]:
        """Limits for display of the slice's time point."""
        return contrast_limits(self.scanned.data)

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between rows and between columns, in the volume's unit."""
        return self.volume.plane_spacing(self.plane)

    def scale_on(self, grid: OutputGrid) -> float:
        """Return the true scale of an output grid along the axis with the smaller spacing."""
        return grid.true_scale[int(self.spacing[1] < self.spacing[0])]


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
    def beyond(self) -> float | None:
        """Share of the pixels inside the head that lie beyond the local range of the slice."""
        local = LocalRange.of(self.slice.image)
        pixels = self.grid.pixel_range(self.window)
        return None if local is None else local.share_beyond(self.super_resolved, self.grid, pixels)

    @property
    def caption(self) -> str:
        """What it is, in a sentence."""
        return caption_of([self])

    @property
    def remark(self) -> str:
        """What was done beside super-resolution, for captions."""
        return remark_of([self])

    @property
    def concerns(self) -> tuple[str, ...]:
        """What to know before trusting it: of the scan, and of the model at this scale."""
        found = self.card.concerns(max(self.grid.true_scale), "in plane")
        return (*self.slice.volume.source.concerns, *found)


def caption_of(renditions: Sequence[Rendition]) -> str:
    """Say what slices of one window, scale and model are, in a sentence that holds for all."""
    first = renditions[0]
    unit = SIGNS[first.slice.volume.source.unit]
    return super_resolved_text(
        first.card.title, first.grid.true_scale, first.spacing, unit, remark_of(renditions)
    )


def remark_of(renditions: Sequence[Rendition]) -> str:
    """Say what was done beside super-resolution; the largest distance, and the marked shares."""
    first = renditions[0]
    texts = [f"told: {first.told}"] if first.told else []
    corrections = [one.correction for one in renditions if one.correction is not None]
    if corrections:
        furthest = max(corrections, key=lambda one: one.distance)
        again = furthest.reduced_again(furthest.distance)
        texts.append(f"{furthest.description} ({again})")
    marks = [one.marks for one in renditions if one.marks is not None]
    if marks:
        least, most = (end(marks, key=lambda one: one.share) for end in (min, max))
        several = least.share != most.share
        texts.append(f"{f'{least.share:.1%} to ' if several else ''}{most.text.removesuffix('.')}")
    return "; ".join(texts)


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
