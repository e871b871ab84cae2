"""How long the work on a volume will take: what is air takes no time, wherever it lies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_metasr.upscaling import course as courses
from napari_metasr.upscaling.costs import NETWORK_INPUT, Costs, usual_speed
from napari_metasr.upscaling.course import Course
from napari_metasr.upscaling.occupied import Occupied
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.plan import Plan
from napari_metasr.upscaling.progress import Phase
from napari_metasr.volume import Plane, Source, Volume
from napari_metasr.widgets.upscaling.outlook import LayerGrid

SHAPE = (64, 80, 72)
SPACING = (1.0, 1.0, 1.0)
ZOOMS = ((1, 2, 2), (2, 1, 1), (2, 2, 2))


def planned(scale=(1, 2, 2), times=1, **options):
    data = np.broadcast_to(np.int16(0), (times, *SHAPE))
    volume = Volume(data, np.eye(4), SPACING, Source("array"))
    scale = tuple(float(one) for one in scale[::-1])
    asked = UpscaleOptions(scale=scale, plane=Plane.AXIAL, **options)
    return Plan.of(LayerGrid.of(volume), asked, "cpu")


def looked_through(data):
    """Look at an array (t, z, y, x), a few layers at a time."""
    places = [
        (slice(time, time + 1), slice(first, first + 16), slice(None), slice(None))
        for time in range(len(data))
        for first in range(0, data.shape[1], 16)
    ]
    return Occupied.of(data.shape, ((place, data[place]) for place in places), 0)


def head(z=(0, 64), y=(0, 80), x=(0, 72), times=1):
    data = np.zeros((times, *SHAPE), np.int16)
    data[:, slice(*z), slice(*y), slice(*x)] = 7
    return looked_through(data)


class Machine:
    """A machine on which work takes as long as it is said to cost."""

    def __init__(self, plan, occupied):
        self.plan, self.occupied, self.now = plan, occupied, 0.0

    def __call__(self):
        return self.now

    def seconds(self, part):
        parts = [one for one in self.plan.parts if one.run.kind is part.run.kind]
        costs = Costs.of(self.plan, self.occupied).passes[part.run.kind]
        return 1e-6 * costs[parts.index(part)]

    def run(self):
        """Give what was told (share, left) after every part, and how long each took."""
        course = Course(self.plan, is_packed=False, clock=self)
        course.reached(Phase.READING, 1.0)
        course.reached(Phase.MEASURING, 1.0)
        course.begin_passes(self.plan, self.occupied)
        told, times = [], []
        for part in self.plan.parts:
            self.now += self.seconds(part)
            course.computed(part)
            told.append(course.progress(part.run.kind, 1.0))
            times.append(self.now)
        return told, times


class PixelMachine(Machine):
    """A machine on which a slice in plane takes as long as it has pixels that are not air."""

    def __init__(self, where):
        super().__init__(planned(), head(**where))
        self.where = {"z": (0, 64), "y": (0, 80), "x": (0, 72), **where}

    def seconds(self, part):
        (first, last), *sides = self.where.values()
        slices = max(min(part.last, last) - max(part.first, first), 0)
        return 1e-4 * slices * np.prod([stop - start for start, stop in sides])


@pytest.mark.parametrize("where", [{}, {"z": (32, 64)}, {"z": (0, 32)}, {"y": (0, 30)}])
def test_the_time_left_follows_the_pixels_that_are_not_air(where):
    told, times = PixelMachine(where).run()
    begun = [number for number, now in enumerate(times) if 0.2 < now / times[-1] < 0.6]
    assert begun
    for number in begun:
        assert 2 / 3 < told[number].left / (times[-1] - times[number]) < 3 / 2


@pytest.mark.parametrize("scale", ZOOMS)
@pytest.mark.parametrize(
    "where",
    [{}, {"z": (32, 64)}, {"z": (0, 32)}, {"y": (0, 30)}, {"z": (20, 50), "y": (9, 70)}],
)
def test_the_time_left_is_right_wherever_the_air_is(scale, where):
    told, times = Machine(planned(scale), head(**where)).run()
    for number, step in enumerate(told):
        left = times[-1] - times[number]
        if times[number] > 0.1 * times[-1]:
            assert step.left == pytest.approx(left, rel=0.1, abs=0.02 * times[-1])
    shares = [step.overall for step in told]
    assert shares == sorted(shares)
    assert {type(step.left) for step in told} == {type(share) for share in shares} == {float}
    assert shares[-1] == 1


@pytest.mark.parametrize("scale", ZOOMS)
def test_the_whole_costs_the_same_wherever_the_head_is(scale):
    def costs(z, y, x):
        size = (24, 40, 30)
        occupied = head(
            *((start, start + side) for start, side in zip((z, y, x), size, strict=True))
        )
        return Costs.of(planned(scale), occupied).total

    assert costs(18, 18, 20) == pytest.approx(costs(22, 21, 25))


def test_air_costs_next_to_nothing_in_every_pass():
    for kind, parts in Costs.of(planned((2, 2, 2)), head(z=(0, 0))).passes.items():
        whole = Costs.of(planned((2, 2, 2))).passes[kind]
        assert sum(parts) < 0.15 * sum(whole)


def test_a_volume_without_air_costs_what_one_does_that_is_not_known_yet():
    plan = planned((2, 2, 2))
    assert Costs.of(plan, head()).total == pytest.approx(Costs.of(plan).total)


def test_each_time_point_has_its_own_air():
    data = np.zeros((2, *SHAPE), np.int16)
    data[1] = 7
    parts = Costs.of(planned(times=2), looked_through(data)).passes[PassKind.IN_PLANE]
    empty, full = np.split(np.array(parts), 2)
    assert full.min() > 5 * empty.max()


def test_in_boxes_networks_cost_only_where_these_are():
    box = ((10.0, 20.0), (30.0, 50.0), (30.0, 50.0))
    parts = Costs.of(planned(boxes=(box,)), head()).passes[PassKind.IN_PLANE]
    count = len(parts)
    inside = parts[count * 12 // SHAPE[0]]
    assert inside - parts[-1] > NETWORK_INPUT * 20 * 20
    assert inside > 20 * parts[-1]  # slices without lesions are interpolated, nothing else
    assert parts[0] == parts[-1]


def test_a_network_that_is_not_measured_is_as_fast_as_the_one_that_is(monkeypatch):
    """Within lesions one network may have little to do; the machine is slow for both."""
    plan = planned((2, 2, 2), boxes=(((10.0, 20.0), (30.0, 50.0), (30.0, 50.0)),))
    machine = Machine(plan, head())
    models = SimpleNamespace(in_plane="one", through_plane="other")
    in_plane = sum(Costs.of(plan).passes[PassKind.IN_PLANE])
    monkeypatch.setattr(courses, "is_worth_measuring", lambda cost: cost != in_plane)
    monkeypatch.setattr(courses, "measured_speed", lambda model: 1e-6)
    told = Course(plan, is_packed=False, clock=machine)
    told.skip_examination()
    told.measure(models)
    told.begin_passes(plan, machine.occupied)
    whole = sum(machine.seconds(part) for part in plan.parts)
    for part in plan.parts:
        machine.now += machine.seconds(part)
        told.computed(part)
        assert told.progress(part.run.kind, 1.0).left == pytest.approx(
            whole - machine.now, abs=0.05 * whole
        )


def test_compression_takes_as_much_longer_than_expected_as_the_measuring_did():
    plan, now = planned(), [0.0]
    told = Course(plan, clock=lambda: now[0])
    expected = Costs.of(plan).phases
    for phase in (Phase.READING, Phase.MEASURING):
        now[0] += 5 * usual_speed() * expected[phase]
        told.reached(phase, 1.0)
    told.begin_passes(plan, head(), len(plan.parts))
    left = told.progress(PassKind.IN_PLANE, 1.0).left
    assert left == pytest.approx(5 * usual_speed() * expected[Phase.COMPRESSING], rel=0.1)


def test_resumed_work_begins_where_it_was_left():
    machine = Machine(plan := planned(), occupied := head())
    course = Course(plan, is_packed=False, clock=machine)
    course.skip_examination()
    course.begin_passes(plan, occupied, len(plan.parts) // 2)
    assert course.progress(PassKind.IN_PLANE, 0.5).overall == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_the_extents_are_those_of_every_slice(dtype):
    rng = np.random.default_rng(4)
    data = np.zeros((3, 33, 6, 7), dtype)
    for time in range(2):
        for _ in range(5):
            data[(time, *(rng.integers(side) for side in data.shape[1:]))] = 5
    if dtype is np.float32:
        data[2, 1] = np.nan
    found = looked_through(data)
    for time, axis in np.ndindex(3, 3):
        for index in range(data.shape[1 + axis]):
            places = np.argwhere(np.nan_to_num(data[time].take([index], axis)))
            first, last = found.starts[axis][time, index], found.stops[axis][time, index]
            if len(places):
                np.testing.assert_array_equal(first, places.min(axis=0))
                np.testing.assert_array_equal(last, places.max(axis=0) + 1)
            else:
                assert not first.any()
                assert not last.any()
