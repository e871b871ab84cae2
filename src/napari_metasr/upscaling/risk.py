"""Marks of a whole volume: where its slices may be wrong, as a file beside the upscaled one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.files import check_writable
from napari_metasr.geometry.affines import affine_on
from napari_metasr.geometry.grids import AxisGrid
from napari_metasr.io.writer import write_volume
from napari_metasr.purpose import MARKS_TEXT
from napari_metasr.trust.risk import load_risk_model, marked_share, scan_guarantee
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.weights import WeightsError
from napari_metasr.weights.risk import has_risk

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.trust.risk import Guarantee
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.volume import Volume


def check_marks(path: Path, plan: Plan, *, overwrite: bool = False) -> None:
    """Refuse marks that could not be written, before any work is done.

    Raises
    ------
    ValueError
        If nothing is super-resolved in plane, or its model has no error head.
    OSError
        If the file exists and may not be replaced, or cannot be written.
    """
    check_writable(path, overwrite=overwrite)
    if plan.in_plane is None:
        raise ValueError(f"{path}: nothing is super-resolved in plane, so there is nothing to mark")
    if not has_risk(plan.options.model):
        raise WeightsError(f"{plan.in_plane.title} has no error head: it cannot mark its errors")


def write_marks(
    path: Path, volume: Volume, plan: Plan, *, overwrite: bool = False
) -> tuple[Guarantee, float]:
    """Write the marks of all slices: 1 where a slice, super-resolved in plane, may be wrong.

    The file has the rows and columns of the upscaled volume, and the slices of the input: what
    lies between slices is not calibrated. All of it is held in memory, a byte a voxel.

    Returns
    -------
    guarantee, share
        What is guaranteed, and which share of the tissue is marked.

    Raises
    ------
    ValueError, OSError
        As `check_marks`.
    """
    check_marks(path, plan, overwrite=overwrite)
    options = plan.options
    run = next(run for run in plan.passes if run.kind is PassKind.IN_PLANE)
    model = load_risk_model(options.model, device=plan.device, continued=plan.tissue_continued)
    found = scan_guarantee(
        model.risk_card, volume, options.plane, run.grid.true_scale, options.consistent
    )
    grids = [AxisGrid(size, size) for size in volume.spatial_shape]
    grids[run.axes[1]], grids[run.axes[2]] = run.grid.rows, run.grid.columns
    shape = tuple(grid.output for grid in grids)
    marks = np.zeros((volume.time_points, *shape), np.uint8)
    marked = tissue = 0.0
    for time in range(volume.time_points):
        ranged = volume.at_time(time) if plan.own_ranges else volume
        for index in range(volume.slice_count(options.plane)):
            image = volume.slice(options.plane, index, time)
            if not np.isfinite(image).any():
                continue
            encoded = model.encode(image, ranged.intensity_range, ranged.value_range)
            risk = model.render_pixels(encoded, run.grid, run.grid.pixel_range())
            here = found.marked(risk)
            np.moveaxis(marks[time], run.axes[0], 0)[index] = here
            size = np.count_nonzero(risk > 0)
            marked, tissue = marked + marked_share(here, risk) * size, tissue + size
    write_volume(
        path,
        marks if volume.data.ndim == 4 else marks[0],
        affine_on(volume.affine, tuple(grids[::-1])),
        volume.source,
        description=MARKS_TEXT,
        keeps_meaning=False,
        overwrite=overwrite,
    )
    return found, marked / tissue if tissue else 0.0
