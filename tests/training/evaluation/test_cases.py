"""A slice under a condition: what methods are given, and where they are compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes.evaluation import FakeFinder, FakeNetwork, bench, experiment
from fakes.training import disc, slices

from metasr_training.condition import Condition
from metasr_training.datasets.eight_bits import eight_bit_range, eight_bits
from metasr_training.datasets.slices import Slice
from metasr_training.datasets.windows import mask_box
from metasr_training.evaluation.cases import (
    RegionOptions,
    degrade_slice,
    make_case,
    reduced_grid,
    whole_pixels,
)
from metasr_training.evaluation.contestants import Contestant, baseline, contestants
from metasr_training.evaluation.every_scale import evaluate_every_scale
from metasr_training.evaluation.methods import interpolation
from metasr_training.evaluation.scores import measure, upscaled
from metasr_training.evaluation.stacks import THICK, thinned
from metasr_training.evaluation.zoom import score_slice, zoom_conditions
from napari_metasr.degradations import degrade
from napari_metasr.quality.metrics import brain_box

SMALL = RegionOptions(roi_size=24, crop_size=(32, 32))
BICUBIC = [Contestant("bicubic", baseline("bicubic"), is_reference=True)]
X2, X4 = Condition(scale=2), Condition(scale=4)


@pytest.fixture
def one():
    image, mask = disc(3, (67, 54))
    return Slice(image, (0.0, 200.0), "disc", "3", "3", mask)


def test_slices_are_cut_to_whole_low_resolution_pixels(one):
    cut = whole_pixels(one, 4)
    assert cut.image.shape == cut.mask.shape == (64, 52)
    assert np.array_equal(cut.image, one.image[:64, :52])
    assert whole_pixels(one, 2.5).image.shape == (67, 54)


def test_deeper_images_are_brought_to_eight_bits_by_their_volumes_limits():
    image = np.array([[-100, 0], [500, 1200]], np.int16)
    deep = Slice(image, (0.0, 1000.0), "a", "b", "c")
    assert np.allclose(eight_bits(deep), [[0, 0], [127.5, 255]])
    shallow = Slice(np.array([[0, 255]], np.uint8), (10.0, 100.0), "a", "b", "c")
    assert np.array_equal(eight_bits(shallow), [[0, 255]])


def test_the_window_of_interest_lies_on_the_low_resolution_grid_around_the_tumour(one):
    for condition in (X2, X4):
        case = make_case(one, condition, "roi", SMALL)
        top, left, bottom, right = case.regions["roi"]
        step = int(condition.scale)
        assert (bottom - top, right - left) == (24, 24)
        assert top % step == left % step == 0
        box = mask_box(case.slice.mask)
        for low, high, first, last in ((top, bottom, *box[::2]), (left, right, *box[1::2])):
            assert abs((low + high) / 2 - (first + last) / 2) <= step / 2
        assert list(case.regions) == ["roi", "slice"]
        assert case.low_resolution.shape == tuple(n // step for n in case.truth.shape)


def test_without_a_tumour_there_is_no_window(one):
    healthy = replace(one, mask=np.zeros_like(one.mask))
    assert make_case(healthy, X2, "roi", SMALL) is None
    assert make_case(healthy, X2, "slice", SMALL) is not None
    unmasked = replace(one, mask=None)
    assert make_case(unmasked, X2, "roi", SMALL) is not None


def test_the_detectors_box_is_taken_to_the_truths_pixels(one, tmp_path):
    options = SMALL.model_copy(update={"roi": "detector"})
    wanted = experiment(region="roi")
    detect = bench(tmp_path, wanted, finder=lambda: FakeFinder((0, 0, 0.5, 0.5))).detect(options)
    case = make_case(one, X2, "roi", options, detect)
    # the box is 33 x 27 pixels of 66 x 54, its middle (16.5, 13.5); edges are even
    assert case.regions["roi"] == (4, 2, 28, 26)
    with pytest.raises(ValueError, match="expected a lesion detector"):
        make_case(one, X2, "roi", options, None)
    assert bench(tmp_path, wanted).detect(SMALL) is None
    unsure = bench(tmp_path, wanted, finder=lambda: FakeFinder(score=0.2)).detect(options)
    brain = SMALL.model_copy(update={"roi": "box"})
    assert (
        make_case(one, X2, "roi", options, unsure).regions
        == make_case(one, X2, "roi", brain).regions
    )


def deep(one, intensity_range=(0.0, 2000.0)):
    """The same slice as a scanner stores it, in a volume that is brighter elsewhere."""
    return replace(one, image=one.image.astype(np.int16) * 8, intensity_range=intensity_range)


@pytest.mark.parametrize("condition", [X2, Condition(scale=2, noise=40)])
def test_networks_are_told_the_volumes_limits_however_dim_or_noisy_the_slice(one, condition):
    network = FakeNetwork("any")
    methods = contestants(experiment(), condition, lambda _: network)
    for each, expected in ((one, (0.0, 200.0)), (deep(one), (0.0, 255.0))):
        network.intensities.clear()
        for case in (make_case(each, condition, "slice", SMALL), thinned(each, 2, THICK)):
            outputs = dict(upscaled(case, methods))
            assert all(output.min() >= 0 and output.max() <= 255 for output in outputs.values())
        assert network.intensities == [expected] * 4


def test_what_networks_see_is_what_they_were_trained_on(one):
    for each in (one, deep(one), deep(one, (100.0, 900.0))):
        low, high = eight_bit_range(each)
        seen = (eight_bits(each) - low) / (high - low)
        inside = (each.normalised >= 0) & (each.normalised <= 1)
        assert np.allclose(seen[inside], each.normalised[inside], atol=1e-6)


def test_the_detector_is_told_the_volumes_limits(one, tmp_path):
    options = SMALL.model_copy(update={"roi": "detector"})
    finder = FakeFinder((0, 0, 0.5, 0.5))
    detect = bench(tmp_path, experiment(region="roi"), finder=lambda: finder).detect(options)
    make_case(deep(one), X2, "roi", options, detect)
    assert finder.intensities == [(0.0, 255.0)]


def test_at_every_scale_too_networks_are_told_the_volumes_limits(one, tmp_path):
    networks = {}
    wanted = experiment("zoom", options={"degradations": ("box",)})
    evaluate_every_scale(bench(tmp_path, wanted, networks, slices=(one, deep(one))))
    for network in networks.values():
        assert network.intensities == [(0.0, 200.0), (0.0, 255.0)]


def test_the_whole_range_of_a_volume_is_not_eight_bits_until_it_is_brought_to_them(one):
    conditions = zoom_conditions([2], ["box"])
    image = one.image.astype(np.float32)
    as_stored = replace(one, image=image * 100, intensity_range=(0.0, 25500.0))
    shallow = next(score_slice(one, BICUBIC, conditions))
    found = next(score_slice(as_stored, BICUBIC, conditions))
    assert found.psnr == pytest.approx(shallow.psnr, abs=1e-3)


def test_noise_depends_on_the_slice_and_on_nothing_else(one):
    noisy = Condition(scale=2, noise=20)
    _, truth, low, grid = degrade_slice(one, noisy)
    again = degrade_slice(one, noisy)[2]
    other = degrade_slice(replace(one, name="other"), noisy)[2]
    assert np.array_equal(low, again)
    assert not np.array_equal(low, other)
    clean = degrade(truth, grid.input_shape, "bicubic")
    bright = clean > 100
    assert np.std((low - clean)[bright]) == pytest.approx(20, rel=0.15)


def test_a_case_is_compared_in_every_region(one):
    case = make_case(one, X2, "crop", SMALL)
    output = case.truth.copy()
    top, left, bottom, right = case.regions["crop"]
    output[top:bottom, left:right] += 10
    found = {score.region: score for score in measure(case, "m", output)}
    assert found["crop"].psnr == pytest.approx(10 * np.log10(255**2 / 100))
    share = (bottom - top) * (right - left) / case.truth.size
    assert found["slice"].psnr == pytest.approx(10 * np.log10(255**2 / (100 * share)))


def test_a_region_of_one_intensity_is_left_out():
    flat = Slice(np.full((40, 40), 7, np.uint8), (0.0, 200.0), "a", "b", "c")
    assert make_case(flat, X2, "slice", SMALL) is None


def test_scores_at_any_scale_are_of_the_slice_reduced_and_upscaled():
    (one,) = slices(1)
    score, _ = score_slice(one, BICUBIC, zoom_conditions([2.5], ["box"]))
    truth = one.image.astype(np.float64)
    grid = reduced_grid(one.image.shape, 2.5)
    low = degrade(truth, grid.input_shape, "box")
    output = interpolation("bicubic")(low, (grid.rows.scale, grid.columns.scale))
    expected = 10 * np.log10(255**2 / np.mean((output - truth) ** 2))
    assert score.psnr == pytest.approx(expected, abs=1e-6)


def test_without_masks_and_detector_the_window_is_on_the_brain(one):
    options = SMALL.model_copy(update={"roi": "box"})
    top, left, bottom, right = make_case(one, X2, "roi", options).regions["roi"]
    low, high = brain_box(eight_bits(one))[::2]
    assert abs((top + bottom) / 2 - (low + high) / 2) <= 2
    low, high = brain_box(eight_bits(one))[1::2]
    assert abs((left + right) / 2 - (low + high) / 2) <= 2


def test_a_projected_method_is_compared_twice_and_reduces_to_its_input():
    """Of an acquisition that is told, the projection can only come nearer to the truth."""
    (one,) = slices(1)
    conditions = zoom_conditions([2.0], ["bilinear"])
    found = {
        score.method: score
        for score in score_slice(one, BICUBIC, conditions, {"bicubic"})
        if score.region == "slice"
    }
    assert list(found) == ["bicubic", "bicubic, consistent"]
    assert found["bicubic, consistent"].psnr > found["bicubic"].psnr
