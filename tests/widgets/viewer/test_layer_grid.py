"""Whether a segmentation's voxels are those of an image."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_metasr.widgets.viewer.layer_grid import has_grid_of, same_grid

SERIES = (4, 10, 12, 14)


@pytest.mark.parametrize(
    ("shape", "scale", "own", "same"),
    [
        (SERIES, (9, 3, 1, 1), True, True),
        (SERIES[1:], (3, 1, 1), True, False),  # one volume, of every time point
        (SERIES[1:], (1, 1, 1), False, False),
        (SERIES[2:], (1, 1), False, False),  # a slice is no volume
        (SERIES[:3], (9, 3, 1), False, False),
    ],
)
def test_labels_lie_on_the_grid_of_a_series_or_of_its_volumes(shape, scale, own, same):
    series, labels = (
        Image(np.zeros(SERIES), scale=(9, 3, 1, 1)),
        Labels(np.zeros(shape, int), scale=scale),
    )
    assert has_grid_of(labels, series) is own
    assert same_grid(labels, series) is same


def test_labels_of_a_flat_image_lie_on_its_grid():
    assert has_grid_of(Labels(np.zeros((5, 6), int)), Image(np.zeros((5, 6))))
