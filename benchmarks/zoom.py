"""Time and memory of zooming: the published Meta-Upscale, ours, and bicubic by two libraries.

    python benchmarks/zoom.py [--sizes 64 128 240] [--scales 2 3.7 4] [--repeats 7]
                             [--model meta-srgan]

Times are medians of the repeats after one call to warm up (the published form runs once after
it); the peak memory of each case is measured in a process of its own, above what the process
held after a small case. ``published`` is the upsampling alone, from features, as released code
of Hu et al. 2019 arranges it: features repeated ceil(r)^2 times and unfolded, a 3 x 3 x 64
kernel predicted for every slot, one matrix product, surplus slots masked out. A model that can be
told how scans were acquired is told k-space and 1 % of noise.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

import napari_metasr
from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.weights import load_network
from napari_metasr.zoom.baselines import interpolate

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
    tables = [torch.as_tensor(slots(axis)).flatten() for axis in (grid.rows, grid.columns)]
    dy, dx = (
        torch.as_tensor(axis.offsets(), dtype=torch.float32)[table.clamp(min=0)]
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128, 240])
    parser.add_argument("--scales", type=float, nargs="+", default=[2.0, 3.7, 4.0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="meta-srgan")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
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
