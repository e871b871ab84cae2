"""Layers that hold regions to keep the network to."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets.upscaling.masks import holds_regions, mask_maker


@pytest.fixture
def image(phantom_volume):
    data, keywords, _ = layer_data(phantom_volume)
    return Image(data, **keywords)


def test_labels_on_the_image_s_grid_hold_regions(image, phantom_volume):
    data = (phantom_volume.data > 800).astype(np.uint8) * 3
    place = {"scale": image.scale, "translate": image.translate}
    labels = Labels(data, **place)
    assert holds_regions(labels, image)
    assert not holds_regions(labels, None)
    assert not holds_regions(Labels(data), image)
    assert not holds_regions(image, image)
    np.testing.assert_array_equal(mask_maker(labels, image)(), data > 0)


def test_labels_of_a_series_hold_what_is_labelled_at_any_time():
    image = Image(np.zeros((3, 4, 5, 6)))
    data = np.zeros((3, 4, 5, 6), int)
    data[0, 1, 1, 1] = data[2, 2, 2, 2] = 1
    found = mask_maker(Labels(data), image)()
    assert found.shape == (4, 5, 6)
    assert set(zip(*np.nonzero(found), strict=True)) == {(1, 1, 1), (2, 2, 2)}


def test_labels_of_one_volume_hold_regions_of_a_series():
    image = Image(np.zeros((3, 4, 5, 6)), scale=(9, 3, 1, 1))
    data = np.zeros((4, 5, 6), int)
    data[1, 1, 1] = 1
    labels = Labels(data, scale=(3, 1, 1))
    assert holds_regions(labels, image)
    np.testing.assert_array_equal(mask_maker(labels, image)(), data)
    assert not holds_regions(Labels(data), image)
    assert not holds_regions(Labels(data[0]), image)


def test_boxes_that_were_found_hold_regions(image):
    corners = np.array([(4, 5.5, 6.5), (4, 5.5, 9.5), (4, 8.5, 9.5), (4, 8.5, 6.5)])
    boxes = Shapes(
        [corners, corners + np.array([1, 0, 0])],
        shape_type="rectangle",
        features={"lesion": [1, 1]},
        scale=image.scale,
        translate=image.translate,
    )
    assert holds_regions(boxes, image)
    assert not holds_regions(Shapes([corners], shape_type="rectangle"), image)
    found = mask_maker(boxes, image)()
    expected = np.zeros(image.data.shape, bool)
    expected[4:6, 6:9, 7:10] = True
    np.testing.assert_array_equal(found, expected)


def test_a_layer_without_lesions_is_named(image):
    empty = Labels(np.zeros(image.data.shape, int), name="nothing")
    with pytest.raises(ValueError, match="expected lesions in “nothing”, found none"):
        mask_maker(empty, image)()
