"""What networks are told of their batches, rightly and wrongly."""

from __future__ import annotations

import numpy as np
import pytest

from metasr_training.datasets.telling import CodeError, Told, codes
from napari_metasr.acquisition.code import FREQUENCIES, LARGEST_NOISE, NOISE_UNIT, acquisition_code
from napari_metasr.degradations.reduction import Reduction

BOTH = Told(acquisition=True, noise=True)
BICUBIC = Reduction("bicubic")


def draws(count):
    return [np.random.default_rng(seed) for seed in range(count)]


def test_true_codes_are_those_of_the_acquisition():
    told = codes((BICUBIC, None), [0.01, 0.0], BOTH, None, draws(2)).numpy()
    np.testing.assert_array_equal(told[0], acquisition_code((BICUBIC, None), 0.01))
    np.testing.assert_array_equal(told[1], acquisition_code((BICUBIC, None), 0.0))


def test_no_share_of_errors_leaves_codes_as_they_are():
    right = codes((BICUBIC, BICUBIC), [0.01] * 5, BOTH, CodeError(share=0), draws(5))
    assert right.equal(codes((BICUBIC, BICUBIC), [0.01] * 5, BOTH, None, draws(5)))


def test_a_wrong_transfer_is_off_by_a_gaussian_blur():
    error = CodeError(share=1, blur=0.2, noise=0)
    true = (acquisition_code((BICUBIC, BICUBIC), 0.0)[:-3].reshape(2, -1) + 1) / 2
    told = codes((BICUBIC, BICUBIC), [0.0] * 400, BOTH, error, draws(400)).numpy()
    seen = (told[:, :-3].reshape(400, 2, -1) + 1) / 2
    blur = -np.log(seen / true) / np.square(FREQUENCIES)
    np.testing.assert_allclose(blur, blur[..., :1].repeat(len(FREQUENCIES), -1), atol=1e-3)
    assert blur[..., 0].std() == pytest.approx(0.2, rel=0.1)
    assert abs(blur[..., 0].mean()) < 0.03


def test_wrong_noise_stays_within_what_can_be_told():
    error = CodeError(share=1, blur=0, noise=0.02)
    told = codes((BICUBIC, BICUBIC), [0.0, LARGEST_NOISE] * 100, BOTH, error, draws(200)).numpy()
    assert told[:, -2].min() == 0
    assert told[:, -2].max() == np.float32(LARGEST_NOISE / NOISE_UNIT)
    assert len(np.unique(told[:, -2])) > 90


@pytest.mark.parametrize("told", [Told(False, True), Told(True, False), Told(False, False)])
def test_what_is_not_told_is_not_told_wrongly_either(told):
    [code] = codes((BICUBIC, BICUBIC), [0.01], told, CodeError(share=1), draws(1)).numpy()
    assert code[-3] == told.acquisition
    assert code[-1] == told.noise
    assert told.acquisition or not code[:-3].any()
    assert told.noise or code[-2] == 0
