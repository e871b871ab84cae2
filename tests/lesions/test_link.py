"""Lesions: rectangles that agree with their neighbours, and what is known of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes.lesions import box

from napari_metasr.lesions import Lesion
from napari_metasr.lesions.detection import merged
from napari_metasr.lesions.link import link
from napari_metasr.volume import Plane

AXIAL = Plane.AXIAL


def slices_of(count: int, **found: list) -> dict[int, list]:
    return {index: found.get(f"at{index}", []) for index in range(count)}


def test_overlapping_rectangles_of_neighbouring_slices_are_one_lesion():
    here, there = box(0, 0, 10, 10), box(20, 20, 25, 25)
    found = {k: [here, there] if 3 <= k <= 6 else [] for k in range(10)}
    large, small = link(found, AXIAL, 1.0)
    assert large.detections == dict.fromkeys(range(3, 7), here)
    assert small.detections == dict.fromkeys(range(3, 7), there)


def test_touching_a_little_is_not_enough():
    left, right = box(0, 0, 10, 10), box(0, 6, 10, 16)
    found = {0: [left], 1: [left], 2: [left], 3: [right], 4: [right], 5: [right]}
    assert len(link(found, AXIAL, 1.0)) == 2
    inside = box(2, 2, 4, 4)
    assert len(link({0: [left], 1: [inside], 2: [inside]}, AXIAL, 1.0)) == 1


def test_gaps_of_two_slices_are_filled_between_and_say_that_nothing_was_found():
    found = slices_of(
        9, at1=[box(0, 0, 6, 6)], at2=[box(0, 0, 6, 6)], at5=[box(3, 0, 9, 12)], at6=[]
    )
    (lesion,) = link(found, AXIAL, 1.0)
    assert list(lesion.detections) == [1, 2, 3, 4, 5]
    assert lesion.detections[3].region == pytest.approx((1, 0, 7, 8))
    assert lesion.detections[4].region == pytest.approx((2, 0, 8, 10))
    assert [one.score for one in lesion.detections.values()] == [0.9, 0.9, 0, 0, 0.9]
    assert lesion.score == pytest.approx(0.9)


def test_gaps_of_three_slices_separate():
    same = [box(0, 0, 6, 6)]
    found = {k: same if k in {0, 1, 2, 6, 7, 8} else [] for k in range(9)}
    assert [list(one.detections) for one in link(found, AXIAL, 1.0)] == [[0, 1, 2], [6, 7, 8]]


def test_branches_of_a_slice_are_one_rectangle():
    whole, left, right = box(0, 0, 10, 20), box(0, 0, 10, 8), box(0, 12, 10, 20)
    found = {0: [whole], 1: [whole], 2: [left, right], 3: [left]}
    (lesion,) = link(found, AXIAL, 1.0)
    assert lesion.detections[2].region == (0, 0, 10, 20)
    assert lesion.detections[3].region == (0, 0, 10, 8)


@pytest.mark.parametrize(
    ("length", "spacing", "kept"),
    [(2, 1.0, False), (3, 1.0, True), (1, 3.0, False), (2, 3.0, True), (1, 5.0, True)],
)
def test_what_few_slices_agree_on_is_dropped_unless_they_are_thick(length, spacing, kept):
    found = {k: [box(0, 0, 6, 6)] if 3 <= k < 3 + length else [] for k in range(10)}
    assert bool(link(found, AXIAL, spacing)) is kept


def test_one_slice_that_was_looked_at_alone_keeps_its_rectangles():
    (lesion,) = link({7: [box(0, 0, 6, 6)]}, AXIAL, 1.0)
    assert list(lesion.detections) == [7]
    assert link({7: []}, AXIAL, 1.0) == ()


def test_the_surest_comes_first_and_of_equals_the_largest():
    small, large, sure = box(0, 0, 4, 4, 0.801), box(20, 0, 40, 20, 0.799), box(0, 20, 4, 24, 0.95)
    lesions = link({k: [small, large, sure] for k in range(4)}, AXIAL, 1.0)
    assert [one.detections[0] for one in lesions] == [sure, large, small]


def test_what_a_person_drew_is_no_part_of_the_score():
    drawn = replace(box(0, 0, 5, 5, 1.0), by_hand=True)
    found, filled = box(0, 0, 5, 5, 0.6), box(0, 0, 5, 5, 0.0)
    mixed = Lesion(AXIAL, {0: drawn, 1: found, 2: drawn, 3: drawn})
    assert (mixed.score, mixed.by_hand) == (0.6, False)
    alone = Lesion(AXIAL, {0: drawn, 1: filled, 2: drawn})
    assert (alone.score, alone.by_hand) == (1.0, True)
    faint = Lesion(AXIAL, {0: filled})
    assert (faint.score, faint.by_hand) == (0.0, False)
    assert merged([found, drawn])[0].by_hand
    with pytest.raises(ValueError, match=r"expected a score of 1 .* found 0\.6"):
        replace(found, by_hand=True)


def test_neither_a_lucky_slice_nor_faint_ends_make_the_score():
    scores = [0.55, 0.6, 0.8, 0.8, 0.99, 0.8, 0.8, 0.6, 0.55]
    lesion = Lesion(AXIAL, {k: box(0, 0, 5, 5, score) for k, score in enumerate(scores)})
    assert lesion.score == pytest.approx(0.8)


def test_one_looks_first_at_the_largest_rectangle_that_is_sure():
    boxes = {4: box(0, 0, 5, 5), 5: box(0, 0, 8, 8), 6: box(0, 0, 9, 9), 7: box(0, 0, 20, 20, 0.3)}
    assert Lesion(AXIAL, boxes).middle == 6
    flat = {k: box(0, 0, 5, 5) for k in range(10, 15)}
    assert Lesion(AXIAL, flat).middle == 12


@pytest.mark.parametrize("plane", list(Plane))
def test_a_lesion_lies_in_the_volume_where_its_rectangles_do(plane):
    shape = (12, 14, 16)
    lesion = Lesion(plane, {3: box(2, 4, 6, 9), 4: box(2.5, 4, 6, 10.2)})
    mask = lesion.mask(shape)
    slices = np.moveaxis(mask, plane.normal_axis, 0)
    assert set(np.flatnonzero(slices.any(axis=(1, 2)))) == {3, 4}
    assert slices[3].sum() == 4 * 5
    assert slices[4, 2:6, 4:11].all()
    assert slices[4].sum() == 4 * 7
    edges = lesion.box
    assert edges[plane.normal_axis] == (3, 5)
    assert edges[plane.row_axis] == (2, 6)
    assert edges[plane.column_axis] == (4, 10.2)
    spacing = (3.0, 2.0, 0.5)
    assert lesion.extent(spacing)[plane.normal_axis] == pytest.approx(
        2 * spacing[plane.normal_axis]
    )
    assert lesion.volume(spacing) == pytest.approx((20 + 3.5 * 6.2) * 3)


def test_a_lesion_of_a_picture_has_a_flat_mask():
    mask = Lesion(AXIAL, {0: box(1, 2, 3, 5)}).mask((6, 7))
    assert mask.shape == (6, 7)
    assert mask.sum() == 6


def test_gaps_and_foreign_volumes_are_refused():
    with pytest.raises(ValueError, match="neighbouring slices"):
        Lesion(AXIAL, {1: box(0, 0, 2, 2), 3: box(0, 0, 2, 2)})
    with pytest.raises(ValueError, match="neighbouring slices"):
        Lesion(AXIAL, {})
    with pytest.raises(ValueError, match=r"axial slices 5 to 5, found a volume of 4"):
        Lesion(AXIAL, {5: box(0, 0, 2, 2)}).mask((4, 8, 8))
    with pytest.raises(ValueError, match="lies wholly outside the slice of 8 x 9 pixels"):
        Lesion(AXIAL, {3: box(-5, 0, -2, 2)}).mask((4, 8, 9))
