"""The largest scale at which a gain holds: the rule, by hand."""

from __future__ import annotations

import math

import pytest

from napari_metasr.quality.trial import Quality
from napari_metasr.trust.own_slices import Compared, mean
from napari_metasr.trust.verdict import Gain, ScaleGain, largest_scale

T_OF_TWO_DEGREES = 4.302653
"""Student's t at 0.975, from a table."""


def compared(network, bicubic, lanczos, ssim=(0.9, 0.8, 0.8)):
    names = ("network", "bicubic", "lanczos")
    quality = {
        name: Quality(psnr, one)
        for name, psnr, one in zip(names, (network, bicubic, lanczos), ssim, strict=True)
    }
    return Compared(0, (2.0, 2.0), quality, dict.fromkeys(names, 0.0))


def test_the_interval_by_hand():
    gain = Gain.over([1.0, 2.0, 3.0])
    half = T_OF_TWO_DEGREES / math.sqrt(3)
    assert (gain.mean, gain.slices) == (2, 3)
    assert gain.low == pytest.approx(2 - half, rel=1e-5)
    assert gain.high == pytest.approx(2 + half, rel=1e-5)
    assert not gain.is_positive


def test_too_few_slices_have_a_mean_and_no_interval():
    gain = Gain.over([1.0, 2.0])
    assert (gain.mean, gain.has_interval, gain.is_positive) == (1.5, False, True)
    assert math.isnan(Gain.over([math.nan]).mean)
    assert not Gain.over([]).is_positive


def test_the_network_is_compared_with_the_better_interpolation_of_each_slice():
    found = ScaleGain.of(2, [compared(30, 29, 28), compared(30, 27, 29.5)])
    assert found.psnr.mean == pytest.approx(0.75)
    assert found.ssim.mean == pytest.approx(0.1)
    assert found.holds


def test_both_measures_must_gain_and_one_that_was_not_measured_does_not_count():
    worse = [compared(30, 29, 29, ssim=(0.7, 0.8, 0.8))] * 3
    assert not ScaleGain.of(2, worse).holds
    unknown = [compared(30, 29, 29, ssim=(math.nan,) * 3)] * 3
    assert ScaleGain.of(2, unknown).holds


def test_the_largest_scale_is_the_last_of_an_unbroken_row():
    def at(scale, low):
        return ScaleGain(scale, Gain(low + 1, low, low + 2, 9), Gain(0.1, 0.05, 0.15, 9))

    gains = [at(4, 0.5), at(1.5, 1.0), at(3, -0.1), at(2, 0.2)]
    assert largest_scale(gains).scale == 2
    assert largest_scale([at(2, -1), at(3, 1)]) is None


def test_means_pass_over_what_is_not_finite():
    slices = [compared(30, 29, 28), compared(math.inf, 29, 28)]
    assert mean(slices, lambda one: one.quality["network"].psnr) == 30
