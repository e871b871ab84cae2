"""Whole volumes: slices a second, the share of each stage, memory, and whether slices flicker.

    python benchmarks/volume.py VOLUME [--scale 2,2,1] [--keep 2 3 4 5] [--views 24]

The first table enlarges the volume from file to file by the command's own code, in a process of
its own; the peak memory is above what the process held with everything loaded. The second one
keeps every r-th slice, thin or thick (averaged over a Gaussian profile as wide as the spacing),
fills the others in again, and compares: PSNR in the head, and the mean absolute difference of
neighbouring slices there over that of the truth. 1 is the truth's; more is flicker, less is
slices that are too alike. The head is looked at in a box of ``--views`` columns and rows, so
that the networks run on few orthogonal slices.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

import napari_metasr
from napari_metasr.cohort.consistency import SliceConsistency
from napari_metasr.cohort.options import UpscaleOptions
from napari_metasr.cohort.plan import Plan
from napari_metasr.cohort.slabs import SlabPass
from napari_metasr.cohort.upscale import Upscaling
from napari_metasr.degradations import slice_profile_matrix
from napari_metasr.geometry import AxisGrid, OutputGrid
from napari_metasr.io import read_volume
from napari_metasr.io.stored import StoredVolume
from napari_metasr.quality.metrics import FOREGROUND
from napari_metasr.resampling import resampling_matrix

THICKNESSES = {"thin": 0.0, "thick": 1.0}


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(path, scale):
    """Print the seconds of each stage and the MiB of enlarging a volume, as JSON."""
    model = napari_metasr.load_model(device="cpu")
    model.upscale(np.eye(64), 2)  # compiles, which is not to be timed
    before = peak_mib()
    options = UpscaleOptions(scale=scale)
    plan = Plan.of(StoredVolume.open(path), options, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        work = Upscaling(plan, Path(folder) / "out.nii.gz")
        for _ in work.steps():
            pass
    print(
        json.dumps(
            {
                "slices": plan.volume.shape[1 + options.plane.normal_axis],
                "shape": plan.target.shape[::-1],
                "stages": work.stage_seconds,
                "enlarging": work.enlarging_seconds,
                "mib": peak_mib() - before,
            }
        )
    )


def print_speed(path, scale):
    command = [sys.executable, __file__, str(path), "--scale", scale, "--one"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(answer.stdout.splitlines()[-1])
    total = sum(found["stages"].values())
    size = " x ".join(map(str, found["shape"]))
    print(
        f"\n{path.name} to {size}: {total:.1f} s, {found['slices'] / total:.2f} slices a second\n"
    )
    print("| stage | s | share |")
    print("|---|---|---|")
    for stage, seconds in [*found["stages"].items(), *found["enlarging"].items()]:
        label = stage if stage in found["stages"] else f"enlarging, {stage}"
        print(f"| {label} | {seconds:.1f} | {seconds / total:.0%} |")
    print(f"\n{found['mib']:,.0f} MiB above what was held with the network loaded")


def filled(thick, factor, thickness, volume, model):
    """Slices between those of a stack: by cubic convolution, by the two views, and consistent."""
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
    """Mean absolute difference of neighbouring slices in the head, over the truth's."""
    inside = head[1:] & head[:-1]
    own, other = (np.abs(np.diff(one, axis=0))[inside].mean() for one in (image, truth))
    return own / other


def print_flicker(path, factors, views):
    volume = read_volume(path)
    low, high = volume.intensity_range
    data = volume.data.astype(np.float32)
    head = data > low + FOREGROUND * (high - low)
    centre = [int(places.mean()) for places in np.nonzero(head)]
    box = tuple(slice(max(middle - views, 0), middle + views) for middle in centre[1:])
    model = napari_metasr.load_model("meta-srgan-through-plane", device="cpu")
    print("\n| slices | every | method | PSNR in the head | inter-slice difference / truth's |")
    print("|---|---|---|---|---|")
    for name, thickness in THICKNESSES.items():
        for factor in factors:
            kept = data.shape[0] // factor
            truth = data[: kept * factor, *box]
            inside = head[: kept * factor, *box]
            profile = slice_profile_matrix(len(truth), kept, thickness)
            thick = np.tensordot(profile, truth, axes=1)
            for method, image in filled(thick, factor, thickness, volume, model).items():
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
    parser.add_argument("--one", action="store_true", help="speed alone, as JSON")
    options = parser.parse_args()
    if options.one:
        one(options.volume, tuple(float(number) for number in options.scale.split(",")))
        return
    versions = f"torch {torch.__version__}, nibabel {nib.__version__}"
    print(f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, {versions}")
    if options.keep:
        print_flicker(options.volume, options.keep, options.views)
    print_speed(options.volume, options.scale)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
