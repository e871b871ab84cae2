"""What is counted as added to a native slice: known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.quality.artefacts import count_artefacts, head_of

SHAPE = (40, 40)
GRID = OutputGrid.at_scale(SHAPE, 3)


@pytest.fixture
def brain(rng):
    y, x = np.indices(SHAPE)
    tissue = 100 + 5 * rng.random(SHAPE)
    return np.where(np.hypot(y - 20, x - 20) < 14, tissue, 0).astype(np.float32)


def larger(image):
    return np.repeat(np.repeat(image, 3, axis=0), 3, axis=1)


def counted(result, image):
    return count_artefacts(result, image, GRID, head_of(image), 100.0)


def test_pixels_repeated_add_nothing(brain):
    found = counted(larger(brain), brain).artefacts
    assert (found.rim, found.inside, found.over, found.under) == (0, 0, 0, 0)
    assert found.residual == pytest.approx(0, abs=1e-6)


def test_a_rim_is_counted_at_the_edge_and_a_dot_inside(brain):
    head = head_of(brain)
    deep = ndimage.binary_erosion(head, iterations=2)
    result = larger(brain)
    y, x = np.argwhere(head & ~deep)[0]
    result[3 * y, 3 * x] = 116  # 105 + 10 is the most that is no rim
    result[60, 60] = 116
    result[63, 63] = 108  # beyond the local range, and no rim
    result[66, 66] = 90
    found = counted(result, brain)
    assert (found.rim, found.inside_rim, found.over, found.under) == (1, 1, 2, 1)
    assert found.edge == 9 * (head & ~deep).sum()
    assert found.inside == 9 * deep.sum()


def test_what_is_averaged_back_is_compared_with_the_native_pixels(brain):
    found = counted(larger(brain) + 3, brain).artefacts
    assert found.residual == pytest.approx(0.03, rel=1e-4)


def test_texture_is_relative_to_the_native_one(brain):
    rough, smooth = (
        counted(larger(100 + factor * (brain - 100)) * larger(brain > 0), brain).artefacts.texture
        for factor in (2, 1)
    )
    assert rough == pytest.approx(2 * smooth, rel=0.05)


def test_counts_of_slices_are_added(brain):
    one = counted(larger(brain) + 3, brain)
    assert (one + one).artefacts == one.artefacts
    assert (one + one).edge == 2 * one.edge


def test_a_head_in_noisy_air_is_its_bright_part(rng):
    air = rng.random(SHAPE)
    y, x = np.indices(SHAPE)
    disc = np.hypot(y - 20, x - 20) < 10
    hollow = disc & ~(np.hypot(y - 20, x - 20) < 3)
    assert np.array_equal(head_of(np.where(hollow, 100, air).astype(np.float32)), disc)


def test_what_does_not_fit_is_refused(brain):
    with pytest.raises(ValueError, match="upscaled to"):
        counted(brain, brain)
    with pytest.raises(ValueError, match="positive"):
        count_artefacts(larger(brain), brain, GRID, brain > 0, 0)
