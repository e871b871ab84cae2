"""Updates a second of Meta-SRGAN's training: our upscaler against the published form.

    python benchmarks/training.py [--scales 1.1 1.5 2 2.5 3 3.5 4 | --all] [--repeats 5]
                                  [--precision bfloat16 | float32] [--device cpu]
                                  [--batch 8] [--patch 96]

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

import statistics
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from common.command_line import device_of, parser_of
from common.printing import load_text, machine_text, print_head, print_row
from common.published_form import predicted_kernels, published_upscale, slots, without_surplus
from common.updates import PRECISIONS, update_seconds
from napari_metasr.devices import DEVICES
from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.networks.meta_srgan import MetaSRGAN, build_meta_srgan
from napari_metasr.zoom.kernels import kernel_for

if TYPE_CHECKING:
    from torch import Tensor

COARSE = (1.1, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
EVERY = tuple(tenths / 10 for tenths in range(11, 41))
AGREEMENT = 1e-4

Side = Callable[[MetaSRGAN, torch.Tensor, OutputGrid], torch.Tensor]
"""Network, images (batch, 1, h, w) and their grid to images (batch, 1, H, W)."""

Batch = tuple[torch.Tensor, torch.Tensor, OutputGrid]
"""Images, their truth and their grid."""


def published(network: MetaSRGAN, image: Tensor, grid: OutputGrid) -> Tensor:
    """Repeat the features for every slot, unfold them and multiply by the predicted kernels."""
    return published_upscale(network, network.trunk(image), grid)


def unfolded_once(network: MetaSRGAN, image: Tensor, grid: OutputGrid) -> Tensor:
    """Multiply each low-resolution pixel's predicted kernels by its patches of the whole batch."""
    features = network.trunk(image)
    tables = slots(grid.rows), slots(grid.columns)
    (h, sy), (w, sx) = (table.shape for table in tables)
    kernels = predicted_kernels(network, grid, tables)
    kernels = kernels.permute(0, 2, 4, 1, 3).reshape(h * w, -1, sy * sx)
    patches = functional.unfold(features, 3, padding=1).permute(2, 0, 1)
    out = torch.bmm(patches, kernels).reshape(h, w, -1, sy, sx)
    return without_surplus(out.permute(2, 0, 3, 1, 4).reshape(-1, h * sy, w * sx), tables)


def ours(network: MetaSRGAN, image: Tensor, grid: OutputGrid) -> Tensor:
    """Sum over the patch first, then run the compiled loop over output pixels."""
    result: Tensor = network(image, grid)
    return result


SIDES: dict[str, Side] = {"published": published, "unfolded once": unfolded_once, "ours": ours}


def new_network(device: torch.device) -> MetaSRGAN:
    """Build Meta-SRGAN with seeded random weights."""
    torch.manual_seed(0)
    network = build_meta_srgan(kernel=kernel_for(device.type))
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.train()


def new_batch(count: int, patch: int, scale: float, device: torch.device) -> Batch:
    """Draw patches of round(patch / r) low-resolution pixels, their truth and their grid."""
    low = round(patch / scale)
    generator = torch.Generator().manual_seed(1)
    truth = torch.rand((count, 1, patch, patch), generator=generator)
    image = functional.interpolate(truth, (low, low), mode="bilinear", antialias=True)
    axis = AxisGrid(low, patch)
    return image.to(device), truth.to(device), OutputGrid(axis, axis)


def loss_and_gradients(
    side: Side, batch: Batch, device: torch.device
) -> tuple[float, list[Tensor]]:
    """Compute the loss and the gradients of one side, with the seeded weights."""
    image, truth, grid = batch
    network = new_network(device)
    loss = functional.l1_loss(side(network, image, grid), truth)
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    return loss.item(), list(gradients)


def check_agreement(batch: Batch, device: torch.device) -> None:
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


def measure(batch: Batch, repeats: int, device: torch.device, precision: str) -> dict[str, float]:
    """Median seconds of an update, for each side."""
    check_agreement(batch, device)
    image, truth, grid = batch
    turns = {}
    for name, side in SIDES.items():
        network = new_network(device)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
        turns[name] = partial(
            update_seconds,
            partial(side, network, image, grid),
            truth,
            functional.l1_loss,
            optimiser,
            precision,
        )
    for turn in turns.values():
        turn()
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(repeats):
        for name, turn in turns.items():
            seconds[name].append(turn())
    return {name: statistics.median(times) for name, times in seconds.items()}


def print_rates(label: str, seconds: dict[str, float]) -> None:
    """Print the updates a second of each side, and how many times as many ours makes."""
    rates = [f"{1 / seconds[name]:.2f}" for name in SIDES]
    ratio = seconds["published"] / seconds["ours"]
    spared = seconds["unfolded once"] / seconds["ours"]
    print_row(label, *rates, f"{ratio:.1f}", f"{spared:.1f}")


def main() -> None:
    """Print a row of each scale, and one of their mean."""
    parser = parser_of(__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--scales", type=float, nargs="+", default=COARSE)
    chosen.add_argument("--all", action="store_true", help="1.1, 1.2 ... 4.0")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16")
    parser.add_argument("--batch", type=int, default=8, help="patches in a batch")
    parser.add_argument("--patch", type=int, default=96, help="rows and columns of a patch")
    options = parser.parse_args()
    device = device_of(options.device, parser)
    scales = EVERY if options.all else options.scales
    print(
        f"{machine_text(device.type)}, {device.type}, {options.precision}; updates a second, "
        f"batch {options.batch}, {options.patch} x {options.patch}\n"
    )
    print_head("scale", *SIDES, "ours / published", "ours / unfolded once")
    rows = []
    for scale in scales:
        batch = new_batch(options.batch, options.patch, scale, device)
        rows.append(measure(batch, options.repeats, device, options.precision))
        print_rates(f"x{scale:g}", rows[-1])
    mean = {name: statistics.mean(row[name] for row in rows) for name in SIDES}
    print_rates(f"mean of {len(rows)}", mean)
    print(f"\nat the end {load_text()}")


if __name__ == "__main__":
    main()
