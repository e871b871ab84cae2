"""Updates a second of Meta-SRGAN's training: our upscaler against the published form.

    python benchmarks/training.py [--scales 1.1 1.5 2 2.5 3 3.5 4 | --all] [--repeats 5]
                                  [--precision bfloat16 | float32] [--device cpu]

An update is forward, L1 loss, backward and Adam, on a batch of 8 high-resolution patches of
96 x 96 pixels, with one and the same encoder, batch, device and precision for all sides: by
default convolutions and matrix products in bfloat16 (autocast), as the recipes train.

``published`` is arranged as released code of Hu et al. 2019 and of Meta-SRGAN: features repeated
ceil(r)^2 times and unfolded, a kernel of 3 x 3 x 64 predicted for every slot and shared over the
batch, one matrix product, surplus slots masked out. ``unfolded once`` spares it the repetition:
the same predicted kernels, multiplied with the patches of each low-resolution pixel for the whole
batch at once. Before anything is timed all three must give the same loss and gradients in float32.

The sides take turns, so that what else the machine does meets all of them alike; times are medians
of the turns. The last row is of the mean time over the scales, as training draws them uniformly.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.networks import build
from napari_metasr.zoom.kernels import kernel_for

BATCH = 8
PATCH = 96
COARSE = (1.1, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
EVERY = tuple(tenths / 10 for tenths in range(11, 41))
AGREEMENT = 1e-4


def slots(axis):
    """List the output pixels in each low-resolution pixel: (input, ceil(r)), -1 for surplus."""
    cells = axis.cells()
    slot = np.arange(axis.output) - np.searchsorted(cells, cells)
    table = np.full((axis.input, slot.max() + 1), -1)
    table[cells, slot] = np.arange(axis.output)
    return torch.from_numpy(table)


def predicted_kernels(network, grid, tables):
    """Predict the kernel of every slot, (h, ceil(r), w, ceil(r), 576), once for the whole batch."""
    wpn = network.upscale.weights
    device = wpn.first.weight.device
    dy, dx = (
        torch.as_tensor(axis.offsets(), dtype=torch.float32)[table.clamp(min=0)].flatten()
        for axis, table in zip((grid.rows, grid.columns), tables, strict=True)
    )
    y, x = torch.meshgrid(dy.to(device), dx.to(device), indexing="ij")
    v = torch.stack([y, x, torch.full_like(y, grid.inverse_scale)], -1)
    kernels = wpn.second(functional.relu(wpn.first(v)))
    return kernels.reshape(*tables[0].shape, *tables[1].shape, -1)


def without_surplus(image, tables):
    """Keep only the output pixels: (batch, slots, slots) to (batch, 1, H, W)."""
    rows, columns = (table.flatten().to(image.device) >= 0 for table in tables)
    return image[:, None, rows][..., columns]


def published(network, image, grid):
    """Repeat the features for every slot, unfold them and multiply by the predicted kernels."""
    features = network.trunk(image)
    tables = slots(grid.rows), slots(grid.columns)
    (h, sy), (w, sx) = (table.shape for table in tables)
    batch, channels = features.shape[:2]
    kernels = predicted_kernels(network, grid, tables)
    kernels = kernels.permute(1, 3, 0, 2, 4).reshape(sy * sx, h * w, -1, 1)
    repeated = features[:, None].expand(-1, sy * sx, -1, -1, -1).reshape(-1, channels, h, w)
    patches = functional.unfold(repeated, 3, padding=1)
    patches = patches.reshape(batch, sy * sx, -1, h * w, 1).permute(0, 1, 3, 4, 2)
    out = torch.matmul(patches, kernels).reshape(batch, sy, sx, h, w)
    return without_surplus(out.permute(0, 3, 1, 4, 2).reshape(batch, h * sy, w * sx), tables)


def unfolded_once(network, image, grid):
    """Multiply each low-resolution pixel's predicted kernels by its patches of the whole batch."""
    features = network.trunk(image)
    tables = slots(grid.rows), slots(grid.columns)
    (h, sy), (w, sx) = (table.shape for table in tables)
    kernels = predicted_kernels(network, grid, tables)
    kernels = kernels.permute(0, 2, 4, 1, 3).reshape(h * w, -1, sy * sx)
    patches = functional.unfold(features, 3, padding=1).permute(2, 0, 1)
    out = torch.bmm(patches, kernels).reshape(h, w, -1, sy, sx)
    return without_surplus(out.permute(2, 0, 3, 1, 4).reshape(-1, h * sy, w * sx), tables)


