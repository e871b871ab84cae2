"""The proof on one's own scan: known answers on a phantom, what is refused, how far it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes.trust import Interpolator, Oracle, error_card, head
from pydantic import ValidationError

from napari_metasr.geometry.windows import Window
from napari_metasr.trust.own_acquisition import OwnAcquisition
from napari_metasr.trust.own_slices import METHODS, Enlargement, own_slices
from napari_metasr.trust.proof import Proof
from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.trust.prover import Progress, Prover
from napari_metasr.trust.sentences import (
    counted,
    gain_sentence,
    lesion_sentence,
    lesions_text,
    marks_sentence,
)
from napari_metasr.trust.survival import (
    Layout,
    Survival,
    smallest_surviving,
    summarised,
    try_lesions,
)
from napari_metasr.trust.verdict import Gain, ScaleGain
from napari_metasr.weights import WeightsError


def proof_of(volume, model=None, settings=None, **keywords):
    *steps, proof = Prover(volume, model or Interpolator(), settings, **keywords).steps()
    assert isinstance(proof, Proof)
    return steps, proof


@pytest.fixture(scope="module")
def found():
    return proof_of(
        head(), settings=ProofSettings(scales=(1.5, 6.0), slices=4, acquisition="k-space")
    )


def test_a_volume_of_a_series_is_tried_as_if_it_were_alone():
    """A volume a thousand times as bright as another does not widen that one's range."""
    alone = head()
    series = replace(alone, data=np.stack([1000 * alone.data, alone.data]))
    settings = ProofSettings(scales=(2.0,), slices=2, acquisition="k-space")
    (_, own), (_, of_series) = (
        proof_of(one, settings=settings, **keywords)
        for one, keywords in ((alone, {}), (series, {"time": 1}))
    )
    assert of_series.intensity_range == own.intensity_range
    assert of_series.contrast == own.contrast
    assert of_series.gains == own.gains
    assert of_series.survivals == own.survivals
    with pytest.raises(ValueError, match="time point 2 is outside the volume"):
        Prover(series, Interpolator(), settings, time=2)


def test_a_small_lesion_survives_a_light_reduction_and_vanishes_under_a_heavy_one(found):
    _, proof = found
    light, heavy = (
        {
            one.diameter: one
            for one in proof.survivals
            if (one.scale, one.method) == (scale, "lanczos")
        }
        for scale in (1.5, 6.0)
    )
    assert light[3.0].seen == 1
    assert heavy[3.0].seen < 0.2
    assert heavy[10.0].seen > 0.9
    assert light[3.0].recovered > 0.7
    assert heavy[3.0].recovered < 0.4
    assert proof.smallest_surviving(1.5, "lanczos").diameter <= 3
    assert proof.smallest_surviving(6.0, "lanczos").diameter > 3
    assert all(one.false == 0 for one in light.values())


def test_contrast_is_recovered_the_more_the_larger_a_lesion_is(found):
    _, proof = found
    for method in METHODS:
        here = [one for one in proof.survivals if (one.scale, one.method) == (6.0, method)]
        left = [one.recovered for one in sorted(here, key=lambda one: one.diameter)]
        assert left[-1] > left[3] > left[0]


def test_a_method_that_is_the_truth_gains_and_sees_everything():
    volume = head()
    enlarge = Enlargement(
        Interpolator(),
        OwnAcquisition.named("box"),
        (96, 96),
        2.0,
        intensity_range=(0, 330),
        value_range=(0, 400),
    )
    truth = own_slices(volume, volume.acquired_plane, 1)[0]
    layout = Layout.of(
        truth, 2.0, (1.0, 1.0), scale=2.0, contrast=90.0, most=12, rng=np.random.default_rng(1)
    )
    kept = dict.fromkeys(METHODS, truth.image)
    for survival in summarised([layout.measure(2.0, dict.fromkeys(METHODS, layout.image), kept)]):
        assert (survival.seen, survival.false) == (1, 0)
        assert survival.recovered == pytest.approx(1, abs=1e-4)
    blank = summarised([layout.measure(2.0, kept, kept)])
    assert all((one.seen, one.recovered) == (0, 0) for one in blank)
    assert 0 < summarised([try_lesions(layout, enlarge, enlarge(truth.image, 0))])[0].recovered < 1


