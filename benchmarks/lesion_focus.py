"""What looking at the lesion alone saves: in training, and in the zoom.

    python benchmarks/lesion_focus.py [--quick] [--repeats 5] [--precision bfloat16 | float32]

Training: an update of LFSR's generator (SRResNet at x4: forward, mean square error, backward, Adam)
on windows of 96 x 96 pixels around lesions against whole slices of 240 x 240, and the largest batch
of windows that takes no more memory than the batch of whole slices; LFSR doubled its batch. Every
case runs in a process of its own; memory is its peak above that of an update on one tiny image, so
that weights and libraries are in neither. Critic and perceptual loss, which see the same windows,
are left out.

Zoom: encoding and rendering the window of a lesion, with the halo and the whole tiles that the
engine takes, against the whole slice.

Detection: a slice of the simulated glioma phantom alone, and a slice's share of the whole phantom.

Times are medians of the repeats after one that is not counted.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

import napari_metasr
from common.command_line import device_of, parser_of
from common.memory import peak_mib
from common.own_process import measured_apart
from common.printing import load_text, machine_text, print_head, print_row
from common.timing import median_seconds
from common.updates import PRECISIONS, update_seconds
from napari_metasr.devices import DEVICES
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detector import load_detector
from napari_metasr.networks.srresnet import build_srresnet
from napari_metasr.samples.phantom import glioma_phantom
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_metasr.lesions.detector import Detector
    from napari_metasr.volume import Volume
    from napari_metasr.zoom.engine import ZoomModel

SCALE = 4
TINY = 32
GUESSES = 4
SLACK = 0.05
MODELS = ("meta-srgan", "srresnet-x4")
DETECTORS = ("ld", "ld-plus")
NEIGHBOURS = 32
ZOOMS = (2.0, 4.0)


@dataclass(frozen=True)
class Update:
    """What is measured in a process of its own: updates on a batch of square patches."""

    batch: int
    patch: int
    features: int
    blocks: int
    precision: str
    device: str
    repeats: int


@dataclass(frozen=True)
class Cost:
    """What an update takes: median seconds, and MiB at the peak."""

    seconds: float
    mib: float


def new_update(case: Update) -> Callable[[int, int], float]:
    """Return what makes one update on a batch of patches of a size, and gives its seconds."""
    torch.manual_seed(0)
    device = torch.device(case.device)
    network = build_srresnet(scale=SCALE, features=case.features, blocks=case.blocks).train()
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def update(batch: int, patch: int) -> float:
        truth = torch.rand((batch, 1, patch, patch), device=device)
        image = functional.avg_pool2d(truth, SCALE)
        forward = partial(network, image)
        return update_seconds(forward, truth, functional.mse_loss, optimiser, case.precision)

    return update


def one(case: Update) -> Cost:
    """Measure an update in this process."""
    update = new_update(case)
    update(1, TINY)
    before = peak_mib(case.device)
    seconds = [update(case.batch, case.patch) for _ in range(case.repeats + 1)][1:]
    return Cost(statistics.median(seconds), peak_mib(case.device) - before)


def measure(case: Update) -> Cost:
    """Measure an update in a process of its own."""
    return Cost(**measured_apart(__file__, "--one", json.dumps(asdict(case))))


def largest_within(roi: Update, found: dict[int, Cost], limit: float) -> tuple[int, Cost]:
    """Find the largest batch of windows that fits a memory limit, and its measurement.

    Each guess follows the line through the measurements so far and is measured in turn.

    Parameters
    ----------
    roi
        The case.
    found
        Batches, and what they take; at least two, the smallest within the limit.
    limit
        MiB.
    """
    for _ in range(GUESSES):
        slope, start = np.polyfit(list(found), [cost.mib for cost in found.values()], 1)
        batch = max(int((limit - start) / slope), 1) if slope > 0 else 2 * max(found)
        if batch in found:
            break
        found[batch] = measure(replace(roi, batch=batch))
        if 1 - SLACK <= found[batch].mib / limit <= 1:
            break
    batch = max(batch for batch, cost in found.items() if cost.mib <= limit)
    return batch, found[batch]


def print_training(whole: Update, roi: Update) -> None:
    """Whole slices against windows: with the same batch, the doubled one, and the largest."""
    print(f"\nAn update of SRResNet x{SCALE}, {whole.precision} on {whole.device}\n")
    print_head("patches", "batch", "s an update", "patches a second", "peak MiB")
    reference = measure(whole)
    print_update("whole slices", whole, reference)
    doubled = replace(roi, batch=2 * roi.batch)
    same, twice = measure(roi), measure(doubled)
    print_update("around lesions", roi, same)
    print_update("around lesions", doubled, twice)
    measured = {roi.batch: same, doubled.batch: twice}
    batch, largest = largest_within(roi, measured, reference.mib)
    print_update("around lesions, as much memory", replace(roi, batch=batch), largest)
    print(
        f"\nWith the same batch {reference.seconds / same.seconds:.1f} times as fast with "
        f"{same.mib / reference.mib:.0%} of the memory; the largest batch within the memory "
        f"of {whole.batch} whole slices is {batch}, {batch / whole.batch:.1f} times as large."
    )


def print_update(label: str, case: Update, cost: Cost) -> None:
    """Print what a case takes."""
    size = f"{label}, {case.patch} x {case.patch}"
    rate = f"{case.batch / cost.seconds:.1f}"
    print_row(size, f"{case.batch}", f"{cost.seconds:.2f}", rate, f"{cost.mib:,.0f}")


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Median milliseconds of some work, after one that is not counted."""
    return 1000 * median_seconds(work, repeats)


