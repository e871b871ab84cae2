"""What the tests of evaluation share: networks that were never trained, and benches to try."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fakes.training import config, slices
from metasr_training.catalogue import Experiment, Method
from metasr_training.condition import Condition
from metasr_training.evaluation.bench import Bench
from metasr_training.lineage import Past
from napari_metasr.lesions.detection import grown
from napari_metasr.weights import OperatingPoint
from napari_metasr.zoom.baselines import interpolate


def history(gain=1.0):
    """The log of a short run, of two stages."""
    return [
        {"update": 1, "stage": "mse", "loss/mse": 0.5, "updates_per_second": 90.0},
        {"update": 2, "val/psnr": 25.0, "val/psnr_bicubic": 24.0},
        {"update": 3, "stage": "game", "loss/mse": 0.4, "updates_per_second": 4.0},
        {"update": 4, "stage": "game", "loss/mse": 0.3, "updates_per_second": 2.0},
        {"update": 5, "stage": "game", "loss/mse": 0.3, "updates_per_second": 3.0},
        {"update": 6, "val/psnr": 24.0 + gain, "val/psnr_bicubic": 24.0},
    ]


@dataclass
class FakeNetwork:
    """Bicubic interpolation moved towards, or away from, what it should be.

    ``error`` is added to every pixel, so that its mean square error is known.
    """

    name: str
    error: float = 0.0
    updates: int = 12
    seconds: float = 90.0
    parameters: int = 1234
    perceptual: str = "VGG19 relu5_4, random weights"
    config: Any = field(default_factory=config)
    about: dict[str, Any] = field(
        default_factory=lambda: {"commit": "c0ffee", "hardware": "a machine"}
    )
    lines: list[dict[str, Any]] = field(default_factory=history)
    seen: list[tuple[int, ...]] = field(default_factory=list)
    intensities: list[tuple[float, float] | None] = field(default_factory=list)

    codes: list[Any] = field(default_factory=list)
    can_be_told: bool = False
    starts: tuple[Past, ...] = ()

    @property
    def lineage(self):
        return (*self.starts, Past(self.name, self.updates, self.seconds, "random weights"))

    def upscale(self, image, grid, *, intensity_range=None, value_range=None, code=None):
        self.seen.append(image.shape)
        if code is not None:
            self.codes.append(code)
        self.intensities.append(intensity_range)
        scale = (grid.rows.scale, grid.columns.scale)
        upscaled = interpolate(image, scale, method="bicubic", value_range=value_range)
        return upscaled + np.float32(self.error)

    def history(self):
        return self.lines


class FakeFinder:
    """A detector that always sees the same share of the slice.

    Its score is a number, or is made of the image.
    """

    def __init__(self, box=(0.25, 0.25, 0.75, 0.75), score=0.9):
        self.box = box
        self.score = score if callable(score) else lambda _: score
        self.point = OperatingPoint(threshold=0.5, level=0.5, margin=0.0)
        self.intensities = []

    def detect(self, image, intensity_range=None, *, point=None):
        self.intensities.append(intensity_range)
        point = point or self.point
        score = self.score(image)
        if score < point.threshold:
            return ()
        return (grown(self.box, score, image.shape, (1.0, 1.0), point.margin),)


BASELINES = (
    Method(label="Bicubic", baseline="bicubic"),
    Method(label="Bilinear", baseline="bilinear"),
)
NETWORKS = (
    Method(label="SRResNet", recipe="srresnet"),
    Method(label="LFSR", recipe="lfsr"),
)


def experiment(kind="table", **changes):
    """Two baselines and two networks at x2."""
    values = {
        "id": "lfsr-table1",
        "title": "A try",
        "source": "nobody",
        "kind": kind,
        "conditions": (Condition(scale=2),),
        "methods": (*BASELINES, *NETWORKS),
        "region": "slice",
    }
    return Experiment(**(values | changes))


def bench(folder, wanted, networks=None, **changes):
    """A bench in a folder, with fake networks by name."""
    output = folder / "run" / "evaluation" / wanted.id
    output.mkdir(parents=True, exist_ok=True)
    networks = {} if networks is None else networks

    def load(name):
        return networks.setdefault(name, FakeNetwork(name))

    values = {
        "experiment": wanted,
        "preset": "smoke",
        "run": folder / "run",
        "data": folder / "data",
        "slices": tuple(slices(3)),
        "images": 0,
        "load": load,
        "finder": FakeFinder,
        "detector": lambda name: FakeFinder(),
        "output": output,
        "split": "val",
        "of_split": lambda split: slices(2),
    }
    return Bench(**(values | changes))
