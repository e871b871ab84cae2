"""Where patches come from: crops, boxes and regions of interest; and their statistics."""

from __future__ import annotations

import numpy as np
import pytest

from metasr_training.datasets.slices import Slice
from metasr_training.datasets.statistics import crop_statistics, mean_and_std
from metasr_training.datasets.windows import (
    PUBLISHED_CROP,
    mask_box,
    maximal_information_crop,
    roi_window,
)
from napari_metasr.geometry.windows import Window


def brute_force(image, size):
    """The largest sum over all windows, and where, by looking at each."""
    height, width = (min(size, length) for length in image.shape)
    sums = {
        (top, left): image[top : top + height, left : left + width].sum()
        for top in range(image.shape[0] - height + 1)
        for left in range(image.shape[1] - width + 1)
    }
    return max(sums, key=sums.get), max(sums.values())


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize(
    ("shape", "size"), [((17, 23), 6), ((9, 30), 12), ((8, 8), 8), ((5, 6), 1)]
)
def test_the_crop_has_the_largest_sum(rng, dtype, shape, size):
    image = rng.integers(0, 255, shape).astype(dtype)
    if dtype == np.int16:
        image -= 100
    (top, left), largest = brute_force(image.astype(np.float64), size)
    found = maximal_information_crop(image, (size, size))
    assert image[found[0] : found[2], found[1] : found[3]].sum(dtype=np.float64) == largest
    if size > 1:
        assert found == (top, left, top + min(size, shape[0]), left + min(size, shape[1]))


def test_of_equal_windows_the_most_central_is_taken():
    image = np.zeros((40, 50), np.uint8)
    image[18:22, 24:26] = 9
    assert maximal_information_crop(image, (10, 10)) == (15, 20, 25, 30)
    assert maximal_information_crop(np.zeros((7, 7)), (4, 4)) == (1, 1, 5, 5)
    # a third is not exact: rounding does not decide between windows
    third = np.full((30, 30), 1 / 3, np.float32)
    assert maximal_information_crop(third, (10, 10)) == (10, 10, 20, 20)


def test_a_crop_need_not_be_square():
    image = np.zeros((240, 240), np.uint8)
    image[40:210, 30:190] = 9
    top, left, bottom, right = maximal_information_crop(image, PUBLISHED_CROP)
    assert (bottom - top, right - left) == (180, 170)
    assert image[top:bottom, left:right].sum() == image.sum()
    assert pytest.approx(0.53, abs=0.005) == 180 * 170 / 240**2
    assert maximal_information_crop(image[:100, :300], PUBLISHED_CROP)[2] == 100


def test_crops_of_nothing_are_refused():
    with pytest.raises(ValueError, match=r"found shape \(4, 4\) and \(0, 4\)"):
        maximal_information_crop(np.ones((4, 4)), (0, 4))
    with pytest.raises(ValueError, match="expected a 2-D image"):
        maximal_information_crop(np.ones((4, 4, 3)), (2, 2))


def test_the_box_of_a_mask_is_tight():
    mask = np.zeros((12, 15), bool)
    assert mask_box(mask) is None
    mask[3, 7] = mask[8, 5] = True
    assert mask_box(mask) == (3, 5, 9, 8)
    assert mask_box(np.ones((4, 6), bool)) == (0, 0, 4, 6)


def test_a_region_of_interest_is_centred_on_the_grid_and_in_the_slice(rng):
    shape = (180, 190)
    for _ in range(300):
        step = int(rng.choice([1, 2, 4]))
        top, left = rng.uniform(-5, 170, 2)
        box = Window(top, left, top + rng.uniform(1, 60), left + rng.uniform(1, 60))
        found = roi_window(box, 96, shape, step)
        assert found[2] - found[0] == found[3] - found[1] == 96
        assert not np.any(np.mod(found, step))
        for axis in (0, 1):
            first, centre = found[axis], (box[axis] + box[axis + 2]) / 2
            assert 0 <= first <= shape[axis] - 96
            wanted = np.clip(centre - 48, 0, (shape[axis] - 96) // step * step)
            assert abs(first - wanted) <= step / 2


def test_a_region_of_interest_in_a_small_slice():
    assert roi_window(Window(0, 0, 9, 9), 96, (64, 200), 4) == (0, 0, 64, 96)
    # whole low-resolution pixels only
    assert roi_window(Window(0, 100, 9, 120), 96, (90, 120), 4) == (0, 24, 88, 120)
    assert roi_window(Window(10, 20, 30, 50), 16, (64, 64), 4) == (12, 28, 28, 44)


def test_regions_that_do_not_fit_the_grid_are_refused():
    with pytest.raises(ValueError, match="multiple of the step 4, found 30"):
        roi_window(Window(0, 0, 4, 4), 30, (64, 64), 4)
    with pytest.raises(ValueError, match="at least 4 pixels"):
        roi_window(Window(0, 0, 4, 4), 32, (3, 64), 4)


def test_mean_and_deviation_of_all_pixels_in_one_pass(rng):
    images = [rng.normal(1e4 + k, 0.1 + k, (k + 1, 7)).astype(np.float64) for k in range(6)]
    every = np.concatenate([image.ravel() for image in images])
    mean, std = mean_and_std(iter(images))
    assert mean == pytest.approx(every.mean(), rel=1e-12)
    assert std == pytest.approx(every.std(), rel=1e-12)
    assert mean_and_std([np.zeros((0, 3)), np.array([[1.0, 3.0]])]) == (2.0, 1.0)


def test_statistics_of_nothing_or_of_missing_values_are_refused():
    with pytest.raises(ValueError, match="at least one pixel"):
        mean_and_std([])
    with pytest.raises(ValueError, match="finite"):
        mean_and_std([np.array([[1.0, np.nan]])])


def test_statistics_are_of_the_normalised_crops():
    image = np.zeros((20, 20), np.uint8)
    image[5:9, 5:9] = np.arange(16).reshape(4, 4) + 10
    one = Slice(image, (10.0, 20.0), "a", "b", "c")
    mean, std = crop_statistics([one, one], (4, 4))
    assert mean == pytest.approx(0.75)
    assert std == pytest.approx(np.arange(16).std() / 10)
