"""The files that are made of a rendition: a figure, or a volume one slice thick with a sidecar."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.figures.caption import description_text
from napari_metasr.figures.record import record_of, recorded
from napari_metasr.figures.size import PRINT_DPI
from napari_metasr.files import replacing
from napari_metasr.geometry.affines import slice_affine
from napari_metasr.geometry.windows import Window
from napari_metasr.io.names import marks_path, sidecar_path
from napari_metasr.io.records import check_record
from napari_metasr.io.writer import check_source_kept, write_slice
from napari_metasr.normalisation import difference_limit
from napari_metasr.purpose import MARKS_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike

    from napari_metasr.figures.comparison import Inferred
    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition


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
        the source or a file of others.
    """
    cut, volume, marks = rendition.slice, rendition.slice.volume, rendition.marks
    check_source_kept(sidecar_path(path), volume.source)
    check_record(sidecar_path(path))
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
            record=record_of(rendition),
            overwrite=overwrite,
        )


def _inferred(rendition: Rendition, view: View) -> Inferred | None:
    """Return the inferred part for a figure, up to a tenth of the intensity window."""
    from napari_metasr.figures.comparison import Inferred

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
    """Write a rendition beside bicubic interpolation as a PNG or PDF, and the record of it.

    Parameters
    ----------
    dpi, width_mm
        Dots an inch of a PNG, and the width of the page; see `save_comparison`.

    Raises
    ------
    OSError, ValueError
        As `save_comparison` and `recorded`.
    """
    from napari_metasr.figures.comparison import Comparison, Locator, save_comparison  # Matplotlib

    cut = rendition.slice
    region, whole = rendition.window, Window.whole(rendition.grid.input_shape)
    size = f"{region.height:.4g} × {region.width:.4g} pixels"
    place = f"y {region.top:.4g}, x {region.left:.4g}, {size}"
    moment = f" · time point {cut.time}" if cut.volume.time_points > 1 else ""
    where = f"{cut.plane} slice {cut.index}" if cut.volume.data.ndim > 2 else "picture"
    with recorded(path, [rendition], overwrite=overwrite):
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
