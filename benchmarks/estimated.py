"""What a model gains that is told what a volume shows of its own acquisition.

    python benchmarks/estimated.py SCAN.nii.gz ... [--scales 2 3 4] [--slices 2] [--noise 0 0.02]

The middle axial slices of each scan are reduced in the plane by a known reduction, and noise is
added. The stack of them is searched for its acquisition, as a user's scan is, and so is each slice
alone; a few slices are super-resolved: told nothing, told the truth, and told what was found. PSNR
in dB in the brain's bounding box over that of the model told nothing, the mean of all slices and
the least of any.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from common.command_line import parser_of
from common.printing import print_head, print_row
from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction, reduce_image
from napari_metasr.io import read_volume
from napari_metasr.quality.metrics import brain_box, psnr
from napari_metasr.trust.assumption import SHARPEST_FIRST
from napari_metasr.trust.told import Words, tell
from napari_metasr.volume import Plane, Source, Volume
from napari_metasr.zoom.loading import load_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.degradations import Reduction
    from napari_metasr.zoom.protocols import Engine

STACK = 20
"""Slices that are searched for the acquisition."""

HIGHEST = 255.0

NOTHING, TRUTH = "told nothing", "the truth"
BY_VOLUME, BY_SLICE = "what the volume shows", "what the slice shows"


def middle(path: Path) -> NDArray[np.float32]:
    """Return (slices, rows, columns) around the middle of a scan, 0 to 255."""
    volume = read_volume(path)
    low, high = volume.intensity_range
    first = max(len(volume.data) // 2 - STACK, 0)
    part = volume.data[first : first + 2 * STACK : 2].astype(np.float32)
    return ((part - low) / (high - low) * HIGHEST).clip(0, HIGHEST)


def reduced(stack: NDArray[np.float32], reduction: Reduction, scale: int, noise: float) -> Volume:
    """Reduce the slices in the plane and add noise (a share of their range), to a volume."""
    rows, columns = stack.shape[1:]
    shape = round(rows / scale), round(columns / scale)
    slices = np.stack([reduce_image(one, shape, (reduction, reduction)) for one in stack])
    slices += noise * HIGHEST * np.random.default_rng(0).standard_normal(slices.shape)
    spacing = 2.0, rows / shape[0], columns / shape[1]
    return Volume(slices, np.diag([*spacing[::-1], 1.0]), spacing, Source("reduced"))


def psnr_by_told(
    model: Engine,
    stack: NDArray[np.float32],
    reduction: Reduction,
    scale: int,
    noise: float,
    count: int,
) -> dict[str, list[float]]:
    """Return PSNR by what the model is told: a list of it for each, of some slices."""
    found: dict[str, list[float]] = defaultdict(list)
    volume = reduced(stack, reduction, scale, noise)
    of_volume = tell(Words(), volume, Plane.AXIAL).code
    for index in np.linspace(4, len(stack) - 5, count).round().astype(int):
        image, truth = volume.data[index], stack[index]
        alone = Volume(image, np.eye(4), (1.0, 1.0), Source("slice"))
        codes = {
            NOTHING: acquisition_code(),
            TRUTH: acquisition_code((reduction, reduction), noise),
            BY_VOLUME: of_volume,
            BY_SLICE: tell(Words(), alone).code,
        }
        top, left, bottom, right = brain_box(truth)
        box = np.s_[top:bottom, left:right]
        for told, code in codes.items():
            one = model.told(code)
            result = one.render(one.encode(image, (0, HIGHEST), (0, HIGHEST)), scale)
            found[told].append(psnr(result[box], truth[box], HIGHEST))
    return found


def main() -> None:
    """Print a row of each noise, reduction and scale."""
    parser = parser_of(__doc__)
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--model", default="meta-srgan-told")
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.02])
    parser.add_argument("--slices", type=int, default=2, help="super-resolved of each scan")
    settings = parser.parse_args()
    model = load_model(settings.model, device="cpu")
    stacks = [middle(path) for path in settings.scans]
    print_head("noise", "reduction", "scale", f"{NOTHING}, dB", TRUTH, BY_VOLUME, BY_SLICE)
    rows = list(product(settings.noise, SHARPEST_FIRST, settings.scales))
    for noise, name, scale in tqdm(rows, unit="row"):
        of_stacks = [
            psnr_by_told(model, stack, named_reduction(name), scale, noise, settings.slices)
            for stack in stacks
        ]
        found = {told: np.concatenate([each[told] for each in of_stacks]) for told in of_stacks[0]}
        gains = [found[told] - found[NOTHING] for told in (TRUTH, BY_VOLUME, BY_SLICE)]
        cells = [f"{gain.mean():+.2f} ({gain.min():+.2f})" for gain in gains]
        label = f"{noise:.0%}" if noise else ""
        print_row(label, name, f"x{scale}", f"{found[NOTHING].mean():.2f}", *cells)


if __name__ == "__main__":
    main()
