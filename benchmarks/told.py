"""The time left that upscaling tells, beside the time that it then took.

    python benchmarks/told.py FOLDER [--only brats thick] [--clock cpu]

FOLDER holds ``volumes/BraTS-GLI-00000-000-*.nii.gz`` and a DICOM series in
``dicom/studyforrest_t1``. Five works are done, one after the other, each in a process of its own:

- ``brats``: the T1 after contrast, twice as fine in plane;
- ``thick``: its slices averaged to 4 mm, filled in to 1 mm;
- ``lesion``: as the first one, networks only around lesions that a detector finds;
- ``series``: every second row and column of 40 slices of the four contrasts, as time points;
- ``dicom``: the DICOM series, twice as fine in plane.

The table shows what was told 10 s after the work began, and when 25, 50 and 75 % of its time had
passed, over what was then left: 1 is right, 2 is twice as long as it took. On a machine that does
other work as well, ``--clock cpu`` counts the process's own seconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from common.command_line import parser_of
from common.own_process import measured_apart
from common.printing import load_text, print_head, print_row
from napari_metasr.upscaling.job import LESION, Job
from napari_metasr.upscaling.options import UpscaleOptions

if TYPE_CHECKING:
    from collections.abc import Callable

SUBJECT = "BraTS-GLI-00000-000"
CONTRASTS = ("t1c", "t1n", "t2w", "t2f")
FACTOR = 4
SLICES = slice(60, 100)
SHARES = (0.25, 0.5, 0.75)
BEGUN = 10.0
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.monotonic, "cpu": time.process_time}


def contrast(folder: Path, name: str) -> nib.Nifti1Image:
    """Open one of the contrasts of the volume."""
    return nib.Nifti1Image.from_filename(folder / "volumes" / f"{SUBJECT}-{name}.nii.gz")


def thick(folder: Path, path: Path) -> None:
    """Average slices of 1 mm to slices of 4 mm."""
    image = contrast(folder, CONTRASTS[0])
    data = np.asanyarray(image.dataobj)
    count = data.shape[2] // FACTOR
    joined = data[:, :, : count * FACTOR].reshape(*data.shape[:2], count, FACTOR).mean(axis=-1)
    affine = np.array(image.affine)
    affine[:3, 3] += (FACTOR - 1) / 2 * affine[:3, 2]
    affine[:3, 2] *= FACTOR
    nib.save(nib.Nifti1Image(joined.astype(np.int16), affine), path)


def series(folder: Path, path: Path) -> None:
    """Take the contrasts for time points, coarser in plane."""
    images = [contrast(folder, name) for name in CONTRASTS]
    data = np.stack([np.asanyarray(image.dataobj)[::2, ::2, SLICES] for image in images], axis=-1)
    affine = np.array(images[0].affine)
    affine[:3, :2] *= 2
    nib.save(nib.Nifti1Image(data, affine), path)


def job(name: str, folder: Path, scratch: Path) -> Job:
    """Describe one of the works."""
    path, options = folder / "volumes" / f"{SUBJECT}-t1c.nii.gz", UpscaleOptions(scale=(2, 2, 1))
    if name == "dicom":
        path = folder / "dicom" / "studyforrest_t1"
    elif name == "thick":
        path, options = scratch / "thick.nii.gz", UpscaleOptions(spacing=(1,))
        thick(folder, path)
    elif name == "series":
        path = scratch / "series.nii.gz"
        series(folder, path)
    within = LESION if name == "lesion" else None
    output = scratch / "out.nii.gz"
    return Job(input=path, output=output, options=options, within=within, device="cpu")


def one(name: str, folder: Path, clock: Callable[[], float]) -> list[tuple[float, float]]:
    """Do one of the works: seconds since it began, and seconds that were told to be left."""
    with tempfile.TemporaryDirectory() as scratch:
        work = job(name, folder, Path(scratch)).prepare(clock)
        begun = clock()
        told = [(clock() - begun, step.left) for step in work.steps()]
        return [*told, (clock() - begun, 0.0)]


def told_over_taken(told: list[tuple[float, float]], at: float) -> float | None:
    """Return what was told at a time over what was left; None where the work was over by then."""
    whole = told[-1][0]
    if at >= whole:
        return None
    moment, left = max((step for step in told if step[0] <= at), default=told[0])
    return max(left - (at - moment), 0.0) / (whole - at)


WORKS = ("brats", "thick", "lesion", "series", "dicom")


def cells(told: list[tuple[float, float]]) -> list[str]:
    """Write down the seconds of a work and, for each time, what was told over what was left."""
    whole = told[-1][0]
    found = [told_over_taken(told, at) for at in (BEGUN, *(share * whole for share in SHARES))]
    return [f"{whole:.0f}", *("" if ratio is None else f"{ratio:.2f}" for ratio in found)]


def main() -> None:
    """Print a row of each work."""
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall")
    parser.add_argument("--one", choices=WORKS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.folder, CLOCKS[options.clock])))
        return
    print(f"{load_text()}, seconds by the {options.clock} clock; told / taken at\n")
    print_head("work", "s", "10 s", "25 %", "50 %", "75 %")
    for name in options.only:
        told = measured_apart(__file__, options.folder, "--one", name, "--clock", options.clock)
        print_row(name, *cells([(moment, left) for moment, left in told]))


if __name__ == "__main__":
    main()
