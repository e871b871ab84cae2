"""Segmentations over the results: finer than their layer, in its look, and put back afterwards."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.widgets import SHAPE, results, settle
from napari.components import ViewerModel
from napari.utils.colormaps import DirectLabelColormap

from napari_metasr.widgets.zoom.settings import Compare

PLACE = {"scale": (3, 1, 1.5)}


def labels(dtype=np.uint16):
    """A disc of 1, one of 4 in it, and one voxel of 65535, in the slices around the middle."""
    found = np.zeros(SHAPE, dtype)
    rows, columns = np.indices(SHAPE[1:])
    far = (rows - 12) ** 2 + (columns - 15) ** 2
    found[2:5, far < 49] = 1
    found[2:5, far < 10] = 4
    found[3, 20, 27] = np.iinfo(dtype).max
    return found


def copies_of(viewer, layer):
    return [each for each in viewer.layers if each.name.startswith(f"{layer.name} over")]


def choose(qtbot, dock, compare):
    dock.comparison.setCurrentText(str(compare))
    settle(qtbot, dock)


@pytest.mark.parametrize("compare", list(Compare))
def test_labels_are_shown_on_the_grid_of_the_results(qtbot, viewer, dock, compare):
    mask = viewer.add_labels(labels(), name="mask", **PLACE)
    dock.scale.set_scale(4)
    choose(qtbot, dock, compare)
    assert not mask.visible
    shown = copies_of(viewer, mask)
    assert len(shown) == (2 if compare is Compare.SIDE_BY_SIDE else 1)
    bicubic = results(dock)[0]
    for copy in shown:
        assert copy.visible
        np.testing.assert_allclose(copy.scale[1:], bicubic.scale[1:])
        index = round(viewer.dims.point[0] / 3)
        np.testing.assert_allclose(copy.translate[0], 3 * index)
        present = {0, 1, 4, 65535} if index == 3 else {0, 1, 4}
        assert set(np.unique(copy.data)) == present
        for value in (1, 4):
            count = np.count_nonzero(copy.data == value) / 16
            assert count == pytest.approx(np.count_nonzero(mask.data[index] == value), rel=0.03)
    dock.coordinator.close()
    assert mask.visible
    assert not copies_of(viewer, mask)


def test_labels_follow_the_slice_the_scale_and_what_is_drawn(qtbot, viewer, dock):
    mask = viewer.add_labels(labels(), name="mask", **PLACE)
    settle(qtbot, dock)
    viewer.dims.set_current_step(0, 0)
    settle(qtbot, dock)
    copy = copies_of(viewer, mask)[0]
    assert copy.data.max() == 0
    viewer.dims.set_current_step(0, 3)
    dock.scale.set_scale(2.5)
    settle(qtbot, dock)
    assert copy.data.max() == 65535
    assert copy.data.shape == results(dock)[0].data.shape
    mask.data[3, 2, 2] = 7
    mask.data = mask.data
    settle(qtbot, dock)
    assert 7 in copy.data


def test_copies_have_the_look_of_their_layer(qtbot, viewer, dock):
    colors = DirectLabelColormap(color_dict={None: "transparent", 1: "red", 4: "blue"})
    mask = viewer.add_labels(labels(), name="mask", opacity=0.4, colormap=colors, **PLACE)
    settle(qtbot, dock)
    shown = copies_of(viewer, mask)
    for copy in shown:
        assert copy.opacity == 0.4
        np.testing.assert_array_equal(copy.get_color(4), mask.get_color(4))
    mask.opacity, mask.contour = 0.9, 2
    assert [(copy.opacity, copy.contour) for copy in shown] == [(0.9, 2)] * 2


def test_the_eye_of_a_segmentation_switches_what_is_shown_of_it(qtbot, viewer, dock):
    mask = viewer.add_labels(labels(), name="mask", **PLACE)
    settle(qtbot, dock)
    mask.visible = True
    settle(qtbot, dock)
    assert not mask.visible
    assert not any(copy.visible for copy in copies_of(viewer, mask))
    choose(qtbot, dock, Compare.SWIPE)
    assert not mask.visible
    assert not copies_of(viewer, mask)
    mask.visible = True
    settle(qtbot, dock)
    assert [copy.visible for copy in copies_of(viewer, mask)] == [True]


def test_a_segmentation_that_is_drawn_on_is_shown_itself(qtbot, viewer, dock):
    mask = viewer.add_labels(labels(), name="mask", **PLACE)
    choose(qtbot, dock, Compare.SINGLE)
    assert not mask.visible
    mask.visible = True  # its eye is clicked: napari does not draw on what is hidden
    settle(qtbot, dock)
    assert mask.visible
    assert not copies_of(viewer, mask)
    for mode in ("paint", "pan_zoom"):
        mask.mode = mode
        settle(qtbot, dock)
        assert (mask.visible, mask.mode) == (True, mode)
    mask.visible = False
    settle(qtbot, dock)
    assert not mask.visible
    assert len(copies_of(viewer, mask)) == 1


def test_a_segmentation_that_was_being_drawn_on_is_left_alone(qtbot, viewer, make_dock):
    mask = viewer.add_labels(labels(), name="mask", **PLACE)
    mask.mode = "paint"
    dock = make_dock(viewer)
    choose(qtbot, dock, Compare.SWIPE)
    assert not copies_of(viewer, mask)
    assert mask.visible


def test_a_segmentation_on_another_grid_is_shown_as_it_is(qtbot, viewer, dock):
    other = viewer.add_labels(np.ones((4, 5, 6), int), name="other")
    settle(qtbot, dock)
    shown = copies_of(viewer, other)
    assert len(shown) == 2
    assert all(copy.data is other.data for copy in shown)
    choose(qtbot, dock, Compare.BLINK)
    assert other.visible
    assert not copies_of(viewer, other)


def test_labels_of_space_lie_over_every_time_point(qtbot, rng, make_dock):
    viewer = ViewerModel()
    viewer.add_image(rng.normal(100, 20, (3, *SHAPE)), name="series", scale=(1, 3, 1, 1.5))
    mask = viewer.add_labels(labels(), name="mask", **PLACE)
    dock = make_dock(viewer)
    for time in (0, 2):
        viewer.dims.set_point((0, 1), (time, 9))
        settle(qtbot, dock)
        shown = copies_of(viewer, mask)
        assert len(shown) == 2
        for copy in shown:
            assert copy.data.max() == 4
            assert tuple(copy.translate[:2]) == (time, 9)
