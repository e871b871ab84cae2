"""Each option of the pairs against a known answer; without them pairs are drawn as ever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes.training import PAIRS, disc, slices

from metasr_training.datasets.acquired import acquired
from metasr_training.datasets.acquisitions import AcquisitionFamily, InputNoise
from metasr_training.datasets.masked import masked
from metasr_training.datasets.pairs import PairSampler
from metasr_training.datasets.slices import Slice
from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import Reduction, blurred_box_matrix

WHOLE = PAIRS.model_copy(update={"patch": 64, "context": 0, "batch": 4, "windows": "head"})
"""Patches of the whole canvas."""


def drawn(pairs, update=1, found=None, **changes):
    return PairSampler(found or slices(), pairs.model_copy(update=changes)).draw(update)


def test_pairs_are_drawn_as_ever_without_the_options():
    """Sums of batches as they were before there were any."""
    pairs = PAIRS.model_copy(
        update={
            "axes": "mixed",
            "scales": (1.3, 2.0, 3.1),
            "degradations": {"bicubic": 1, "bilinear": 1, "box": 0.6, "k-space": 1.6},
        }
    )
    sampler = PairSampler(slices(), pairs)
    for update, (low, high) in EVER.items():
        batch = sampler.draw(update)
        assert float(batch.low_resolution.sum()) == pytest.approx(low, rel=1e-5)
        assert float(batch.truth.sum()) == pytest.approx(high, rel=1e-5)


EVER = {0: (245.586, 806.93), 3: (424.825, 733.279), 11: (1076.374, 718.594)}


def test_truths_are_cropped_to_the_acquired_band():
    image, mask = disc(1, (64, 64))
    stored = np.kron(image, np.ones((1, 2), np.uint8))  # 64 x 128
    one = Slice(stored, (0.0, 200.0), "disc", "p", "p", np.kron(mask, np.ones((1, 2), bool)))
    assert acquired(one) is one
    found = acquired(replace(one, band=(1.0, 0.5)))
    assert found.image.shape == found.mask.shape == (64, 64)
    assert found.band == (1.0, 1.0)
    np.testing.assert_array_equal(found.mask, mask)
    assert np.abs(found.image - image).mean() < 6  # of 255; ringing at the disc's edge
    (canvas,) = PairSampler(
        [replace(one, band=(1.0, 0.5))], PAIRS.model_copy(update={"truths": "acquired"})
    ).canvases
    np.testing.assert_allclose(canvas.image, found.image / 200, atol=2e-3)


def test_a_mask_is_cut_after_the_reduction():
    """Inside it a low-resolution pixel is the mean of tissue alone, whatever lies beyond."""
    image = np.zeros((64, 64), np.uint8)
    image[12:49, 15:52] = 150  # an odd number of pixels: the mask's edge falls inside a wider pixel
    one = Slice(image, (0.0, 150.0), "disc", "p", "p")
    changes = {"degradations": {"box": 1.0}, "batch": 4}
    plain = drawn(WHOLE, found=[one], **changes)
    cut = drawn(WHOLE, found=[one], masked=1.0, **changes)
    assert len(plain.low_resolution.unique()) > 2  # blurred along the edge
    assert set(cut.low_resolution.unique().tolist()) == {0.0, 1.0}
    assert set(cut.truth.unique().tolist()) == {0.0, 1.0}
    for low, high in zip(cut.low_resolution[:, 0], cut.truth[:, 0], strict=True):
        share = torch.nn.functional.avg_pool2d(high[None, None], 2)[0, 0]
        assert torch.equal(low > 0, share >= 0.5)


def test_tissue_beyond_the_mask_of_a_head_is_its_own():
    y, x = np.mgrid[-1:1:84j, -1:1:84j]
    radius = np.hypot(y, x)
    head = np.interp(radius, [0, 0.6, 0.65, 0.72, 0.78, 0.9], [0.5, 0.6, 0.1, 0.1, 0.9, 0.0])
    found = masked(head.astype(np.float32))
    assert found.tissue.max() == pytest.approx(0.9, abs=0.02)
    assert 0.5 < found.brightest < 0.65  # the bright scalp is gone
    assert not found.mask[radius > 0.75].any()
    assert found.mask[radius < 0.55].all()
    assert masked(np.zeros((40, 40), np.float32)) is None


def test_the_share_of_masked_patches():
    pairs = WHOLE.model_copy(update={"batch": 100, "masked": 0.3, "patches_per_image": 50})
    image = np.zeros((64, 64), np.uint8)
    image[12:49, 15:52] = 150
    batch = drawn(pairs, found=[Slice(image, (0.0, 150.0), "disc", "p", "p")])
    cut = [len(one.unique()) == 2 for one in batch.low_resolution]
    assert 0.15 < np.mean(cut) < 0.45


@pytest.mark.parametrize("rician", [0.0, 1.0])
def test_noise_is_of_the_input_alone_and_as_large_as_it_says(rician):
    noise = InputNoise(share=1.0, largest=0.04, rician=rician)
    clean = [drawn(WHOLE, update) for update in range(12)]
    noisy = [drawn(WHOLE, update, varied_noise=noise) for update in range(12)]
    spreads = []
    for one, other in zip(clean, noisy, strict=True):
        assert torch.equal(one.truth, other.truth)
        bright = one.low_resolution > 0.4
        difference = other.low_resolution - one.low_resolution
        spreads += [difference[k][bright[k]].std() for k in range(4)]
    assert max(spreads) < 0.045
    assert min(spreads) < 0.01
    assert np.mean(spreads) == pytest.approx(0.02, abs=0.005)
    smallest = min(float(one.low_resolution.min()) for one in noisy)
    assert (smallest < -0.01) == (rician == 0)


def test_the_share_of_noisy_patches():
    pairs = WHOLE.model_copy(update={"batch": 100, "patches_per_image": 50})
    noise = InputNoise(share=0.3)
    difference = (
        drawn(pairs, varied_noise=noise).low_resolution - drawn(pairs).low_resolution
    ).abs()
    assert 0.15 < float((difference.amax((1, 2, 3)) > 1e-5).float().mean()) < 0.45


def test_what_a_batch_went_through_is_known_for_each_axis():
    family = AcquisitionFamily(together=0.0)
    image = np.full((64, 64), 100, np.uint8)
    image[20:40, 30:44] = 180
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    pairs = WHOLE.model_copy(update={"family": family, "batch": 1})
    apart = 0
    for update in range(20):
        batch = drawn(pairs, update, [one])
        rows, columns = batch.reductions
        apart += rows != columns
        truth = batch.truth[0, 0].numpy().astype(float)
        expected = np.real(rows.matrix(64, 32) @ truth @ columns.matrix(64, 32).T)
        np.testing.assert_allclose(batch.low_resolution[0, 0], expected, atol=1e-4)
    assert apart > 15


def test_a_family_draws_its_members_as_often_as_it_says():
    family = AcquisitionFamily(shares={"gaussian": 3, "hamming": 1}, largest_blur=1.2, together=1)
    rng = np.random.default_rng(0)
    found = [family.draw(rng) for _ in range(400)]
    assert all(rows == columns for rows, columns in found)
    blurs = [rows.fwhm for rows, _ in found if rows.method == "gaussian"]
    assert len(blurs) / 400 == pytest.approx(0.75, abs=0.07)
    assert max(blurs) <= 1.2
    assert np.mean(blurs) == pytest.approx(0.6, abs=0.07)
    amounts = [rows.apodisation.amount for rows, _ in found if rows.method == "k-space"]
    assert np.mean(amounts) == pytest.approx(0.5, abs=0.1)
    with pytest.raises(ValueError, match="expected shares of at least 0"):
        AcquisitionFamily(shares={"box": 0})


def test_a_gaussian_without_blur_is_the_mean_over_the_area():
    np.testing.assert_array_equal(
        Reduction("gaussian").matrix(12, 5), blurred_box_matrix(12, 5, 0.0)
    )


def told_pairs(**changes):
    return WHOLE.model_copy(
        update={
            "family": AcquisitionFamily(),
            "masked": 0.5,
            "varied_noise": InputNoise(share=1.0),
            "told": 0.7,
            **changes,
        }
    )


def test_a_batch_is_told_what_it_went_through():
    sampler = PairSampler(slices(), told_pairs(axes="mixed", scales=(1.5, 2.0)))
    told = []
    for update in range(120):
        batch = sampler.draw(update)
        code = batch.code.numpy()
        assert code.shape == (4, 11)
        known, noise_known = code[0, 8] == 1, code[0, 10] == 1
        told.append((known, noise_known))
        if known:
            axes = zip(batch.reductions, (batch.grid.rows, batch.grid.columns), strict=True)
            went = tuple(None if axis.scale == 1 else one for one, axis in axes)
            np.testing.assert_array_equal(code[0, :9], acquisition_code(went)[:9])
        else:
            assert not code[:, :9].any()
        assert noise_known or not code[:, 9:].any()
        assert not noise_known or len(set(code[:, 9])) == 4
    assert np.mean([not any(one) for one in told]) == pytest.approx(0.3, abs=0.12)
    assert {(True, True), (True, False), (False, True)} <= set(told)


def test_batches_that_nothing_is_told_of_may_have_degradations_of_their_own():
    sampler = PairSampler(slices(), told_pairs(untold={"bilinear": 1.0}))
    plain = [one for one in map(sampler.draw, range(40)) if not one.code.any()]
    assert len(plain) > 4
    for batch in plain:
        assert [one.method for one in batch.reductions] == ["bilinear", "bilinear"]
    clean = drawn(WHOLE, degradations={"bilinear": 1.0}).low_resolution
    assert min(float(one.low_resolution.min()) for one in plain) >= float(clean.min()) - 1e-6


def test_without_the_option_nothing_is_told():
    assert drawn(WHOLE).code is None
