"""Time and memory of zooming: the published Meta-Upscale, ours, and bicubic by two libraries.

    python benchmarks/zoom.py [--sizes 64 128 240] [--scales 2 3.7 4] [--repeats 7]
                             [--model meta-srgan]
    python benchmarks/zoom.py --device cuda [--slices 155] [--regions 2368] [--repeats 7]

Times are medians of the repeats after one call to warm up (the published form runs once after
it); the peak memory of each case is measured in a process of its own, above what the process
held after a small case. ``published`` is the upsampling alone, from features, as released code
of Hu et al. 2019 arranges it: features repeated ceil(r)^2 times and unfolded, a 3 x 3 x 64
kernel predicted for every slot, one matrix product, surplus slots masked out. A model that can be
told how scans were acquired is told k-space and 1 % of noise.

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
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

import napari_metasr
from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction
from napari_metasr.devices import DEVICES, resolve_device
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks.folding import fold_batch_norm
from napari_metasr.weights import load_network
from napari_metasr.zoom.baselines import interpolate
from napari_metasr.zoom.kernels import fused_kernel, upscale_compiled, upscale_in_row_blocks

COLUMNS = ("published", "ours, encode", "ours, render", "ours, bicubic", "Pillow", "torch bicubic")


def slots(axis):
    """List the output pixels in each low-resolution pixel: (input, ceil(r)), -1 for surplus."""
    cells = axis.cells()
    slot = np.arange(axis.output) - np.searchsorted(cells, cells)
    table = np.full((axis.input, slot.max() + 1), -1)
    table[cells, slot] = np.arange(axis.output)
    return table


def published_upscale(network, features, grid):
    """Predict the kernel of every output pixel and multiply it with the unfolded features."""
    wpn = network.upscale.weights
    (h, sy), (w, sx) = (slots(axis).shape for axis in (grid.rows, grid.columns))
    device = features.device
    tables = [
        torch.as_tensor(slots(axis), device=device).flatten() for axis in (grid.rows, grid.columns)
    ]
    dy, dx = (
        torch.as_tensor(axis.offsets(), dtype=torch.float32, device=device)[table.clamp(min=0)]
        for axis, table in zip((grid.rows, grid.columns), tables, strict=True)
    )
    y, x = torch.meshgrid(dy, dx, indexing="ij")
    v = torch.stack([y, x, torch.full_like(y, grid.inverse_scale)], -1).reshape(-1, 3)
    kernels = wpn.second(functional.relu(wpn.first(v)))
    kernels = kernels.reshape(h, sy, w, sx, -1, 1).permute(1, 3, 0, 2, 4, 5)
    kernels = kernels.reshape(sy * sx, h * w, -1, 1)
    repeated = features.expand(sy * sx, -1, -1, -1).contiguous()
    patches = functional.unfold(repeated, 3, padding=1).permute(0, 2, 1)[:, :, None].contiguous()
    out = torch.matmul(patches, kernels).reshape(sy, sx, h, w)
    out = out.permute(2, 0, 3, 1).reshape(h * sy, w * sx)
    return out[tables[0] >= 0][:, tables[1] >= 0]


def cases(size, scale, name):
    """Name to what is timed, for one input size and scale, and one model."""
    rng = np.random.default_rng(0)
    image = rng.random((size, size), dtype=np.float32)
    grid = OutputGrid.at_scale(image.shape, scale)
    height, width = grid.output_shape
    network, _ = load_network("meta-srgan")
    network = network.eval()
    model = napari_metasr.load_model(name, device="cpu")
    if model.card.can_be_told:
        model = model.told(acquisition_code((named_reduction("k-space"),) * 2, 0.01))
    tensor = torch.from_numpy(image)[None, None]
    picture = Image.fromarray(image)
    encoded = model.encode(image)

    def published():
        with torch.inference_mode():
            return published_upscale(network, features, grid)

    def encode():
        fresh = model.encode(image)
        fresh.prepare()
        return fresh

    with torch.inference_mode():
        features = network.trunk(tensor)
    timed = {
        "published": published,
        "ours, encode": encode,
        "ours, render": lambda: model.render(encoded, scale),
        "ours, bicubic": lambda: interpolate(image, scale),
        "Pillow": lambda: picture.resize((width, height), Image.Resampling.BICUBIC),
        "torch bicubic": lambda: functional.interpolate(
            tensor, (height, width), mode="bicubic", align_corners=False
        ),
    }
    return timed, grid


def peak(size, scale, model, name):
    """Measure the peak MiB above the imported, warmed-up process, in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, "--one", json.dumps([size, scale, model, name])],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout.split()[-1])


def one(size, scale, model, name):
    """Print the peak memory of one case."""
    small, _ = cases(32, scale, model)
    small[name]()
    timed, _ = cases(size, scale, model)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
    before = memory_kibibytes("VmRSS")
    timed[name]()
    print((memory_kibibytes("VmHWM") - before) / 1024)


