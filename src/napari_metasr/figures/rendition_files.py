"""The files that are made of a rendition: a figure, or a volume one slice thick with a sidecar."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.figures.caption import description_text
from napari_metasr.figures.comparison import Comparison, Inferred, Locator, save_comparison
from napari_metasr.figures.size import PRINT_DPI
from napari_metasr.files import replacing
from napari_metasr.geometry.affines import slice_affine
from napari_metasr.geometry.windows import Window
from napari_metasr.io.names import is_volume_file, marks_path
from napari_metasr.io.writer import check_source_kept, write_slice
from napari_metasr.normalisation import difference_limit
from napari_metasr.purpose import MARKS_TEXT, RESEARCH_USE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import DTypeLike

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Marks, Rendition
    from napari_metasr.trust.correction import Correction


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
