"""What a model gains that is told what a volume shows of its own acquisition.

    python benchmarks/estimated.py SCAN.nii.gz ... [--scales 2 3] [--slices 2]

The middle axial slices of each scan are reduced in the plane by a known reduction. The stack of
them is searched for its acquisition, as a user's scan is, and a few slices are super-resolved: told
nothing, told the truth, and told what was found. PSNR in dB in the brain's bounding box over that
of the model told nothing.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction, reduce_image
from napari_metasr.io import read_volume
from napari_metasr.quality.metrics import brain_box, psnr
from napari_metasr.trust.assumption import SHARPEST_FIRST
from napari_metasr.trust.told import Words, tell
from napari_metasr.volume import Source, Volume
from napari_metasr.zoom.loading import load_model

STACK = 20
"""Slices that are searched for the acquisition."""

HIGHEST = 255.0


def middle(path):
    """Return slices around the middle of a scan, 0 to 255."""
    volume = read_volume(path)
    low, high = volume.intensity_range
    first = max(len(volume.data) // 2 - STACK, 0)
    part = volume.data[first : first + 2 * STACK : 2].astype(np.float32)
    return ((part - low) / (high - low) * HIGHEST).clip(0, HIGHEST)


def reduced(stack, reduction, scale):
    """Reduce the slices in the plane, to a volume."""
    shape = tuple(round(size / scale) for size in stack.shape[1:])
    slices = np.stack([reduce_image(one, shape, (reduction, reduction)) for one in stack])
    spacing = (2.0, *(fine / coarse for fine, coarse in zip(stack.shape[1:], shape, strict=True)))
    return Volume(slices, np.diag([*spacing[::-1], 1.0]), spacing, Source("reduced"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--model", default="meta-srgan-told")
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--slices", type=int, default=2, help="super-resolved of each scan")
    settings = parser.parse_args()
    model = load_model(settings.model, device="cpu")
    found = defaultdict(list)
    for path in tqdm(settings.scans, unit="scan"):
        stack = middle(path)
        for name in SHARPEST_FIRST:
            reduction = named_reduction(name)
            for scale in settings.scales:
                volume = reduced(stack, reduction, scale)
                codes = {
                    "nothing": acquisition_code(),
                    "the truth": acquisition_code((reduction, reduction), 0.0),
                    "what was found": tell(Words(), volume).code,
                }
                for index in np.linspace(4, len(stack) - 5, settings.slices).round().astype(int):
                    truth = stack[index]
                    box = tuple(map(slice, brain_box(truth)[:2], brain_box(truth)[2:]))
                    for told, code in codes.items():
                        one = model.told(code)
                        encoded = one.encode(volume.data[index], (0, HIGHEST), (0, HIGHEST))
                        result = one.render(encoded, scale)
                        found[name, scale, told].append(psnr(result[box], truth[box], HIGHEST))
    print("| reduction | scale | told nothing, dB | the truth | what was found |")
    print("|---|---|---|---|---|")
    for name in SHARPEST_FIRST:
        for scale in settings.scales:
            nothing, truth, estimate = (
                np.mean(found[name, scale, told])
                for told in ("nothing", "the truth", "what was found")
            )
            print(
                f"| {name} | x{scale} | {nothing:.2f} | {truth - nothing:+.2f} | "
                f"{estimate - nothing:+.2f} |"
            )


if __name__ == "__main__":
    main()
