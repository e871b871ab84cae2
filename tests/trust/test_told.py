"""What networks are told of scans, typed or estimated; scans that tell nothing raise nothing."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model
from fakes.trust import head

from napari_metasr.acquisition import acquisition_code
from napari_metasr.acquisition.code import transfer
from napari_metasr.degradations import Reduction, named_reduction
from napari_metasr.trust.assumption import IN_PLANE, SHARPEST_FIRST, Assumption
from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.trust.prover import Prover
from napari_metasr.trust.told import Words, tell, told_of
from napari_metasr.volume import Source, Volume
from napari_metasr.zoom.loading import load_model


def volume(data):
    return Volume(np.asarray(data, np.float32), np.eye(4), (1.0, 1.0, 1.0), Source("head"))


@pytest.mark.parametrize("text", ["auto", "nothing", "k-space", "box,2%", "nothing,0.5%"])
def test_words_are_read_and_written_alike(text):
    assert str(Words.parse(text)) == text


def test_noise_may_lack_its_sign():
    assert Words.parse("box,2") == Words("box", 0.02)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sinc", "an acquisition among auto, nothing, k-space"),
        ("box,9%", "noise of 0% to 5% of the intensity range, found '9%'"),
        ("box,-1%", "found '-1%'"),
        ("box,much", "found 'much'"),
        ("box,nan", "found 'nan'"),
    ],
)
def test_words_that_mean_nothing_are_refused_in_one_line(text, message):
    with pytest.raises(ValueError, match=message) as error:
        Words.parse(text)
    assert "\n" not in str(error.value)


def test_what_is_stated_is_told():
    found = tell(Words.parse("bilinear,2%"), volume([texture(k, (64, 64)) for k in range(6)]))
    reduction = named_reduction("bilinear")
    np.testing.assert_array_equal(found.code, acquisition_code((reduction,) * 2, 0.02))
    assert found.title == "bilinear; noise 2 %"


def test_nothing_is_told_of_nothing():
    found = tell(Words.parse("nothing"), volume([texture(k, (64, 64)) for k in range(6)]))
    assert not found.code.any()
    assert found.title == "nothing"


def test_the_sharpness_of_an_interpolated_axis_is_not_told():
    one, other = named_reduction("k-space"), Reduction("k-space", share=0.7)
    found = told_of(Assumption((one, other), "k-space of 70% of the band"), 0.01)
    assert not found.code.any()
    assert found.title == "nothing (interpolated by the scanner)"


@pytest.mark.parametrize(
    "data",
    [
        np.arange(12.0).reshape(1, 3, 4),
        np.full((5, 40, 40), 7.0),
        np.random.default_rng(0).normal(0, 1, (6, 48, 48)),
        np.full((4, 32, 32), np.nan),
    ],
)
def test_scans_that_show_nothing_are_told_without_complaint(data):
    found = tell(Words(), volume(data))
    assert np.isfinite(found.code).all()
    assert found.title


def test_degradations_are_listed_from_sharp_to_blurry():
    """By what is left of a wave just below the Nyquist frequency."""
    assert set(SHARPEST_FIRST) == set(IN_PLANE)
    left = [transfer(named_reduction(name))[2] for name in SHARPEST_FIRST]
    assert left == sorted(left, reverse=True)


def test_a_proof_tells_the_network_how_the_scan_was_acquired(tmp_path):
    model = load_model(told_model(tmp_path), device="cpu")
    images = {}
    for name in ("k-space", "k-space-hamming"):
        settings = ProofSettings(scales=(1.5,), slices=1, lesion_slices=1, acquisition=name)
        *_, proof = Prover(head(size=64, count=3), model, settings).steps()
        assert proof.acquisition.lines[-1].startswith(f"The network was told: {name}; noise")
        images[name] = proof.examples[0].results["network"]
    assert not np.array_equal(*images.values())