def ours(network, image, grid):
    """Sum over the patch first, then run the compiled loop over output pixels."""
    return network(image, grid)


SIDES = {"published": published, "unfolded once": unfolded_once, "ours": ours}


def new_network(device):
    """Build Meta-SRGAN with seeded random weights."""
    torch.manual_seed(0)
    network = build("meta-srgan", kernel=kernel_for(device))
    return network.to(device=device, memory_format=torch.channels_last).train()


def new_batch(scale, device):
    """Draw patches of round(96 / r) low-resolution pixels, their truth and their grid."""
    low = round(PATCH / scale)
    generator = torch.Generator().manual_seed(1)
    truth = torch.rand((BATCH, 1, PATCH, PATCH), generator=generator)
    image = functional.interpolate(truth, (low, low), mode="bilinear", antialias=True)
    axis = AxisGrid(low, PATCH)
    return image.to(device), truth.to(device), OutputGrid(axis, axis)


def loss_and_gradients(side, batch, device):
    """Compute the loss and the gradients of one side, with the seeded weights."""
    image, truth, grid = batch
    network = new_network(device)
    loss = functional.l1_loss(side(network, image, grid), truth)
    loss.backward()
    return loss.item(), [parameter.grad for parameter in network.parameters()]


def check_agreement(batch, device):
    """Stop unless every side has the same loss and gradients.

    Gradients of convolutions before batch normalisation are rounding alone where they are of a
    bias, so differences count against the largest gradient of all.
    """
    loss, gradients = loss_and_gradients(ours, batch, device)
    largest = max(gradient.abs().max().item() for gradient in gradients)
    for name, side in SIDES.items():
        other, theirs = loss_and_gradients(side, batch, device)
        worst = max(
            (one - two).abs().max().item() for one, two in zip(gradients, theirs, strict=True)
        )
        if abs(loss - other) > AGREEMENT * loss or worst > AGREEMENT * largest:
            raise SystemExit(
                f"{name} and ours disagree: losses {other:.8g} and {loss:.8g}, gradients by "
                f"{worst:.3g} of {largest:.3g}"
            )


def timed_update(side, network, optimiser, batch, precision):
    """Time one update, in seconds."""
    image, truth, grid = batch
    started = time.perf_counter()
    with torch.autocast(image.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        output = side(network, image, grid)
    loss = functional.l1_loss(output.float(), truth)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    if image.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def measure(scale, repeats, device, precision):
    """Median seconds of an update, for each side."""
    batch = new_batch(scale, device)
    check_agreement(batch, device)
    turns = {}
    for name, side in SIDES.items():
        network = new_network(device)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
        turns[name] = partial(timed_update, side, network, optimiser, batch, precision)
    for turn in turns.values():
        turn()
    seconds = {name: [] for name in turns}
    for _ in range(repeats):
        for name, turn in turns.items():
            seconds[name].append(turn())
    return {name: statistics.median(times) for name, times in seconds.items()}


def print_row(label, seconds):
    rates = " | ".join(f"{1 / seconds[name]:.2f}" for name in SIDES)
    ratio = seconds["published"] / seconds["ours"]
    spared = seconds["unfolded once"] / seconds["ours"]
    print(f"| {label} | {rates} | {ratio:.1f} | {spared:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--scales", type=float, nargs="+", default=COARSE)
    chosen.add_argument("--all", action="store_true", help="1.1, 1.2 ... 4.0")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    options = parser.parse_args()
    scales = EVERY if options.all else options.scales
    print(
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, torch "
        f"{torch.__version__}, {options.device}, {options.precision}; updates a second, "
        f"batch {BATCH}, {PATCH} x {PATCH}\n"
    )
    print(f"| scale | {' | '.join(SIDES)} | ours / published | ours / unfolded once |")
    print(f"|{'---|' * (len(SIDES) + 3)}")
    rows = []
    for scale in scales:
        rows.append(measure(scale, options.repeats, options.device, options.precision))
        print_row(f"x{scale:g}", rows[-1])
    mean = {name: statistics.mean(row[name] for row in rows) for name in SIDES}
    print_row(f"mean of {len(rows)}", mean)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
