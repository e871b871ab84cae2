"""Rectangles with numbers: what they make up, before and after editing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fakes.detector import box

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Lesion
from napari_metasr.lesions.boxes import NEW, Box, boxes_of, lesions_of, numbered
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions.layer import box_from, corners

WINDOW = Window(4.0, 6.0, 10.0, 14.0)


def boxes(lesion, *indices, window=WINDOW, plane=Plane.AXIAL):
    return [Box(lesion, plane, index, window, 0.9) for index in indices]


def numbers(found):
    return [one.lesion for one in found]


def test_lesions_become_boxes_and_come_back():
    lesions = [
        Lesion(Plane.AXIAL, {2: box(1, 2, 3, 4, 0.9), 3: box(1, 2, 4, 4, 0.0)}),
        Lesion(Plane.CORONAL, {7: box(0, 0, 2, 2, 0.6)}),
    ]
    assert list(lesions_of(boxes_of(lesions)).values()) == lesions


def test_what_a_person_drew_scores_one():
    lesion = lesions_of([Box(1, Plane.AXIAL, 4, WINDOW)])[1]
    assert lesion.score == 1
    assert Box(1, Plane.AXIAL, 4, WINDOW).is_by_hand


def test_deleting_a_middle_rectangle_splits_a_lesion_and_the_longer_part_keeps_its_number():
    assert numbers(numbered(boxes(1, 2, 3, 5, 6, 7))) == [2, 2, 1, 1, 1]


def test_a_number_is_never_given_twice():
    assert numbers(numbered(boxes(NEW, 4), last=5)) == [6]


def test_a_new_box_continues_the_lesion_that_it_overlaps_in_the_slice_beside_it():
    assert numbers(numbered([*boxes(1, 2, 3), *boxes(NEW, 4)])) == [1, 1, 1]
    apart = boxes(NEW, 4, window=Window(20.0, 20.0, 24.0, 24.0))
    assert numbers(numbered([*boxes(1, 2, 3), *apart])) == [1, 1, 2]
    assert numbers(numbered([*boxes(1, 2, 3), *boxes(NEW, 5)])) == [1, 1, 2]
    assert numbers(numbered([*boxes(1, 2, 3), *boxes(NEW, 4, plane=Plane.CORONAL)])) == [1, 1, 2]


def test_a_second_box_of_a_slice_is_a_lesion_of_its_own():
    assert numbers(numbered([*boxes(1, 2, 3), *boxes(1, 3)])) == [1, 1, 2]


def test_no_boxes_are_no_lesions():
    assert numbered([]) == []
    assert lesions_of([]) == {}


@pytest.mark.parametrize("plane", list(Plane))
def test_corners_lie_on_pixel_edges_and_come_back(plane):
    one = Box(3, plane, 5, Window(1.25, 2.0, 6.5, 7.0), 0.7)
    points = corners(one, (2,), 4)
    assert points.shape == (4, 4)
    assert set(points[:, 0]) == {2.0}
    assert set(points[:, 1 + plane.normal_axis]) == {5.0}
    assert points[:, 1 + plane.row_axis].min() == pytest.approx(0.75)
    assert box_from(points, Window(4, 9, 9, 9), (2,), 3, 0.7) == one


def test_a_picture_s_box_has_no_slice():
    one = Box(1, Plane.AXIAL, 0, Window(1.0, 2.0, 6.0, 7.0), 0.7)
    assert box_from(corners(one, (), 2), (9, 9), (), 1, 0.7) == one


def test_boxes_are_clipped_to_the_image_and_left_out_beyond_it():
    points = corners(Box(1, Plane.AXIAL, 3, Window(-4.0, 2.0, 5.0, 30.0)), (), 3)
    assert box_from(points, (6, 9, 9), (), 1, math.nan).window == Window(0.0, 2.0, 5.0, 9.0)
    assert box_from(points + np.array([0, 20, 0]), (6, 9, 9), (), 1, 0.5) is None
    assert box_from(points + np.array([9, 0, 0]), (6, 9, 9), (), 1, 0.5) is None
    assert (
        box_from(corners(Box(1, Plane.AXIAL, 3, WINDOW), (1,), 4), Window(2, 6, 9, 9), (0,), 1, 0.5)
        is None
    )
