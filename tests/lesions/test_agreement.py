"""Regions against a segmentation, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Detection, Lesion
from napari_metasr.lesions.agreement import agreement
from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.volume import Plane


@pytest.fixture
def labels():
    """A cross of 5 voxels in each of two slices: its rectangles have 9."""
    labels = np.zeros((4, 10, 10), np.uint8)
    labels[1:3, 4, 3:6] = 1
    labels[1:3, 3:6, 4] = 2
    return labels


def boxes(y, x, height, width, slices=(1, 2)):
    region = Detection(Window.at(y, x, height, width), 0.9)
    return [Lesion(Plane.AXIAL, dict.fromkeys(slices, region))]


def test_its_own_rectangles_agree(labels):
    for plane in Plane:
        found = agreement(lesions_in(labels, plane), labels, plane)
        assert (found.coverage, found.iou) == (1, 1)
        assert found.volume_share == found.exact_share


def test_counted_by_hand(labels):
    half = agreement(boxes(3, 3, 2, 4), labels, Plane.AXIAL)
    assert half.coverage == pytest.approx(4 / 5)  # all but the lowest arm
    assert half.iou == pytest.approx(6 / 11)  # 2 rows of 4, of which 3 columns
    assert (half.volume_share, half.exact_share) == pytest.approx((16 / 400, 18 / 400))
    one_slice = agreement(boxes(3, 3, 3, 3, slices=(1,)), labels, Plane.AXIAL)
    assert (one_slice.coverage, one_slice.iou) == (0.5, 0.5)


def test_nothing_found_and_everything_found(labels):
    nothing = agreement([], labels, Plane.AXIAL)
    assert (nothing.coverage, nothing.iou, nothing.volume_share) == (0, 0, 0)
    everything = agreement(boxes(0, 0, 10, 10, slices=range(4)), labels, Plane.AXIAL)
    assert (everything.coverage, everything.iou) == (1, pytest.approx(18 / 400))


def test_a_picture_and_an_empty_segmentation():
    picture = np.zeros((10, 10), np.uint8)
    with pytest.raises(ValueError, match="expected a segmentation with a tumour, found none"):
        agreement([], picture, Plane.AXIAL)
    picture[2:4, 2:4] = 1
    assert agreement(boxes(2, 2, 2, 2, slices=(0,)), picture, Plane.AXIAL).iou == 1
