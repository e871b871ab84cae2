"""Whole volumes: slices a second, the share of each stage, memory, and whether slices flicker.

    python benchmarks/volume.py VOLUME [--scale 2,2,1] [--keep 2 3 4 5] [--views 24] [--large]

The first table keeps every r-th slice, thin or thick (averaged over a Gaussian profile as wide as
the spacing), fills the others in again, and compares: PSNR in the head, and the mean absolute
difference of neighbouring slices there over that of the truth. 1 is the truth's; more is flicker,
less is slices that are too alike. The head is looked at in a box of ``--views`` columns and rows
on either side of its middle, so that the networks run on few orthogonal slices. A network that
can be told (``--through-plane-model``) is told how thick the slices are.

The second one upscales the volume from file to file by the command's own code, in a process of
its own; the peak memory is above what the process held with everything loaded. Beside it stands
what one would do otherwise: a cubic spline of the whole volume in memory, and the upsampling of
Meta-SRGAN as it was published, of one slice, times their number. ``--large`` adds simulated
volumes of up to 4096 x 4096 output voxels a slice and of three time points, for their memory.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage

import napari_metasr
from common.command_line import parser_of
from common.memory import peak_mib
from common.own_process import measured_apart
from common.printing import load_text, machine_text, print_head, print_row
from common.published_form import published_work
from common.timing import median_seconds
from napari_metasr.acquisition import slice_code
from napari_metasr.degradations import slice_profile_matrix
from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.io import read_volume
from napari_metasr.normalisation import HEAD_LEVEL
from napari_metasr.resampling import resampling_matrix
from napari_metasr.upscaling.consistency import SliceConsistency
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.slabs import SlabPass
from napari_metasr.upscaling.upscale import MEMORY_BOUND
from napari_metasr.weights import DEFAULT_THROUGH_PLANE_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from napari_metasr.volume import Volume
    from napari_metasr.zoom.engine import ZoomModel

Scales = tuple[float, float, float]
"""Output voxels for each input voxel, along the file's axes."""

LARGE = (
    ((1024, 1024, 64), 256, "2,2,1"),
    ((2048, 2048, 6), 128, "2,2,1"),
    ((1024, 1024, 24), 64, "1,1,2"),
    ((512, 512, 24, 3), 64, "1.5,1.5,2"),
)
"""Sizes, sides of the head, and scales."""

THICKNESSES = {"thin": 0.0, "thick": 1.0}


def measured(path: Path, scale: str) -> dict[str, Any]:
    """Measure what upscaling a volume takes, as `one` does, in a process of its own."""
    found: dict[str, Any] = measured_apart(__file__, path, "--scale", scale, "--one")
    return found


def scales_of(text: str) -> Scales:
    """Read one number for all axes, or three of the file's own axes.

    Raises
    ------
    ValueError
        If there are not as many, or one is no number.
    """
    numbers = [float(number) for number in text.split(",")]
    first, second, third = 3 * numbers if len(numbers) == 1 else numbers
    return first, second, third


def opened(path: Path) -> SpatialImage:
    """Open an image file; its voxels are read when they are asked for."""
    return cast("SpatialImage", nib.load(path))


def one(path: Path, scale: Scales) -> dict[str, Any]:
    """Upscale a volume from file to file: its slices, output shape, seconds of each stage, MiB."""
    model = napari_metasr.load_model(device="cpu")
    model.upscale(np.eye(64), 2)  # compiles, which is not to be timed
    before = peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        options = UpscaleOptions(scale=scale)
        job = Job(input=path, output=Path(folder) / "out.nii.gz", options=options, device="cpu")
        started = time.perf_counter()
        work = job.prepare()
        for _ in work.steps():
            pass
        seconds = time.perf_counter() - started
    return {
        "slices": work.plan.volume.shape[1 + work.plan.options.plane.normal_axis],
        "shape": work.plan.target.shape[::-1],
        "seconds": seconds,
        "stages": {phase.title: spent for phase, spent in work.stage_seconds.items()},
        "upscaling": work.upscaling_seconds,
        "mib": peak_mib() - before,
    }


def print_speed(path: Path, scale: str) -> None:
    """Print what upscaling a volume takes, stage by stage."""
    found = measured(path, scale)
    total, slices = found["seconds"], found["slices"]
    size = " x ".join(map(str, found["shape"]))
    print(f"\n{path.name} to {size}: {total:.1f} s, {slices / total:.2f} slices a second\n")
    print_head("stage", "s", "share")
    for stage, seconds in [*found["stages"].items(), *found["upscaling"].items()]:
        label = stage if stage in found["stages"] else f"upscaling, {stage}"
        print_row(label, f"{seconds:.2f}", f"{seconds / total:.0%}")
    bound = MEMORY_BOUND >> 20
    print(
        f"\n{found['mib']:,.0f} MiB above what was held with the network loaded (bound: {bound})\n"
    )


def print_others(path: Path, scale: Scales) -> None:
    """Print what others take for it: a cubic spline in memory, and the published upsampling."""
    image = opened(path)
    started = time.perf_counter()
    data = np.asanyarray(image.dataobj)
    ndimage.zoom(data, scale, order=3, grid_mode=True, mode="nearest")
    spent = time.perf_counter() - started
    print(f"cubic spline of the whole volume in memory, not compressed: {spent:.1f} s")
    rows, columns, slices = data.shape
    if rows == columns and scale[0] == scale[1]:
        grid = OutputGrid.at_scale((rows, columns), scale[0])
        each = median_seconds(published_work(torch.rand(1, 1, rows, columns), grid), 1)
        print(
            f"the published upsampling, one slice {each:.2f} s, x {slices} slices (extrapolated): "
            f"{each * slices:.0f} s"
        )


