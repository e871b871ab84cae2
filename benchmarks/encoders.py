"""Torch or onnxruntime for the encoder: size on disk, time to load, speed, and how far they differ.

    python benchmarks/encoders.py [--size 240] [--repeats 7] [--model meta-srgan] [--threads 1]
                                  [--imports 5]

Sizes are those of the installed distributions that nothing else in the base installation needs.
Import times are those of fresh processes. Both encoders take the same slice, one batch of one,
with the same number of threads; times of encoding are processor times, which other programs on
the machine hardly change.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import torch
from packaging.requirements import Requirement

from common.command_line import parser_of
from common.printing import machine_text, print_head, print_row
from common.timing import median_seconds
from metasr_training.onnx_files import INPUT, exported, write_onnx
from napari_metasr.weights import load_network

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

PROJECT = "napari-metasr"


def needed(name: str, without: Collection[str] = ()) -> set[str]:
    """List the distributions that one needs, itself included, extras aside."""
    found: set[str] = set()
    left = [name]
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


def size(name: str) -> float:
    """Size of an installed distribution on disk in MB."""
    paths = (Path(file.locate()) for file in distribution(name).files or ())
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def import_seconds(name: str, repeats: int) -> float:
    """Median time that a fresh process takes to import a package."""
    code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(repeats)
    ]
    return statistics.median(runs)


def main() -> None:
    """Print what each runtime adds, takes to import and takes to encode a slice."""
    parser = parser_of(__doc__)
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="meta-srgan")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--imports", type=int, default=5, help="fresh processes that import")
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

    def by_torch() -> NDArray[np.float32]:
        with torch.inference_mode():
            return encoder(torch.from_numpy(image)).numpy()

    runtimes: dict[str, Callable[[], NDArray[np.float32]]] = {
        "torch": by_torch,
        "onnxruntime": lambda: session.run(None, {INPUT: image})[0],
    }
    base = needed(PROJECT, without=set(runtimes))
    print(
        f"{options.model}, {options.size} x {options.size}, {machine_text()}, "
        f"onnxruntime {onnxruntime.__version__}"
    )
    print(f"base installation without either: {sum(map(size, base)):,.0f} MB")
    print_head("runtime", "adds, MB", "import, s", "encode, ms")
    for name, work in runtimes.items():
        took = 1e3 * median_seconds(work, options.repeats, time.process_time)
        adds = sum(map(size, needed(name) - base))
        imported = import_seconds(name, options.imports)
        print_row(name, f"{adds:,.0f}", f"{imported:.2f}", f"{took:.1f}")
    ours, theirs = (work() for work in runtimes.values())
    difference, largest = np.abs(ours - theirs).max(), np.abs(ours).max()
    print(f"largest difference {difference:.2g}, of values up to {largest:.2g}")


if __name__ == "__main__":
    main()
