"""What is forecast of work from how long its stages took, on a clock that stands still."""

from __future__ import annotations

import pytest

from napari_metasr.forecast import Forecast


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def spend(forecast, clock, stage, done, seconds):
    clock.now += seconds
    forecast.reach(stage, done)


def test_work_of_one_stage_goes_on_as_fast_as_it_went(clock):
    left = Forecast.of_one_stage(clock)
    left.reach_share(0.0)
    clock.now += 30  # a model is loaded before the first step
    left.reach_share(0.5)  # work that is gone on with
    assert left.seconds is None
    clock.now += 10
    left.reach_share(0.6)
    assert left.seconds == pytest.approx(40)
    clock.now += 15
    assert left.seconds == pytest.approx(25)
    clock.now += 1000
    assert left.seconds == 0
    assert left.elapsed == 1055


def test_expected_seconds_are_told_before_anything_is_measured(clock):
    forecast = Forecast(is_timed=True, clock=clock)
    forecast.expect("read", 10.0, "file")
    forecast.expect("compute", 90.0, "network")
    assert forecast.left == pytest.approx(100)
    assert forecast.overall == 0


def test_a_slower_machine_shows_in_the_stages_that_are_alike(clock):
    forecast = Forecast(is_timed=True, clock=clock)
    forecast.expect("first", 100.0, "network")
    forecast.expect("second", 100.0, "network")
    forecast.expect("pack", 10.0, "file")
    spend(forecast, clock, "first", 50.0, 150.0)
    assert forecast.left == pytest.approx(3 * 50 + 3 * 100 + 10, rel=0.05)
    spend(forecast, clock, "first", 100.0, 150.0)
    spend(forecast, clock, "second", 50.0, 50.0)  # which is not as slow as the other one
    assert forecast.left == pytest.approx(50 + 10, rel=0.05)


def test_a_slow_disk_says_nothing_of_networks(clock):
    forecast = Forecast(is_timed=True, clock=clock)
    forecast.expect("read", 1.0, "file")
    forecast.expect("compute", 100.0, "network")
    spend(forecast, clock, "read", 1.0, 60.0)
    assert forecast.left == pytest.approx(100)


def test_the_share_never_decreases_and_ends_at_one(clock):
    forecast = Forecast(is_timed=True, clock=clock)
    forecast.expect("quick", 10.0, "a")
    forecast.expect("slow", 10.0, "b")
    shares = []
    for step in range(1, 6):
        spend(forecast, clock, "quick", 2.0 * step, 0.1)
        shares.append(forecast.overall)
    for step in range(1, 6):
        spend(forecast, clock, "slow", 2.0 * step, 50.0)
        shares.append(forecast.overall)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert forecast.left == 0


def test_what_was_done_before_counts_as_done_and_not_as_quick(clock):
    forecast = Forecast(is_timed=True, clock=clock)
    forecast.expect("compute", 100.0)
    forecast.skip("compute", 50.0)
    assert forecast.overall == pytest.approx(0.5)
    clock.now += 20
    forecast.wait()
    assert forecast.left == pytest.approx(50)
    spend(forecast, clock, "compute", 75.0, 50.0)
    assert forecast.left == pytest.approx(50, rel=0.05)
