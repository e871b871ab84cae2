"""The Shapes layer with a result's rectangles, edited with napari's own tools."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fakes.detector import box
from napari.utils.key_bindings import coerce_keybinding

from napari_metasr.lesions import Lesion
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions.layer import LesionLayer
from napari_metasr.widgets.viewer.layer_source import layer_source

FOUND = Lesion(Plane.AXIAL, {2: box(4, 6, 8, 10, 0.93)})


def corners(index, row, column, size=6.0):
    rows, columns = (row, row, row + size, row + size), (column, column + size)
    return np.array([[index, r, columns[k in (1, 2)]] for k, r in enumerate(rows)], float)


@pytest.fixture
def changes():
    return []


@pytest.fixture
def boxes(viewer, changes):
    boxes = LesionLayer(layer_source(viewer.layers[0]), [FOUND], (), lambda: changes.append(1))
    viewer.add_layer(boxes.layer)
    return boxes


def numbers_and_scores(boxes):
    """Number and score of every rectangle; None for what a person drew."""
    return [(one.lesion, None if math.isnan(one.score) else one.score) for one in boxes.boxes]


def test_boxes_drawn_after_an_edit_have_nothing_of_what_was_found(boxes):
    boxes.layer.add_rectangles([corners(2, 14, 20)])
    boxes.layer.add_rectangles([corners(4, 14, 20)])
    boxes.layer.selected_data = {0}
    boxes.layer.add_rectangles([corners(5, 2, 2)])
    assert numbers_and_scores(boxes) == [(1, 0.93), (2, None), (3, None), (4, None)]
    assert list(boxes.layer.features["label"][1:]) == ["2 · manual", "3 · manual", "4 · manual"]
    assert boxes.layer.feature_defaults["lesion"][0] == 0


def test_a_box_drawn_after_a_deletion_is_a_person_s(boxes):
    boxes.layer.add_rectangles([corners(2, 14, 20)])
    boxes.layer.selected_data = {1}
    boxes.layer.remove_selected()
    boxes.layer.add_rectangles([corners(3, 14, 20)])
    assert numbers_and_scores(boxes) == [(1, 0.93), (3, None)]


def test_a_pasted_box_is_a_person_s_and_told_of_at_once(viewer, boxes, changes):
    viewer.dims.set_current_step(0, 2)
    boxes.layer.selected_data = {0}
    boxes.layer._copy_data()
    viewer.dims.set_current_step(0, 5)
    boxes.layer._paste_data()
    assert numbers_and_scores(boxes) == [(1, 0.93), (2, None)]
    assert boxes.boxes[1].index == 5
    assert changes == [1]


def test_changes_are_undone_one_by_one(viewer, boxes, changes):
    boxes.layer.add_rectangles([corners(2, 14, 20)])
    boxes.layer.selected_data = {0}
    boxes.layer.remove_selected()
    assert numbers_and_scores(boxes) == [(2, None)]
    key = boxes.layer.keymap[coerce_keybinding("Control-Z")]
    key(boxes.layer)
    assert numbers_and_scores(boxes) == [(1, 0.93), (2, None)]
    assert boxes.boxes[0].window == FOUND.detections[2].region
    key(boxes.layer)
    assert numbers_and_scores(boxes) == [(1, 0.93)]
    before = len(changes)
    key(boxes.layer)
    assert numbers_and_scores(boxes) == [(1, 0.93)]
    assert len(changes) == before
    boxes.layer.add_rectangles([corners(3, 14, 20)])
    assert numbers_and_scores(boxes)[1:] == [(3, None)]
