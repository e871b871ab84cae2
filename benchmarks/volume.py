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
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage
from zoom import cases

import napari_metasr
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

LARGE = (
    ((1024, 1024, 64), 256, "2,2,1"),
    ((2048, 2048, 6), 128, "2,2,1"),
    ((1024, 1024, 24), 64, "1,1,2"),
    ((512, 512, 24, 3), 64, "1.5,1.5,2"),
)
"""Sizes, sides of the head, and scales."""

THICKNESSES = {"thin": 0.0, "thick": 1.0}


def peak_mib():
    """Read this process's own peak memory; getrusage would include the parent process's peak."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def measured(options):
    """Measure each stage's seconds and the MiB of upscaling a volume, in a process of its own."""
    command = [sys.executable, __file__, str(options.volume), "--scale", options.scale, "--one"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def one(path, scale):
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


def print_speed(options):
    found = measured(options)
    total, slices = found["seconds"], found["slices"]
    size = " x ".join(map(str, found["shape"]))
    print(
        f"\n{options.volume.name} to {size}: {total:.1f} s, {slices / total:.2f} slices a second\n"
    )
    print("| stage | s | share |")
    print("|---|---|---|")
    for stage, seconds in [*found["stages"].items(), *found["upscaling"].items()]:
        label = stage if stage in found["stages"] else f"upscaling, {stage}"
        print(f"| {label} | {seconds:.2f} | {seconds / total:.0%} |")
    bound = MEMORY_BOUND >> 20
    print(
        f"\n{found['mib']:,.0f} MiB above what was held with the network loaded (bound: {bound})\n"
    )


def print_others(path, scale):
    image = nib.load(path)
    started = time.perf_counter()
    data = np.asanyarray(image.dataobj)
    ndimage.zoom(data, scale, order=3, grid_mode=True, mode="nearest")
    print(f"cubic spline of the whole volume in memory, not compressed: {since(started)} s")
    rows, columns, slices = data.shape[:3]
    if rows == columns and scale[0] == scale[1]:
        published = cases(rows, scale[0], "meta-srgan")[0]["published"]
        published()
        started = time.perf_counter()
        published()
        each = time.perf_counter() - started
        print(
            f"the published upsampling, one slice {each:.2f} s, x {slices} slices (extrapolated): "
            f"{each * slices:.0f} s"
        )


def since(started):
    return f"{time.perf_counter() - started:.1f}"


def simulated(folder, name, shape, side):
    """Write a large volume of air with a head of noise, the only part that networks see."""
    data = np.zeros(shape, np.int16)
    part = tuple(slice((size - side) // 2, (size + side) // 2) for size in shape[:2])
    rng = np.random.default_rng(0)
    data[part] = rng.integers(100, 2000, data[part].shape)
    path = Path(folder) / name
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)
    return path


def print_large(options):
    print("\n| volume | scale | s | MiB |")
    print("|---|---|---|---|")
    for shape, side, scale in LARGE:
        with tempfile.TemporaryDirectory() as folder:
            options.volume = simulated(folder, "large.nii.gz", shape, side)
            options.scale = scale
            found = measured(options)
        size = " x ".join(map(str, shape))
        print(f"| {size} | {scale} | {found['seconds']:.0f} | {found['mib']:,.0f} |", flush=True)


def filled(thick, factor, thickness, volume, model):
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
    fused = (views[0] + views[1]) / 2
    consistent = SliceConsistency(axis, thickness)(fused, thick.astype(np.float32))
    results = {
        "bicubic": cubic,
        "one view": views[0],
        "both views": fused,
        "consistent": consistent,
    }
    return {name: np.clip(image, *ranges[1]) for name, image in results.items()}


def flicker(image, truth, head):
    """Compute the mean absolute difference of neighbouring slices in the head, over the truth's."""
    inside = head[1:] & head[:-1]
    own, other = (np.abs(np.diff(one, axis=0))[inside].mean() for one in (image, truth))
    return own / other


def print_flicker(path, factors, views, model_name):
    volume = read_volume(path)
    low, high = volume.intensity_range
    data = volume.data.astype(np.float32)
    head = data > low + HEAD_LEVEL * (high - low)
    centre = [int(places.mean()) for places in np.nonzero(head)]
    box = tuple(slice(max(middle - views, 0), middle + views) for middle in centre[1:])
    model = napari_metasr.load_model(model_name, device="cpu")
    told = model.card.can_be_told
    print("\n| slices | every | method | PSNR in the head | inter-slice difference / truth's |")
    print("|---|---|---|---|---|")
    for name, thickness in THICKNESSES.items():
        code = slice_code(thickness, along_rows=True)
        network = model.told(code) if told else model
        for factor in factors:
            kept = data.shape[0] // factor
            truth = data[: kept * factor, *box]
            inside = head[: kept * factor, *box]
            profile = slice_profile_matrix(len(truth), kept, thickness)
            thick = np.tensordot(profile, truth, axes=1)
            for method, image in filled(thick, factor, thickness, volume, network).items():
                error = np.mean((image - truth)[inside] ** 2)
                psnr = 10 * np.log10((high - low) ** 2 / error)
                print(
                    f"| {name} | {factor} | {method} | {psnr:.2f} "
                    f"| {flicker(image, truth, inside):.3f} |",
                    flush=True,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("volume", type=Path)
    parser.add_argument("--scale", default="2,2,1")
    parser.add_argument("--keep", type=int, nargs="*", default=[2, 3, 4, 5])
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--through-plane-model", default=DEFAULT_THROUGH_PLANE_MODEL)
    parser.add_argument("--large", action="store_true", help="large simulated volumes too")
    parser.add_argument("--one", action="store_true", help="speed alone, as JSON")
    options = parser.parse_args()
    scale = tuple(float(number) for number in options.scale.split(","))
    scale *= 3 // len(scale)
    if options.one:
        print(json.dumps(one(options.volume, scale)))
        return
    if len(shape := nib.load(options.volume).shape) != 3:
        parser.error(f"{options.volume}: expected a 3-D volume, found the shape {shape}")
    versions = f"torch {torch.__version__}, nibabel {nib.__version__}"
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, {versions}")
    if options.keep:
        print_flicker(options.volume, options.keep, options.views, options.through_plane_model)
    print_speed(options)
    print_others(options.volume, scale)
    if options.large:
        print_large(options)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
