"""Torch or onnxruntime for the encoder: size on disk, time to load, speed, and how far they differ.

    python benchmarks/encoders.py [--size 240] [--repeats 7] [--model meta-srgan] [--threads 1]

Sizes are those of the installed distributions that nothing else in the base installation needs.
Import times are those of fresh processes. Both encoders take the same slice, one batch of one,
with the same number of threads; times of encoding are processor times, which other programs on
the machine hardly change.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from packaging.requirements import Requirement

from metasr_training.onnx_files import INPUT, exported, write_onnx
from napari_metasr.weights import load_network

PROJECT = "napari-metasr"
IMPORTS = 5


def needed(name, without=()):
    """List the distributions that one needs, itself included, extras aside."""
    found, left = set(), [name]
    while left:
        one = re.sub(r"[-_.]+", "-", left.pop()).lower()
        if one in found or one in without:
            continue
        try:
            wanted = distribution(one).requires or ()
        except PackageNotFoundError:  # one for another system
            continue
        found.add(one)
        requirements = map(Requirement, wanted)
        left += [
            each.name
            for each in requirements
            if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
    return found


def size(name):
    """Size of an installed distribution on disk in MB."""
    files = distribution(name).files or ()
    return (
        sum(Path(file.locate()).stat().st_size for file in files if file.locate().is_file()) / 1e6
    )


def import_seconds(name):
    """Median time that a fresh process takes to import a package."""
    code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(IMPORTS)
    ]
    return statistics.median(runs)


def milliseconds(work, repeats):
    """Median processor time of some work after one call to warm up, and what it gives."""
    result, runs = work(), []
    for _ in range(repeats):
        started = time.process_time()
        result = work()
        runs.append(1e3 * (time.process_time() - started))
    return statistics.median(runs), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="meta-srgan")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    network, card = load_network(options.model)
    encoder, _ = exported(network, card)
    encoder.eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        write_onnx(network, card, path)
        choices = onnxruntime.SessionOptions()
        choices.intra_op_num_threads = options.threads
        session = onnxruntime.InferenceSession(path, choices, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    image = rng.random((1, 1, options.size, options.size), np.float32)

    def by_torch():
        with torch.inference_mode():
            return encoder(torch.from_numpy(image)).numpy()

    runtimes = {
        "torch": by_torch,
        "onnxruntime": lambda: session.run(None, {INPUT: image})[0],
    }
    base = needed(PROJECT, without=set(runtimes))
    print(
        f"{options.model}, {options.size} x {options.size}, {options.threads} threads, "
        f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    )
    print(f"base installation without either: {sum(map(size, base)):,.0f} MB")
    print("| runtime | adds, MB | import, s | encode, ms |\n|---|---|---|---|")
    results = {}
    for name, work in runtimes.items():
        took, results[name] = milliseconds(work, options.repeats)
        adds = sum(map(size, needed(name) - base))
        print(f"| {name} | {adds:,.0f} | {import_seconds(name):.2f} | {took:.1f} |")
    difference = np.abs(results["torch"] - results["onnxruntime"]).max()
    largest = np.abs(results["torch"]).max()
    print(f"largest difference {difference:.2g}, of values up to {largest:.2g}")


if __name__ == "__main__":
    main()
