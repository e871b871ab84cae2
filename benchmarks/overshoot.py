"""What it costs to keep a network's result near the local range of the scan.

    python benchmarks/overshoot.py DATA [--slices 4] [--scales 2 3] [--reductions bicubic k-space]

Slices of validation patients are reduced and super-resolved. A pixel counts as outside where it
leaves the range of the 3 x 3 low-resolution pixels around it by more than 2 % of the tissue's
median (`napari_metasr.quality.artefacts`). Beside the network's own result stand those that are
limited to that range, widened at both ends by a share of its width, and the truth itself: what of
the truth lies outside no method that is right can avoid. PSNR in dB in the brain's bounding box.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from tqdm import tqdm

import napari_metasr
from common.command_line import parser_of
from common.printing import print_head, print_row
from metasr_training.condition import Condition
from metasr_training.datasets.eight_bits import FULL_RANGE
from metasr_training.datasets.slices import load_slices, some_of_each
from metasr_training.evaluation.cases import RegionOptions, make_case
from napari_metasr.quality.artefacts import Counts, count_artefacts, head_of
from napari_metasr.quality.metrics import brain_box, psnr
from napari_metasr.zoom.baselines import interpolate_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from metasr_training.evaluation.cases import Case
    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.zoom.engine import ZoomModel

WIDENED = (0.0, 0.1, 0.25, 0.5, 1.0)
SOURCES = ("brats20", "cheng", "tcga-lgg")


def limited(
    result: NDArray[np.float32], image: NDArray[np.float32], grid: OutputGrid, share: float
) -> NDArray[np.float32]:
    """Clip a result to the local range of the low-resolution image, widened at both ends."""
    cells = np.ix_(grid.rows.cells(), grid.columns.cells())
    low, high = ndimage.minimum_filter(image, 3), ndimage.maximum_filter(image, 3)
    room = share * (high - low)
    return result.clip((low - room)[cells], (high + room)[cells])


def results(case: Case, model: ZoomModel) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give the name and the image of each result of one case."""
    image, grid = case.low_resolution, case.grid
    encoded = model.encode(image, case.intensity_range, FULL_RANGE)
    own = model.render_pixels(encoded, grid, grid.pixel_range())
    yield "truth", case.truth
    yield "bicubic", interpolate_pixels(image, grid, grid.pixel_range(), value_range=FULL_RANGE)
    yield model.name, own
    for share in WIDENED:
        yield f"limited, widened by {share:g}", limited(own, image, grid, share)


def main() -> None:
    """Print a row of each reduction, scale and result."""
    parser = parser_of(__doc__)
    parser.add_argument("data", type=Path, help="the data folder")
    parser.add_argument("--slices", type=int, default=4, help="of each data set")
    parser.add_argument("--scales", type=float, nargs="+", default=[2.0, 3.0])
    parser.add_argument("--reductions", nargs="+", default=["bicubic", "k-space"])
    parser.add_argument("--model", default="meta-srgan")
    options = parser.parse_args()
    model = napari_metasr.load_model(options.model, device="cpu")
    chosen = some_of_each(load_slices(options.data, "val", SOURCES), options.slices)
    counts: dict[tuple[str, float, str], Counts] = defaultdict(Counts)
    scores: dict[tuple[str, float, str], list[float]] = defaultdict(list)
    cells = list(itertools.product(options.reductions, options.scales))
    for one, (reduction, scale) in tqdm(list(itertools.product(chosen, cells)), disable=None):
        condition = Condition(scale=scale, degradation=reduction)
        case = make_case(one, condition, "slice", RegionOptions())
        if case is None:
            continue
        head = head_of(case.low_resolution)
        median = float(np.median(case.low_resolution[head]))
        top, left, bottom, right = brain_box(case.truth)
        part = np.s_[top:bottom, left:right]
        for name, image in results(case, model):
            key = reduction, scale, name
            counts[key] += count_artefacts(image, case.low_resolution, case.grid, head, median)
            scores[key].append(psnr(image[part], case.truth[part], 255.0))
    print(f"{len(chosen)} slices of {', '.join(SOURCES)}\n")
    print_head("reduction", "scale", "result", "outside the local range (%)", "PSNR")
    for (reduction, scale, name), count in counts.items():
        found = count.artefacts
        quality = np.mean(scores[reduction, scale, name])
        shown = "" if np.isinf(quality) else f"{quality:.2f}"
        outside = 100 * (found.over + found.under)
        print_row(reduction, f"x{scale:g}", name, f"{outside:.2f}", shown)


if __name__ == "__main__":
    main()
