"""The acquisition code against transfer functions that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.acquisition import acquisition_code, slice_code
from napari_metasr.acquisition.code import FREQUENCIES, transfer
from napari_metasr.degradations import Apodisation, Reduction, named_reduction
from napari_metasr.networks.told_meta_srgan import CODE_LENGTH

U = np.array(FREQUENCIES)


def test_a_network_takes_codes_of_this_length():
    assert len(acquisition_code()) == CODE_LENGTH


def test_transfer_functions_are_those_of_the_reductions():
    np.testing.assert_allclose(transfer(named_reduction("box")), np.sinc(U / 2), atol=0.02)
    np.testing.assert_allclose(
        transfer(named_reduction("bilinear")), np.sinc(U / 2) ** 2, atol=0.03
    )
    np.testing.assert_allclose(transfer(named_reduction("k-space")), U < 1, atol=0.01)
    assert transfer(None) == (1, 1, 1, 1)
    weights = Apodisation("hamming").weights(U) * (U < 1)
    np.testing.assert_allclose(transfer(named_reduction("k-space-hamming")), weights, atol=0.02)


def test_more_blur_leaves_less():
    left = [transfer(Reduction("gaussian", fwhm=width)) for width in (0, 0.3, 0.6, 0.9, 1.2)]
    assert (np.diff(left, axis=0) < 0).all()


def test_what_is_not_known_is_zero():
    assert not acquisition_code().any()
    noise_alone = acquisition_code(None, 0.02)
    assert noise_alone[:-2].tolist() == [0] * 9
    assert noise_alone[-2:].tolist() == [1, 1]
    sharpness_alone = acquisition_code((named_reduction("box"), named_reduction("k-space")))
    assert sharpness_alone[-3:].tolist() == [1, 0, 0]
    assert sharpness_alone[:4].tolist() != sharpness_alone[4:8].tolist()


def test_noise_is_told_up_to_what_was_trained_on():
    assert acquisition_code(None, 0.0)[-2:].tolist() == [0, 1]
    assert acquisition_code(None, 0.05).tolist() == acquisition_code(None, 0.5).tolist()
    with pytest.raises(ValueError, match="noise of at least 0"):
        acquisition_code(None, -0.1)


@pytest.mark.parametrize("thickness", [0.5, 1.0, 1.3])
def test_the_code_of_slices_is_the_transfer_of_their_gaussian_profile(thickness):
    """Full width at half maximum t, in spacings: exp(-(pi t u / 2)^2 / (4 ln 2)) at u Nyquist."""
    left = np.exp(-((np.pi * thickness * U / 2) ** 2) / (4 * np.log(2)))
    code = slice_code(thickness, along_rows=True)
    count = len(FREQUENCIES)
    np.testing.assert_allclose((code[:count] + 1) / 2, left, atol=0.02)
    np.testing.assert_array_equal(code[count : 2 * count], 1)  # the other axis is as it was
    turned = slice_code(thickness, along_rows=False)
    np.testing.assert_array_equal(turned[:count], code[count : 2 * count])
    np.testing.assert_array_equal(turned[count : 2 * count], code[:count])
    assert code[-3:].tolist() == turned[-3:].tolist() == [1, 0, 0]  # of noise nothing is told