def test_lesions_that_a_method_makes_up_are_counted():
    volume = head()
    truth = own_slices(volume, volume.acquired_plane, 1)[0]
    layout = Layout.of(
        truth, 3.0, (1.0, 1.0), scale=2.0, contrast=90.0, most=1, rng=np.random.default_rng(1)
    )
    invented = layout.image  # as if the method had put it there
    found = layout.measure(2.0, dict.fromkeys(METHODS, invented), dict.fromkeys(METHODS, invented))
    wrong, places = found.false["network"]
    assert 0 < wrong < 0.02 * places


def test_the_smallest_size_needs_every_larger_one_and_enough_places():
    def at(diameter, seen, places=20):
        return Survival(2.0, diameter, "network", places, seen, seen, 0.0)

    found = [at(1, 0.95), at(2, 0.5), at(3, 0.9), at(4, 1.0), at(5, 0.0, places=3)]
    assert smallest_surviving(found, 2.0).diameter == 3
    assert smallest_surviving(found, 3.0) is None
    assert smallest_surviving([at(1, 0.95), at(2, 0.5)], 2.0) is None


def test_the_network_loses_where_it_is_worse_and_the_sentence_says_so(found):
    _, proof = found
    assert proof.largest_scale is None  # bilinear, against bicubic and Lanczos
    assert gain_sentence(replace(proof, gains=proof.gains[:1])) == (
        "At no scale that was tried (from ×1.5 on) is Meta-SRGAN reliably nearer to this scan than "
        "interpolation (4 slices)."
    )
    assert lesion_sentence(proof, 1.5).startswith("At ×1.5 a lesion 30% brighter than")


def test_a_better_network_gains_and_the_sentence_says_how_far():
    """Bilinear reductions of a rough texture are undone better by Lanczos than by bilinear."""
    _, proof = found_better = proof_of(
        head(fine=10), Interpolator("lanczos"), ProofSettings(scales=(1.5, 2.0), slices=4)
    )
    assert found_better
    assert proof.largest_scale is None  # equal to the better interpolation is no gain
    assert all(gain.psnr.mean <= 0 for gain in proof.gains)


def test_a_gain_is_told_in_percent_and_decibels(found):
    """6.02 dB less is half the error."""
    _, proof = found
    gained = ScaleGain(1.5, Gain(6.02, 5.0, 7.0, 4), Gain(0.1, 0.05, 0.15, 4))
    lost = ScaleGain(6.0, Gain(-1.0, -2.0, -0.5, 4), Gain(-0.1, -0.2, -0.05, 4))
    told = gain_sentence(replace(proof, gains=(gained, lost)))
    assert told == (
        "Meta-SRGAN is nearer to this scan than bicubic and Lanczos interpolation up to ×1.5: its "
        "errors there are 50% smaller (+6.0 dB, 5.0 to 7.0; 4 slices)."
    )


def gains(*means, slices=4):
    return tuple(
        ScaleGain(scale, Gain(mean, mean - 0.5, mean + 0.5, slices), Gain(mean, mean, mean, slices))
        for scale, mean in zip((1.5, 2.0, 3.0), means, strict=False)
    )


def test_a_gain_that_begins_at_a_larger_scale_is_told(found):
    """It is untrue that there is none at any scale that was tried."""
    _, proof = found
    told = gain_sentence(replace(proof, gains=gains(-1.0, 2.0, 3.0)))
    assert told == (
        "At ×1.5, the smallest scale that was tried, Meta-SRGAN is not reliably nearer to this "
        "scan than interpolation (4 slices); at ×2, ×3 it is."
    )


def test_slices_that_could_not_be_compared_do_not_count(found):
    _, proof = found
    nothing = Gain.over([np.nan] * 4)
    one = ScaleGain(1.5, Gain.over([1.0, np.nan]), nothing)
    told = gain_sentence(replace(proof, slices=(1, 2), gains=(one,)))
    assert "(+1.0 dB, 1 slice, too few for an interval)" in told
    told = gain_sentence(replace(proof, gains=(ScaleGain(1.5, nothing, nothing),)))
    assert told == (
        "Meta-SRGAN could not be compared with interpolation: at ×1.5 already all that was to be "
        "looked at lies along the cut edge of the head."
    )
    assert counted(replace(proof, gains=gains(1.0, 2.0))) == "4 slices"
    fewer = (*gains(1.0), *gains(1.0, slices=2))
    assert counted(replace(proof, gains=fewer)) == "at most 4 slices"