def simulated(path: Path, shape: tuple[int, ...], side: int) -> None:
    """Write a large volume of air with a head of noise, the only part that networks see."""
    data = np.zeros(shape, np.int16)
    part = tuple(slice((size - side) // 2, (size + side) // 2) for size in shape[:2])
    rng = np.random.default_rng(0)
    data[part] = rng.integers(100, 2000, data[part].shape)
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)


def print_large() -> None:
    """Print what upscaling large volumes takes."""
    print()
    print_head("volume", "scale", "s", "MiB")
    for shape, side, scale in LARGE:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "large.nii.gz"
            simulated(path, shape, side)
            found = measured(path, scale)
        size = " x ".join(map(str, shape))
        print_row(size, scale, f"{found['seconds']:.0f}", f"{found['mib']:,.0f}")


def filled(
    thick: NDArray[np.float32], factor: int, thickness: float, volume: Volume, model: ZoomModel
) -> dict[str, NDArray[np.float32]]:
    """Fill in a stack's missing slices by cubic convolution, by the two views, and consistently."""
    count, rows, columns = thick.shape
    axis = AxisGrid(count, count * factor)
    matrix = resampling_matrix(axis.input, axis.output, "bicubic")
    cubic = np.tensordot(matrix, thick, axes=1)
    ranges = volume.intensity_range, volume.value_range
    views = [
        SlabPass((along, 0, kept), OutputGrid(axis, AxisGrid(size, size)), model, *ranges)(thick, 0)
        for along, kept, size in ((1, 2, columns), (2, 1, rows))
    ]
    fused = (views[0] + views[1]) * np.float32(0.5)
    consistent = SliceConsistency(axis, thickness)(fused, thick)
    results = {
        "bicubic": cubic,
        "one view": views[0],
        "both views": fused,
        "consistent": consistent,
    }
    return {name: np.clip(image, *ranges[1]) for name, image in results.items()}


def flicker(
    image: NDArray[np.float32], truth: NDArray[np.float32], head: NDArray[np.bool_]
) -> float:
    """Compute the mean absolute difference of neighbouring slices in the head, over the truth's."""
    inside = head[1:] & head[:-1]
    own, other = (np.abs(np.diff(one, axis=0))[inside].mean() for one in (image, truth))
    return float(own / other)


def print_flicker(path: Path, factors: Sequence[int], views: int, model_name: str) -> None:
    """Print how well each method fills in the slices that were left out, and how they flicker."""
    volume = read_volume(path)
    low, high = volume.intensity_range
    data = volume.data.astype(np.float32)
    head = data > low + HEAD_LEVEL * (high - low)
    centre = [int(places.mean()) for places in np.nonzero(head)]
    box = tuple(slice(max(middle - views, 0), middle + views) for middle in centre[1:])
    model = napari_metasr.load_model(model_name, device="cpu")
    told = model.card.can_be_told
    print()
    print_head("slices", "every", "method", "PSNR in the head", "inter-slice difference / truth's")
    for name, thickness in THICKNESSES.items():
        code = slice_code(thickness, along_rows=True)
        network = model.told(code) if told else model
        for factor in factors:
            kept = data.shape[0] // factor
            truth = data[: kept * factor, *box]
            inside = head[: kept * factor, *box]
            profile = slice_profile_matrix(len(truth), kept, thickness)
            thick = np.tensordot(profile, truth, axes=1).astype(np.float32)
            for method, image in filled(thick, factor, thickness, volume, network).items():
                error = np.mean((image - truth)[inside] ** 2)
                psnr = 10 * np.log10((high - low) ** 2 / error)
                apart = flicker(image, truth, inside)
                print_row(name, f"{factor}", method, f"{psnr:.2f}", f"{apart:.3f}")


def main() -> None:
    """Print the tables of a volume."""
    parser = parser_of(__doc__)
    parser.add_argument("volume", type=Path)
    parser.add_argument("--scale", default="2,2,1")
    parser.add_argument("--keep", type=int, nargs="*", default=[2, 3, 4, 5])
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--through-plane-model", default=DEFAULT_THROUGH_PLANE_MODEL)
    parser.add_argument("--large", action="store_true", help="large simulated volumes too")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        scale = scales_of(options.scale)
    except ValueError:
        parser.error(f"--scale: expected one number or three, found {options.scale}")
    if options.one:
        print(json.dumps(one(options.volume, scale)))
        return
    shape = opened(options.volume).shape
    if len(shape) != 3:
        parser.error(f"{options.volume}: expected a 3-D volume, found the shape {shape}")
    print(f"{machine_text()}, nibabel {nib.__version__}")
    if options.keep:
        print_flicker(options.volume, options.keep, options.views, options.through_plane_model)
    print_speed(options.volume, options.scale)
    print_others(options.volume, scale)
    if options.large:
        print_large()
    print(f"\nat the end {load_text()}")


if __name__ == "__main__":
    main()