def memory_kibibytes(name):
    """Read the process's resident size (VmRSS) or its peak (VmHWM), as Linux counts them."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0])


def median_time(call, repeats):
    """Median seconds of a call, warmed up once."""
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def kernels_of(device):
    """Name to kernel, of those that work on a device."""
    if device == "cpu":
        return {"compiled": upscale_compiled, "plain torch": upscale_in_row_blocks}
    fused = {"fused": fused_kernel(device)} if device == "cuda" else {}
    found = {**fused, "plain torch": upscale_in_row_blocks}
    return {name: kernel for name, kernel in found.items() if kernel is not None}


def device_time(call, device, repeats):
    """Median seconds of a call, to its end on the device; None if it runs out of memory."""

    def finished():
        call()
        if device != "cpu":
            getattr(torch, device).synchronize()

    try:
        return median_time(finished, repeats)
    except torch.OutOfMemoryError:
        return None


@torch.inference_mode()
def on_device(device, slices, regions, repeats):
    """Print what the network takes on a device, by every kernel and by the published form."""
    network = fold_batch_norm(load_network("meta-srgan")[0]).to(device)
    kernels = kernels_of(device)
    card = (
        torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    )
    print(f"{device} ({card}), torch {torch.__version__}; milliseconds\n")
    print(f"| what | published | {' | '.join(kernels)} |")
    print(f"|{'---|' * (len(kernels) + 2)}")

    def row(what, published, ours, again):
        def with_kernel(kernel):
            network.upscale.kernel = kernel
            return ours()

        calls = [published, *(partial(with_kernel, kernel) for kernel in kernels.values())]
        seconds = [device_time(call, device, again) for call in calls]
        cells = ["out of memory" if one is None else f"{1000 * one:,.2f}" for one in seconds]
        print(f"| {what} | {' | '.join(cells)} |", flush=True)

    image = torch.rand(1, 1, 256, 256, device=device)
    grid = OutputGrid.at_scale((256, 256), 4)
    features = network.trunk(image)
    g = network.upscale.associate(features)
    terms = network.upscale.terms(grid, grid.pixel_range())
    cells = [torch.as_tensor(axis.cells(), device=device) for axis in (grid.rows, grid.columns)]
    row(
        "render 256 -> 1024",
        lambda: published_upscale(network, features, grid),
        lambda: network.upscale.kernel(g, *terms, *cells),
        repeats,
    )
    for name, count, size in (("slices", slices, 240), ("regions", regions, 24)):
        images = torch.rand(count, 1, 1, size, size)
        small = OutputGrid.at_scale((size, size), 4)

        def published(images=images, grid=small):
            for one in images:
                published_upscale(network, network.trunk(one.to(device)), grid).cpu()

        def ours(images=images, grid=small):
            for one in images:
                network(one.to(device), grid).cpu()

        row(f"{count:,} {name} {size} -> {4 * size}", published, ours, 1)


def on_telling(name, sizes, repeats):
    """Print what a change of what a model is told costs: it is folded anew, and encodes again."""
    model, plain = (napari_metasr.load_model(one, device="cpu") for one in (name, "meta-srgan"))
    reductions, noises = (named_reduction("bicubic"),) * 2, itertools.count(1)

    def told():
        return model.told(acquisition_code(reductions, 1e-5 * next(noises)))  # a new one each time

    once = told()
    print("| slice | meta-srgan, encode | told, encode | told anew, encode | told anew |")
    print(f"|{'---|' * 5}")
    for size in sizes:
        image = np.random.default_rng(0).random((size, size), dtype=np.float32)
        calls = (
            lambda image=image: plain.encode(image).prepare(),
            lambda image=image: once.encode(image).prepare(),
            lambda image=image: told().encode(image).prepare(),
            told,
        )
        cells = [f"{1000 * median_time(call, repeats):,.1f}" for call in calls]
        print(f"| {size} x {size} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 240])
    parser.add_argument("--scales", type=float, nargs="+", default=[2.0, 3.7, 4.0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="meta-srgan")
    parser.add_argument("--told", metavar="MODEL")
    parser.add_argument("--device", choices=DEVICES[1:])
    parser.add_argument("--slices", type=int, default=155)
    parser.add_argument("--regions", type=int, default=2368)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device:
        try:
            device = resolve_device(options.device).type
        except ValueError as error:
            parser.error(str(error))
        on_device(device, options.slices, options.regions, options.repeats)
        return
    if options.told:
        print(f"{torch.get_num_threads()} threads, torch {torch.__version__}; milliseconds\n")
        on_telling(options.told, options.sizes, options.repeats)
        return
    if options.one:
        one(*json.loads(options.one))
        return
    threads = torch.get_num_threads()
    print(f"{threads} threads, torch {torch.__version__}; milliseconds (peak MiB)\n")
    print(f"| input -> output | {' | '.join(COLUMNS)} | published / render | whole |")
    print(f"|{'---|' * (len(COLUMNS) + 3)}")
    for size in options.sizes:
        for scale in options.scales:
            timed, grid = cases(size, scale, options.model)
            seconds = {
                name: median_time(call, 1 if name == "published" else options.repeats)
                for name, call in timed.items()
            }
            memory = {name: peak(size, scale, options.model, name) for name in timed}
            cells = [f"{1000 * seconds[name]:,.2f} ({memory[name]:,.0f})" for name in COLUMNS]
            ratio = seconds["published"] / seconds["ours, render"]
            whole = seconds["ours, encode"] + seconds["ours, render"]
            print(
                f"| {size} -> {grid.output_shape[0]} (x{scale:g}) | {' | '.join(cells)} "
                f"| {ratio:,.0f} | {1000 * whole:,.0f} ms |",
                flush=True,
            )


if __name__ == "__main__":
    main()
