"""A series of volumes: whose regions a segmentation holds."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.lesion_dock import LEFT, rows
from fakes.widgets import settle
from napari.components import ViewerModel

SERIES = (4, 10, 32, 32)
PLACE = {"scale": (3, 1, 1)}


@pytest.fixture
def viewer(rng):
    viewer = ViewerModel()
    viewer.add_image(rng.uniform(0, 100, SERIES), name="dwi", scale=(9, *PLACE["scale"]))
    viewer.dims.set_current_step(0, 2)
    return viewer


def take(qtbot, dock, place):
    dock.labels.setCurrentIndex(place)
    qtbot.mouseClick(dock.take, LEFT)
    settle(qtbot, dock)


def test_a_segmentation_of_one_volume_is_that_of_every_time_point(
    qtbot, viewer, make_lesion_dock, notes
):
    labels = np.zeros(SERIES[1:], np.uint8)
    labels[4:6, 10:20, 11:20] = 1
    viewer.add_labels(labels, name="seg", **PLACE)
    viewer.add_labels(labels[0], name="slice", scale=(1, 1))
    viewer.add_labels(labels, name="elsewhere")
    dock = make_lesion_dock(viewer)
    take(qtbot, dock, 0)
    assert rows(dock)[0][1:] == ("labels", "4–5", "10 × 9 × 6")
    assert not notes
    for place, name in ((1, "slice"), (2, "elsewhere")):
        take(qtbot, dock, place)
        assert f"expected “{name}” on the grid of “dwi”" in notes[-1]


def test_a_segmentation_of_a_series_is_taken_at_the_time_shown(qtbot, viewer, make_lesion_dock):
    labels = np.zeros(SERIES, np.uint8)
    labels[2, 4:6, 10:20, 11:20] = labels[1, 8] = 1
    viewer.add_labels(labels, name="seg", scale=(9, *PLACE["scale"]))
    dock = make_lesion_dock(viewer)
    take(qtbot, dock, 0)
    (row,) = rows(dock)
    assert row[1:3] == ("labels", "4–5")
