"""What networks are told of scans, typed or estimated; scans that tell nothing raise nothing."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model
from fakes.trust import head

from napari_metasr.acquisition import Acquisition, acquisition_code
from napari_metasr.acquisition.code import transfer
from napari_metasr.acquisition.description import AxisAcquisition, NoiseLevel
from napari_metasr.degradations import named_reduction
from napari_metasr.trust.assumption import IN_PLANE, SHARPEST_FIRST
from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.trust.prover import Prover
from napari_metasr.trust.told import Words, tell, tell_of
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
    assert found.title == "bilinear; noise 2%"


def test_nothing_is_told_of_nothing():
    found = tell(Words.parse("nothing"), volume([texture(k, (64, 64)) for k in range(6)]))
    assert not found.code.any()
    assert found.title == "nothing"


def axis(blur, acquired=100):
    return AxisAcquisition(
        direction="rows", stored=100, spacing=1.0, acquired=acquired, told_by="spectrum", blur=blur
    )


def found(rows, columns, noise=None):
    return Acquisition(rows=rows, columns=columns, noise=noise)


def noise(told_by, share=0.01):
    return NoiseLevel(sigma=100 * share, share=share, told_by=told_by)


@pytest.mark.parametrize(
    ("blurs", "name"),
    [
        ((1.3, 1.5), "gaussian"),
        ((1.0, 2.1), "gaussian"),
        ((1.5, 1.8), "k-space-hamming"),
    ],
)
def test_a_clear_blur_is_told(blurs, name):
    told = tell_of(Words(), found(*map(axis, blurs), noise("tissue")))
    np.testing.assert_array_equal(told.code, acquisition_code((named_reduction(name),) * 2, 0.01))
    assert told.title == f"{name}, estimated; noise 1%, estimated"


@pytest.mark.parametrize("blurs", [(0.0, 0.0), (1.39, 1.39), (0.2, 2.5)])
def test_what_may_be_sharp_is_not_told_to_be_blurred(blurs):
    told = tell_of(Words(), found(*map(axis, blurs), noise("tissue")))
    assert not told.code.any()
    assert (told.title, told.noise) == ("nothing (not clearly blurred)", None)


def test_noise_measured_in_the_air_is_told_without_a_blur():
    told = tell_of(Words(), found(axis(0.5), axis(0.5), noise("air")))
    np.testing.assert_array_equal(told.code, acquisition_code(None, 0.01))
    assert told.title == "nothing (not clearly blurred); noise 1%, estimated"


@pytest.mark.parametrize("rows", [axis(None), axis(2.0, acquired=None)])
def test_an_axis_that_shows_nothing_is_told_nothing_of(rows):
    assert tell_of(Words(), found(rows, axis(2.0))).title == "nothing"


@pytest.mark.parametrize("level", ["air", "tissue"])
def test_nothing_is_told_of_an_axis_that_the_scanner_interpolated(level):
    told = tell_of(Words(), found(axis(2.0), axis(2.0, acquired=70), noise(level)))
    assert not told.code.any()
    assert told.title == "nothing (interpolated by the scanner)"


@pytest.mark.parametrize("name", ["auto", "nothing"])
def test_stated_noise_is_told_whatever_else_is(name):
    told = tell_of(Words(name, 0.03), found(axis(0.0), axis(0.0), noise("air")))
    np.testing.assert_array_equal(told.code, acquisition_code(None, 0.03))
    assert told.title.endswith("; noise 3%")


def test_no_noise_is_told_where_nothing_is_to_be_told():
    assert not tell_of(Words("nothing"), found(axis(2.0), axis(2.0), noise("air"))).code.any()


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
