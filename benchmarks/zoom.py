"""Time and memory of zooming: the published Meta-Upscale, ours, and bicubic by two libraries.

    python benchmarks/zoom.py [--sizes 64 128 240] [--scales 2 3.7 4] [--repeats 7]
                             [--model meta-srgan]
    python benchmarks/zoom.py --device cuda [--slices 155] [--regions 2368] [--repeats 7] [--quick]

Times are medians of the repeats after one call to warm up (the published form runs once after
it); the peak memory of each case is measured in a process of its own, above what the process
held after a small case. ``published`` is the upsampling alone, from features, as released code
of Hu et al. 2019 arranges it (``common/published_form.py``). A model that can be told how scans
were acquired is told k-space and 1 % of noise.

With --told, for a model that can be told: what it takes to encode a slice after it was told
something else, beside an encoding without that and one of the default model.

With a device, the network of the papers there, every kernel that works beside the published form:
rendering 256 -> 1024 from features that are there, a volume of 240 x 240 slices and regions of
24 x 24 pixels, both x4, one at a time, encoded, rendered and copied to the host.
"""

from __future__ import annotations

import argparse
import itertools
import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

import napari_metasr
from common.command_line import device_of, parser_of
from common.memory import forget_peak, peak_mib, resident_mib
from common.own_process import measured_apart
from common.printing import machine_text, print_head, print_row
from common.published_form import published_upscale, published_work, shipped_network
from common.timing import median_seconds, wait_for
from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction
from napari_metasr.devices import DEVICES
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.zoom.baselines import interpolate
from napari_metasr.zoom.kernels import fused_kernel, upscale_compiled, upscale_in_row_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from napari_metasr.networks.meta_upscale import UpscaleKernel
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel

    Work = Callable[[], object]

SIDES, QUICK_SIDES = (256, 240, 24), (32, 24, 16)
COLUMNS = ("published", "ours, encode", "ours, render", "ours, bicubic", "Pillow", "torch bicubic")


def cases(size: int, scale: float, name: str) -> tuple[dict[str, Work], OutputGrid]:
    """Name to what is timed, for one input size and scale, and one model."""
    rng = np.random.default_rng(0)
    image = rng.random((size, size), dtype=np.float32)
    grid = OutputGrid.at_scale(image.shape, scale)
    height, width = grid.output_shape
    model = napari_metasr.load_model(name, device="cpu")
    if model.card.can_be_told:
        model = model.told(acquisition_code((named_reduction("k-space"),) * 2, 0.01))
    tensor = torch.from_numpy(image)[None, None]
    picture = Image.fromarray(image)
    encoded = model.encode(image)

    timed: dict[str, Work] = {
        "published": published_work(tensor, grid),
        "ours, encode": lambda: encode(model, image),
        "ours, render": lambda: model.render(encoded, scale),
        "ours, bicubic": lambda: interpolate(image, scale),
        "Pillow": lambda: picture.resize((width, height), Image.Resampling.BICUBIC),
        "torch bicubic": lambda: functional.interpolate(
            tensor, (height, width), mode="bicubic", align_corners=False
        ),
    }
    return timed, grid


def peak(size: int, scale: float, model: str, name: str) -> float:
    """Measure the peak MiB above the imported, warmed-up process, in a process of its own."""
    return float(measured_apart(__file__, "--one", json.dumps([size, scale, model, name])))


def one(size: int, scale: float, model: str, name: str) -> float:
    """Measure the peak MiB of one case above what this process holds after a small one."""
    small, _ = cases(32, scale, model)
    small[name]()
    timed, _ = cases(size, scale, model)
    forget_peak()
    before = resident_mib()
    timed[name]()
    return peak_mib() - before


def encode(model: ZoomModel, image: NDArray[np.float32]) -> EncodedSlice:
    """Encode a slice whole, as if it was seen for the first time."""
    fresh = model.encode(image)
    fresh.prepare()
    return fresh


def kernels_of(device: torch.device) -> dict[str, UpscaleKernel]:
    """Name to kernel, of those that work on a device."""
    if device.type == "cpu":
        return {"compiled": upscale_compiled, "plain torch": upscale_in_row_blocks}
    fused = fused_kernel(device.type) if device.type == "cuda" else None
    found = {"fused": fused, "plain torch": upscale_in_row_blocks}
    return {name: kernel for name, kernel in found.items() if kernel is not None}


def device_ms(work: Work, device: torch.device, repeats: int) -> str:
    """Median milliseconds of some work, to its end on the device, or that memory is short."""

    def finished() -> None:
        work()
        wait_for(device)

    try:
        return f"{1000 * median_seconds(finished, repeats):,.2f}"
    except torch.OutOfMemoryError:
        return "out of memory"