def encode_ms(model: ZoomModel, image: NDArray[np.float32], window: Window, repeats: int) -> float:
    """Time, in milliseconds, encoding what a window needs."""
    return median_ms(lambda: model.encode(image).prepare(window), repeats)


def render_ms(
    model: ZoomModel, image: NDArray[np.float32], scale: float, window: Window, repeats: int
) -> float:
    """Time, in milliseconds, rendering a window that is already encoded."""
    encoded = model.encode(image)
    encoded.prepare(window)
    return median_ms(lambda: model.render(encoded, scale, window), repeats)


def print_zoom(side: int, region: int, repeats: int, device: str) -> None:
    """Time the window of a lesion against the whole slice, for each model and scale."""
    image = np.random.default_rng(0).random((side, side), dtype=np.float32)
    windows = {
        "whole": Window.whole((side, side)),
        "lesion": Window.around((0.4 * side, 0.55 * side), region, region),
    }
    print(f"\nZoom into {region} x {region} of {side} x {side} pixels on {device}, milliseconds\n")
    parts = [part for what in ("encode", "render", "both") for part in (f"{what}: whole", "lesion")]
    print_head("model", "scale", *parts, "times as fast")
    for name in MODELS:
        model = napari_metasr.load_model(name, device=device)
        encode = {part: encode_ms(model, image, one, repeats) for part, one in windows.items()}
        for scale in ZOOMS:
            render = {
                part: render_ms(model, image, scale, one, repeats) for part, one in windows.items()
            }
            both = {part: encode[part] + render[part] for part in windows}
            cells = [f"{times[part]:,.1f}" for times in (encode, render, both) for part in windows]
            ratio = both["whole"] / both["lesion"]
            print_row(name, f"x{scale:g}", *cells, f"{ratio:.1f}")


def print_detection(slices: int, side: int, repeats: int, device: str) -> None:
    """Time the detectors on one slice, and on all slices of a volume."""
    volume, _ = glioma_phantom((slices, side, side), (128 / slices, 200 / side, 200 / side))
    image = volume.slice(Plane.AXIAL, slices // 2)
    print(f"\nDetection in {side} x {side} pixels on {device}, milliseconds a slice\n")
    print_head("detector", "one slice", f"of {slices} slices")
    for name in DETECTORS:
        detector = load_detector(name, device=device)
        alone = median_ms(partial(detector.detect, image), repeats)
        many = median_ms(partial(look_through, detector, volume), repeats)
        print_row(name, f"{alone:.0f}", f"{many / slices:.0f}")


def look_through(detector: Detector, volume: Volume) -> None:
    """Detect in all slices of a volume."""
    for _ in detector.detect_slices(volume):
        pass


def main() -> None:
    """Print what looking at the lesion alone saves in training, zoom and detection."""
    parser = parser_of(__doc__)
    parser.add_argument("--quick", action="store_true", help="small network and images, to try it")
    parser.add_argument("--batch", type=int, default=8, help="whole slices in a batch")
    parser.add_argument("--slice", type=int, default=240, help="rows and columns of a slice")
    parser.add_argument("--roi", type=int, default=96, help="of the window that is trained on")
    parser.add_argument("--region", type=int, default=72, help="of the lesion that is zoomed into")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(one(Update(**json.loads(options.one))))))
        return
    device = device_of(options.device, parser).type
    features, blocks = (16, 2) if options.quick else (64, 16)
    repeats = 1 if options.quick else options.repeats
    side, region = (96, 32) if options.quick else (options.slice, options.region)
    whole = Update(
        options.batch, options.slice, features, blocks, options.precision, device, repeats
    )
    print(machine_text(device))
    print_training(whole, replace(whole, patch=options.roi))
    print_zoom(side, region, repeats, device)
    print_detection(4 if options.quick else NEIGHBOURS, side, repeats, device)
    print(f"\nat the end {load_text()}")


if __name__ == "__main__":
    main()