def test_a_region_along_the_edge_of_a_mask_cannot_be_compared():
    """The outer voxels of a brain that was cut out are no anatomy."""
    volume = head(fine=10)
    data = volume.data.copy()
    data[:, :, :40] = 0
    cut = replace(volume, data=data)
    _, proof = proof_of(
        cut, settings=ProofSettings(scales=(2.0,)), index=2, region=Window(40, 40, 56, 43)
    )
    assert proof.gains[0].psnr.slices == 0
    assert "could not be compared" in gain_sentence(proof)


@pytest.mark.parametrize(("share", "told"), [(0.025, "2.5%"), (0.1, "10%"), (-0.004, "0.4%")])
def test_shares_that_were_set_are_told_as_they_were_set(found, share, told):
    _, proof = found
    settings = proof.settings.model_copy(update={"contrast": share})
    assert lesions_text(replace(proof, settings=settings)).startswith(f"{told} ")


def test_progress_grows_to_the_end(found):
    steps, _ = found
    assert all(isinstance(step, Progress) for step in steps)
    shares = [step.overall for step in steps]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.9 < shares[-1] < 1.0001


def test_the_same_seed_gives_the_same_proof():
    settings = ProofSettings(scales=(2.0,), slices=2, acquisition="k-space", seed=3)
    one, other = (proof_of(head(), settings=settings)[1] for _ in range(2))
    assert repr(one.survivals) == repr(other.survivals)


def test_one_slice_has_no_interval_and_says_so():
    _, proof = proof_of(head(), settings=ProofSettings(scales=(2.0,)), index=3)
    assert proof.slices == (3,)
    assert not proof.gains[0].psnr.has_interval
    assert proof.survivals[0].places > 0


def test_a_region_is_compared_alone():
    volume, region = head(), Window(30, 30, 70, 66)
    damaged = replace(volume, data=volume.data.copy())
    damaged.data[:, :25] += np.random.default_rng(0).normal(0, 20, damaged.data[:, :25].shape)
    settings = ProofSettings(scales=(1.5,), acquisition="box")
    (_, one), (_, other) = (
        proof_of(scan, settings=settings, index=2, region=region) for scan in (volume, damaged)
    )
    assert one.slices == (2,)
    psnr, with_damage = (
        proof.compared[0][1][0].quality["bicubic"].psnr * 1.0 for proof in (one, other)
    )
    width = [high - low for low, high in (one.intensity_range, other.intensity_range)]
    assert with_damage - 20 * np.log10(width[1] / width[0]) == pytest.approx(psnr, abs=0.05)


def test_a_scan_whose_middle_slice_is_missing_is_tried_by_the_others():
    volume = head(count=3)
    volume.data[1] = np.nan
    settings = ProofSettings(scales=(2.0,), slices=3, lesion_slices=1, acquisition="box")
    _, proof = proof_of(volume, settings=settings)
    assert proof.slices == (0, 2)
    assert 200 < proof.display[1] < 400


def test_dark_lesions_and_pictures_work_too():
    picture = head(count=1)
    flat = replace(
        picture,
        data=picture.data[0],
        spacing=(1.0, 1.0),
        source=replace(picture.source, unit="pixels", is_oriented=False),
    )
    _, proof = proof_of(flat, settings=ProofSettings(scales=(2.0,), contrast=-0.3))
    assert (proof.unit, proof.is_oriented) == ("px", False)
    assert "30% darker" in lesion_sentence(proof, 2.0)
    assert max(one.seen for one in proof.survivals) == 1


def test_nothing_is_said_of_lesions_where_there_is_no_room():
    _, proof = proof_of(
        head(), settings=ProofSettings(scales=(2.0,)), index=2, region=Window(46, 46, 50, 50)
    )
    assert "nothing can be said of small lesions" in lesion_sentence(proof, 2.0)


def test_a_scale_that_leaves_too_little_is_passed_over_and_said():
    _, proof = proof_of(head(size=40), settings=ProofSettings(scales=(1.5, 3.0)))
    assert [gain.scale for gain in proof.gains] == [1.5]
    assert any("too small to be reduced by x3" in concern for concern in proof.concerns)


def test_a_contrast_that_was_not_trained_on_is_a_concern():
    _, proof = proof_of(head(name="sub-01_T2w"), settings=ProofSettings(scales=(2.0,), slices=1))
    assert any("this scan is T2" in concern for concern in proof.concerns)