@torch.inference_mode()
def on_device(
    device: torch.device, slices: int, regions: int, repeats: int, sides: tuple[int, int, int]
) -> None:
    """Print what the network takes on a device, by every kernel and by the published form.

    ``sides`` are those of the image that is rendered, of the slices and of the regions, in pixels.
    """
    network = fold_batch_norm(shipped_network()).to(device)
    kernels = kernels_of(device)
    print(f"{device.type}: {machine_text(device.type)}; milliseconds\n")
    print_head("what", "published", *kernels)

    def row(what: str, published: Work, ours: Work, again: int) -> None:
        def with_kernel(kernel: UpscaleKernel) -> None:
            network.upscale.kernel = kernel
            ours()

        works: list[Work] = [
            published,
            *(partial(with_kernel, kernel) for kernel in kernels.values()),
        ]
        print_row(what, *(device_ms(work, device, again) for work in works))

    rendered, side, region = sides
    image = torch.rand(1, 1, rendered, rendered, device=device)
    grid = OutputGrid.at_scale((rendered, rendered), 4)
    features = network.trunk(image)
    g = network.upscale.associate(features)
    terms = network.upscale.terms(grid, grid.pixel_range())
    cells = [torch.as_tensor(axis.cells(), device=device) for axis in (grid.rows, grid.columns)]
    row(
        f"render {rendered} -> {4 * rendered}",
        lambda: published_upscale(network, features, grid),
        lambda: network.upscale.kernel(g, *terms, *cells),
        repeats,
    )
    for name, count, size in (("slices", slices, side), ("regions", regions, region)):
        images = torch.rand(count, 1, 1, size, size)
        small = OutputGrid.at_scale((size, size), 4)

        def published(images: Tensor = images, grid: OutputGrid = small) -> None:
            for one in images:
                published_upscale(network, network.trunk(one.to(device)), grid).cpu()

        def ours(images: Tensor = images, grid: OutputGrid = small) -> None:
            for one in images:
                network(one.to(device), grid).cpu()

        row(f"{count:,} {name} {size} -> {4 * size}", published, ours, 1)


def on_telling(name: str, sizes: Sequence[int], repeats: int) -> None:
    """Print what a change of what a model is told costs: it is folded anew, and encodes again."""
    model, plain = (napari_metasr.load_model(one, device="cpu") for one in (name, "meta-srgan"))
    reductions, noises = (named_reduction("bicubic"),) * 2, itertools.count(1)

    def told() -> ZoomModel:
        return model.told(acquisition_code(reductions, 1e-5 * next(noises)))  # a new one each time

    def encode_anew(image: NDArray[np.float32]) -> EncodedSlice:
        return encode(told(), image)

    once = told()
    print_head("slice", "meta-srgan, encode", "told, encode", "told anew, encode", "told anew")
    for size in sizes:
        image = np.random.default_rng(0).random((size, size), dtype=np.float32)
        works: list[Work] = [
            partial(encode, plain, image),
            partial(encode, once, image),
            partial(encode_anew, image),
            told,
        ]
        cells = [f"{1000 * median_seconds(work, repeats):,.1f}" for work in works]
        print_row(f"{size} x {size}", *cells)


def on_cpu(sizes: Sequence[int], scales: Sequence[float], repeats: int, model: str) -> None:
    """Print what each way to zoom takes, and its memory, by size and scale."""
    print(f"{machine_text()}; milliseconds (peak MiB)\n")
    print_head("input -> output", *COLUMNS, "published / render", "whole")
    for size, scale in itertools.product(sizes, scales):
        timed, grid = cases(size, scale, model)
        seconds = {
            name: median_seconds(work, 1 if name == "published" else repeats)
            for name, work in timed.items()
        }
        memory = {name: peak(size, scale, model, name) for name in timed}
        ratio = seconds["published"] / seconds["ours, render"]
        whole = seconds["ours, encode"] + seconds["ours, render"]
        print_row(
            f"{size} -> {grid.output_shape[0]} (x{scale:g})",
            *(f"{1000 * seconds[name]:,.2f} ({memory[name]:,.0f})" for name in COLUMNS),
            f"{ratio:,.0f}",
            f"{1000 * whole:,.0f} ms",
        )


def main() -> None:
    """Print one of the tables."""
    parser = parser_of(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 240])
    parser.add_argument("--scales", type=float, nargs="+", default=[2.0, 3.7, 4.0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="meta-srgan")
    parser.add_argument("--told", metavar="MODEL")
    parser.add_argument("--device", choices=DEVICES[1:])
    parser.add_argument("--slices", type=int, default=155)
    parser.add_argument("--regions", type=int, default=2368)
    parser.add_argument("--quick", action="store_true", help="small images, to try --device")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(one(*json.loads(options.one)))
    elif options.device:
        device = device_of(options.device, parser)
        sides = QUICK_SIDES if options.quick else SIDES
        on_device(device, options.slices, options.regions, options.repeats, sides)
    elif options.told:
        print(f"{machine_text()}; milliseconds\n")
        on_telling(options.told, options.sizes, options.repeats)
    else:
        on_cpu(options.sizes, options.scales, options.repeats, options.model)


if __name__ == "__main__":
    main()
