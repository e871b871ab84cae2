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
import functools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch.nn import functional

import napari_metasr
from metasr_training.memory import peak_mib
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detector import load_detector
from napari_metasr.networks import build
from napari_metasr.samples.phantom import glioma_phantom
from napari_metasr.volume import Plane

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


def new_update(case):
    """Return a function that makes one update and returns its duration in seconds."""
    torch.manual_seed(0)
    device = torch.device(case.device)
    network = build("srresnet", scale=SCALE, features=case.features, blocks=case.blocks)
    network = network.to(device=device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def update(batch, patch):
        truth = torch.rand((batch, 1, patch, patch), device=device)
        image = functional.avg_pool2d(truth, SCALE)
        started = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=case.precision == "bfloat16"):
            output = network(image)
        loss = functional.mse_loss(output.float(), truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - started

    return update


def one(case):
    """Print the median seconds of an update, and its MiB, as JSON."""
    device = torch.device(case.device)
    update = new_update(case)
    update(1, TINY)
    before = peak_mib(device)
    seconds = [update(case.batch, case.patch) for _ in range(case.repeats + 1)][1:]
    found = {"seconds": statistics.median(seconds), "mib": peak_mib(device) - before}
    print(json.dumps(found))


def measure(case):
    """Measure the seconds and MiB of an update, in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, "--one", json.dumps(asdict(case))],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def largest_within(roi, found, limit):
    """Find the largest batch of windows that fits a memory limit, and its measurement.

    Each guess follows the line through the measurements so far and is measured in turn.

    Parameters
    ----------
    roi
        The case.
    found
        Measured batches, with their answers; at least two, the smallest within the limit.
    limit
        MiB.
    """
    for _ in range(GUESSES):
        known = sorted((batch, answer["mib"]) for batch, answer in found.items())
        slope, start = np.polyfit(*zip(*known, strict=True), 1)
        batch = max(int((limit - start) / slope), 1) if slope > 0 else 2 * known[-1][0]
        if batch in found:
            break
        found[batch] = measure(replace(roi, batch=batch))
        if 1 - SLACK <= found[batch]["mib"] / limit <= 1:
            break
    batch = max(batch for batch, answer in found.items() if answer["mib"] <= limit)
    return batch, found[batch]


def print_training(whole, roi):
    """Whole slices against windows: with the same batch, the doubled one, and the largest."""
    print(f"\nAn update of SRResNet x{SCALE}, {whole.precision} on {whole.device}\n")
    print("| patches | batch | s an update | patches a second | peak MiB |")
    print("|---|---|---|---|---|")
    reference = measure(whole)
    print_update("whole slices", whole, reference)
    doubled = replace(roi, batch=2 * roi.batch)
    same, twice = measure(roi), measure(doubled)
    print_update("around lesions", roi, same)
    print_update("around lesions", doubled, twice)
    measured = {roi.batch: same, doubled.batch: twice}
    batch, largest = largest_within(roi, measured, reference["mib"])
    print_update("around lesions, as much memory", replace(roi, batch=batch), largest)
    print(
        f"\nWith the same batch {reference['seconds'] / same['seconds']:.1f} times as fast with "
        f"{same['mib'] / reference['mib']:.0%} of the memory; the largest batch within the memory "
        f"of {whole.batch} whole slices is {batch}, {batch / whole.batch:.1f} times as large."
    )


def print_update(label, case, found):
    rate = case.batch / found["seconds"]
    print(
        f"| {label}, {case.patch} x {case.patch} | {case.batch} | {found['seconds']:.2f} "
        f"| {rate:.1f} | {found['mib']:,} |",
        flush=True,
    )


def median_ms(call, repeats):
    """Median milliseconds of a call, warmed up once."""
    times = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[1:])


def encode_ms(model, image, window, repeats):
    """Time, in milliseconds, encoding what a window needs."""
    return median_ms(lambda: model.encode(image).prepare(window), repeats)


def render_ms(model, image, scale, window, repeats):
    """Time, in milliseconds, rendering a window that is already encoded."""
    encoded = model.encode(image)
    encoded.prepare(window)
    return median_ms(lambda: model.render(encoded, scale, window), repeats)


def print_zoom(side, region, repeats, device):
    """Time the window of a lesion against the whole slice, for each model and scale."""
    image = np.random.default_rng(0).random((side, side), dtype=np.float32)
    windows = {
        "whole": (0.0, 0.0, float(side), float(side)),
        "lesion": Window.around((0.4 * side, 0.55 * side), region, region),
    }
    print(f"\nZoom into {region} x {region} of {side} x {side} pixels on {device}, milliseconds\n")
    print(
        "| model | scale | encode: whole | lesion | render: whole | lesion | both: whole | lesion "
        "| times as fast |"
    )
    print(f"|{'---|' * 9}")
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
            print(f"| {name} | x{scale:g} | {' | '.join(cells)} | {ratio:.1f} |", flush=True)


def print_detection(side, repeats, device):
    """Time the detectors on one slice, and on all slices of a volume."""
    volume, _ = glioma_phantom((NEIGHBOURS, side, side), (4.0, 200 / side, 200 / side))
    image = volume.slice(Plane.AXIAL, NEIGHBOURS // 2)
    print(f"\nDetection in {side} x {side} pixels on {device}, milliseconds a slice\n")
    print(f"| detector | one slice | of {NEIGHBOURS} slices |")
    print("|---|---|---|")
    for name in DETECTORS:
        detector = load_detector(name, device=device)
        alone = median_ms(functools.partial(detector.detect, image), repeats)
        many = median_ms(functools.partial(look_through, detector, volume), repeats)
        print(f"| {name} | {alone:.0f} | {many / NEIGHBOURS:.0f} |", flush=True)


def look_through(detector, volume):
    return list(detector.detect_slices(volume))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small network and images, to try it")
    parser.add_argument("--batch", type=int, default=8, help="whole slices in a batch")
    parser.add_argument("--slice", type=int, default=240, help="rows and columns of a slice")
    parser.add_argument("--roi", type=int, default=96, help="of the window that is trained on")
    parser.add_argument("--region", type=int, default=72, help="of the lesion that is zoomed into")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(Update(**json.loads(options.one)))
        return
    features, blocks = (16, 2) if options.quick else (64, 16)
    repeats = 1 if options.quick else options.repeats
    zoomed = (96, 32) if options.quick else (options.slice, options.region)
    whole = Update(
        options.batch, options.slice, features, blocks, options.precision, options.device, repeats
    )
    print(
        f"{torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, torch "
        f"{torch.__version__}"
    )
    print_training(whole, replace(whole, patch=options.roi))
    print_zoom(*zoomed, repeats, options.device)
    print_detection(zoomed[0], repeats, options.device)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