def marks_of(card, times=1.0, name="head_T1c", **settings):
    """What an oracle's marks hold at x2, at a tenth and a twentieth of the range."""
    volume = head(size=120, count=3, name=name, fine=60.0)
    settings = ProofSettings(scales=(2.0,), slices=2, lesion_slices=1, **settings)
    _, proof = proof_of(volume, settings=settings, head=Oracle(volume, card, times))
    return proof


def test_marks_of_the_true_errors_miss_nothing_and_mark_no_more_than_they_must():
    proof = marks_of(error_card(), acquisition="bicubic")
    (found,) = proof.marks
    agreement = found.agreement
    assert found.scale == 2
    assert found.guarantee.holds
    assert 0 < agreement.large < agreement.pixels
    assert agreement.marked == agreement.large == agreement.large_marked
    assert agreement.excess_share == pytest.approx(1)
    told = marks_sentence(proof, 2.0)
    assert told.startswith(f"At ×2 the risk marks cover {agreement.marked_share:.0%} of the head")
    assert "miss 0.0% of the large errors (above 10% of the scan's range of grey values)" in told
    assert "They are set to miss at most 10% on average over patients" in told
    assert proof.examples[0].marked.shape == (120, 120)
    assert marks_sentence(proof, 3.0) == ""


def test_an_estimate_that_is_too_low_misses_and_a_threshold_that_fits_is_taken():
    """Half of every error is estimated: k-space's threshold, half of bicubic's, makes up for it."""
    low, fitting = (
        marks_of(error_card(), 0.5, acquisition=name).marks[0] for name in ("bicubic", "k-space")
    )
    assert (low.guarantee.threshold, fitting.guarantee.threshold) == (0.1, 0.05)
    assert low.agreement.missed_share > 0.5
    assert low.agreement.excess_share < 0.9
    assert fitting.agreement.missed_share == 0
    any_of_them = marks_of(error_card(), 0.5).marks[0]  # the scan's own acquisition, estimated
    assert any_of_them.guarantee.threshold == 0.05


def test_where_nothing_is_guaranteed_the_sentence_says_why():
    uncalibrated = marks_of(error_card(calibrated=False))
    assert "Nothing is guaranteed: the error head is not calibrated" in marks_sentence(
        uncalibrated, 2.0
    )
    unknown = marks_of(error_card(), name="head", acquisition="bicubic")
    assert "Nothing is guaranteed: the contrast is not known" in marks_sentence(unknown, 2.0)
    assert unknown.marks[0].agreement.missed_share == 0


def test_a_network_without_an_error_head_has_no_marks(found):
    _, proof = found
    assert proof.marks == ()
    assert marks_sentence(proof, 1.5) == ""
    assert all(one.marked is None for one in proof.examples)


@pytest.mark.parametrize(
    ("volume", "keywords", "message"),
    [
        (head(size=12), {}, "12 x 12 pixels are too small to be reduced: at least 24 x 24"),
        (replace(head(), data=np.full((6, 96, 96), 7.0)), {}, "the scan is empty"),
        (
            head(),
            {"region": Window(40, 40, 40.5, 60), "index": 1},
            "the region of 0.5 x 20 mm is smaller than the smallest lesion",
        ),
        (head(), {"region": Window(0, 0, 8, 8), "index": 1}, "the region of slice 1 is empty"),
        (head(), {"region": Window(90, 0, 120, 8), "index": 1}, "reaches outside the slice"),
        (head(), {"index": 6}, "slice 6 is outside the volume"),
        (
            replace(head(), source=replace(head().source, holds_labels=True)),
            {},
            "expected an image to super-resolve, found labels",
        ),
    ],
)
def test_what_cannot_be_tried_is_refused(volume, keywords, message):
    with pytest.raises(ValueError, match=message):
        Prover(volume, Interpolator(), **keywords)


def test_networks_that_enlarge_no_slices_are_refused():
    with pytest.raises(WeightsError, match="does not super-resolve slices"):
        Prover(head(), Interpolator(axes="one"))


@pytest.mark.parametrize(
    "wrong",
    [{"scales": ()}, {"scales": (1.0,)}, {"contrast": 0.0}, {"acquisition": "autp"}, {"slices": 0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        ProofSettings(**wrong)
