"""Marks of a whole volume: where its slices may be wrong, as a file beside the upscaled one."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.files import check_writable
from napari_metasr.geometry.affines import affine_on
from napari_metasr.geometry.grids import AxisGrid
from napari_metasr.io.freesurfer import check_sides_known
from napari_metasr.io.names import check_written_name
from napari_metasr.io.writer import write_volume
from napari_metasr.purpose import MARKS_TEXT
from napari_metasr.trust.risk import load_risk_model, marked_share, scan_guarantee
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.target import upscaled_box
from napari_metasr.weights import WeightsError
from napari_metasr.weights.risk import has_risk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.lesions.lesion import Box
    from napari_metasr.trust.risk import Guarantee
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.volume import Volume


def check_marks(path: Path, plan: Plan, *, overwrite: bool = False) -> None:
    """Refuse marks that could not be written, before any work is done.

    Raises
    ------
    ValueError
        If the name's ending is wrong or its format unfit, nothing is super-resolved in plane, or
        its model has no error head.
    OSError
        If the file exists and may not be replaced, or cannot be written.
    """
    check_written_name(path)
    check_sides_known(path, plan.volume.source)
    check_writable(path, overwrite=overwrite)
    if plan.in_plane is None:
        raise ValueError(f"{path}: nothing is super-resolved in plane, so there is nothing to mark")
    if not has_risk(plan.options.model):
        raise WeightsError(f"{plan.in_plane.title} has no error head: it cannot mark its errors")


def write_marks(
    path: Path,
    volume: Volume,
    plan: Plan,
    boxes: Sequence[Box] = (),
    *,
    overwrite: bool = False,
) -> tuple[Guarantee, float]:
    """Write the marks of all slices: 1 where a slice, super-resolved in plane, may be wrong.

    The file has the rows and columns of the upscaled volume, and the slices of the input: what
    lies between slices is not calibrated. All of it is held in memory, a byte a voxel.

    Parameters
    ----------
    path
        The file.
    volume, plan
        The input, and how it was upscaled.
    boxes
        Where the network worked, in edges of the input's voxels along z, y, x; everywhere, where
        there are none. Nothing is marked elsewhere.
    overwrite
        Replace an existing file.

    Returns
    -------
    guarantee, share
        What is guaranteed, and which share of the tissue where the network worked is marked.

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
    worked = np.moveaxis(_inside(boxes, shape, plan), run.axes[0], 0)
    marked = tissue = 0.0
    for time in range(volume.time_points):
        ranged = volume.at_time(time) if plan.own_ranges else volume
        for index in range(volume.slice_count(options.plane)):
            image = volume.slice(options.plane, index, time)
            if not np.isfinite(image).any():
                continue
            encoded = model.encode(image, ranged.intensity_range, ranged.value_range)
            risk = model.render_pixels(encoded, run.grid, run.grid.pixel_range())
            risk = np.where(worked[index], risk, 0)
            here = found.marked(risk) & worked[index]
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


def _inside(boxes: Sequence[Box], shape: tuple[int, ...], plan: Plan) -> NDArray[np.bool_]:
    """Return where the network worked, on the grid of the marks."""
    inside = np.full(shape, not boxes)
    for box in boxes:
        edges = upscaled_box(box, plan.target, plan.options.plane.normal_axis)
        inside[tuple(slice(max(floor(start), 0), ceil(stop)) for start, stop in edges)] = True
    return inside
