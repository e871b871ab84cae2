"""Which precision convolutions train in: as asked for, or the quicker one."""

from __future__ import annotations

import pytest
import torch
from fakes.training import config, trainer

from metasr_training import precision
from metasr_training.distributed import World
from metasr_training.precision import quickest, settled


@pytest.fixture(autouse=True)
def nothing_remembered():
    quickest.cache_clear()
    yield
    quickest.cache_clear()


def machine(monkeypatch, *, bfloat16, float32):
    """Stand in for a machine that needs so long for a convolution."""
    times = {"bfloat16": bfloat16, "float32": float32}
    asked = []

    def seconds(kind, device):
        asked.append(device)
        return times[kind]

    monkeypatch.setattr(precision, "seconds", seconds)
    return asked


@pytest.mark.parametrize(
    ("bfloat16", "float32", "expected"),
    [(0.5, 1.0, "bfloat16"), (1.6, 1.0, "float32"), (0.97, 1.0, "float32")],
)
def test_the_quicker_precision_is_taken_and_noise_tells_nothing(
    monkeypatch, bfloat16, float32, expected
):
    machine(monkeypatch, bfloat16=bfloat16, float32=float32)
    assert settled(config(precision="auto"), "cpu").precision == expected


def test_a_machine_is_measured_once(monkeypatch):
    asked = machine(monkeypatch, bfloat16=2.0, float32=1.0)
    for _ in range(3):
        settled(config(precision="auto"), "cpu")
    assert asked == ["cpu", "cpu"]


@pytest.mark.parametrize("asked", ["bfloat16", "float32"])
def test_what_is_asked_for_is_not_measured(monkeypatch, asked):
    measured = machine(monkeypatch, bfloat16=1.0, float32=1.0)
    assert settled(config(precision=asked), "cpu").precision == asked
    assert measured == []


def test_convolutions_run_in_the_precision_that_the_run_records(monkeypatch, tmp_path):
    machine(monkeypatch, bfloat16=0.5, float32=1.0)
    one = trainer(tmp_path, precision="auto")
    drawn = next(one.drawing.after(one.update))
    kinds = []
    convolution = next(
        each for each in one.generator.network.modules() if isinstance(each, torch.nn.Conv2d)
    )
    convolution.register_forward_hook(lambda *found: kinds.append(found[-1].dtype))
    one.step(drawn)
    assert one.config.precision == "bfloat16"
    assert kinds[0] == torch.bfloat16


def test_processes_follow_the_first(monkeypatch):
    class Second(World):
        def agree(self, value):
            return 1.0

    asked = machine(monkeypatch, bfloat16=2.0, float32=1.0)
    assert settled(config(precision="auto"), "cpu", world=Second(1, 2)).precision == "bfloat16"
    assert asked == []


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_what_is_timed_is_a_convolution_of_that_precision(monkeypatch, kind):
    made = []

    class Watched(torch.nn.Conv2d):
        def forward(self, batch):
            made.append(super().forward(batch))
            return made[-1]

    ticks = iter([0.0, 9.0, *(t for start in range(10, 60, 10) for t in (start, start + 2.0))])
    monkeypatch.setattr(precision.nn, "Conv2d", Watched)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: next(ticks))
    assert precision.seconds(kind, "cpu") == 2.0, "the first one is not counted"
    assert {str(one.dtype) for one in made} == {f"torch.{kind}"}
