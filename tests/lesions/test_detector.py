"""Detectors: from what a network answers to rectangles of the slice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fakes.lesions import POINT, Bright, Map, OneBox, box, detector_of
from torch import nn

from napari_metasr.geometry.windows import Window
from napari_metasr.lesions.detection import Detection, merged
from napari_metasr.lesions.detector import load_detector
from napari_metasr.lesions.search import look_through
from napari_metasr.lesions.suitability import concerns
from napari_metasr.networks import build
from napari_metasr.volume import Plane, Source, Volume
from napari_metasr.weights import WeightsError, save_weights

ABOUT = {
    "title": "Tiny",
    "trained_scales": (1, 4),
    "trained_contrasts": ("T1c",),
    "degradations": ("bicubic",),
    "intensity": "",
    "updates": 0,
    "loss": "",
    "schedule": "",
    "data": (),
    "licence": "CC0-1.0",
    "intended_use": "",
    "limitations": "",
    "citation": "",
}
HEAD = np.full((40, 60), 0.5, np.float32)


def windows(detections: tuple[Detection, ...]) -> list[tuple[float, ...]]:
    return [tuple(round(edge, 4) for edge in one.region) for one in detections]


def volume_of(data: np.ndarray, spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Volume:
    affine = np.diag([*spacing[::-1], 1.0])
    return Volume(data, affine, spacing, Source(name="made", affine=affine))


def test_each_connected_part_of_a_map_is_a_box_with_its_highest_probability():
    answer = torch.full((10, 20), 0.01)
    answer[2:4, 3:6] = 0.6
    answer[3, 4] = 0.9
    answer[4, 6] = 0.7  # touches at a corner
    answer[8, 15] = 0.95
    found = detector_of(Map(answer)).detect(HEAD, (0, 1))
    assert windows(found) == [(32, 45, 36, 48), (8, 9, 20, 21)]
    assert [one.score for one in found] == pytest.approx([0.95, 0.9], abs=1e-5)


def test_level_says_which_pixels_and_threshold_which_parts():
    answer = torch.full((10, 20), 0.01)
    answer[2:4, 3:6] = 0.3
    answer[3, 4] = 0.6
    answer[8, 15] = 0.4
    detector = detector_of(Map(answer), level=0.2)
    assert windows(detector.detect(HEAD, (0, 1))) == [(8, 9, 16, 18)]
    lower = POINT.model_copy(update={"level": 0.5, "threshold": 0.1})
    assert windows(detector.detect(HEAD, (0, 1), point=lower)) == [(12, 12, 16, 15)]


def test_margins_are_of_the_longer_side_in_mm_and_clipped():
    found = detector_of(OneBox(0.5, 0.05, 0.75, 0.5, 0.8), margin=0.1)
    # 40 rows of 2 mm by 60 columns of 1 mm: 8 mm, that is 4 rows and 8 columns
    (one,) = found.detect(HEAD, (0, 1), spacing=(2.0, 1.0))
    assert one.region == pytest.approx((16, 0, 34, 38))
    assert one.score == pytest.approx(0.8)


def test_boxes_that_grow_into_each_other_are_one_with_the_higher_score():
    answer = torch.full((20, 30), 0.01)
    answer[5, 5], answer[5, 9], answer[5, 25] = 0.7, 0.9, 0.8
    apart = detector_of(Map(answer)).detect(HEAD, (0, 1))
    joined = detector_of(Map(answer), margin=0.06).detect(HEAD, (0, 1))
    assert len(apart) == 3
    assert windows(joined)[0] == pytest.approx((6.4, 6.4, 15.6, 23.6))
    assert [one.score for one in joined] == pytest.approx([0.9, 0.8], abs=1e-5)


def test_merging_goes_on_until_nothing_overlaps():
    chain = [box(0, 0, 4, 4, 0.5), box(8, 8, 12, 12, 0.6), box(3, 3, 9, 9, 0.7)]
    (one,) = merged(chain)
    assert (one.region, one.score) == ((0, 0, 12, 12), 0.7)
    assert len(merged([box(0, 0, 4, 4), box(4, 0, 8, 4)])) == 2  # an edge is no overlap


def test_below_the_threshold_and_in_empty_slices_nothing_is_found():
    sure = OneBox(0.2, 0.2, 0.8, 0.8, 0.9)
    assert detector_of(OneBox(0.2, 0.2, 0.8, 0.8, 0.4)).detect(HEAD, (0, 1)) == ()
    assert detector_of(sure).detect(np.zeros((40, 60)), (0, 1)) == ()
    assert detector_of(OneBox(0.3, 0.2, 0.3, 0.8, 0.9)).detect(HEAD, (0, 1)) == ()


def test_the_network_sees_square_pixels_and_what_it_finds_lies_where_it_was():
    image = np.full((20, 64), 0.4)
    image[12:16, 8:20] = 1.0
    detector = detector_of(Bright())
    (one,) = detector.detect(image, (0, 1), spacing=(3.0, 1.0))
    assert detector._network.seen.shape == (1, 1, 60, 64)
    assert one.region == pytest.approx((12, 8, 16, 20), abs=0.7)


def test_the_box_network_sees_no_more_pixels_than_it_was_trained_on():
    detector = detector_of(build("lesion-detector", widths=(4, 8, 8, 8, 8)), threshold=0.0)
    seen = []
    detector._network.register_forward_pre_hook(lambda _, images: seen.append(images[0].shape))
    image = np.random.default_rng(0).random((300, 150))
    (one,) = detector.detect(image)
    assert seen == [(1, 1, 256, 128)]
    one.region.inside((300, 150))


def test_a_volume_is_looked_through_as_its_slices_are(rng):
    data = rng.uniform(100, 500, (19, 36, 40)).astype(np.float32)
    data[4] = 0
    data[7:12, 10:20, 12:30] = 1500
    volume = volume_of(data)
    detector = detector_of(Bright())
    slices = dict(detector.detect_slices(volume))
    assert list(slices) == list(range(19))
    for index, found in slices.items():
        alone = detector.detect(volume.slice(Plane.AXIAL, index), volume.intensity_range)
        assert found == alone
    assert [index for index, found in slices.items() if found] == [7, 8, 9, 10, 11]
    assert windows(slices[8]) == [(10, 12, 20, 30)]


@pytest.mark.parametrize("plane", list(Plane))
def test_one_slice_is_looked_at_as_it_is_among_all(rng, plane):
    data = rng.uniform(100, 500, (34, 36, 40)).astype(np.float32)
    data[7:12, 10:20, 12:30] = 1500
    series = volume_of(np.stack([data, np.flip(data, 0)]))
    detector = detector_of(Bright())
    everywhere = dict(look_through(series, plane, detector, time=1))
    assert list(everywhere) == list(range(series.slice_count(plane)))
    middle = next(index for index, found in everywhere.items() if found) + 1
    alone = dict(look_through(series, plane, detector, index=middle, time=1))
    assert alone == {middle: everywhere[middle]}
    assert alone[middle]
    with pytest.raises(ValueError, match="slice 99 is outside the volume"):
        next(look_through(series, plane, detector, index=99))


def test_each_volume_of_a_series_is_looked_at_as_if_it_were_alone(rng):
    """A volume a thousand times as bright as another does not make that one dark."""
    data = rng.uniform(100, 500, (34, 36, 40)).astype(np.float32)
    data[7:12, 10:20, 12:30] = 1500
    series, alone = volume_of(np.stack([1000 * data, data])), volume_of(data)
    detector = detector_of(Bright())
    expected = dict(look_through(alone, Plane.AXIAL, detector))
    assert [index for index, found in expected.items() if found] == [7, 8, 9, 10, 11]
    assert dict(look_through(series, Plane.AXIAL, detector, time=1)) == expected
    single = dict(look_through(series, Plane.AXIAL, detector, index=8, time=1))
    assert single == {8: expected[8]}
    found = concerns(series, Plane.AXIAL, detector.point, time=1)
    assert found == concerns(alone, Plane.AXIAL, detector.point)


def test_missing_pixels_are_background():
    image = np.full((40, 60), 0.4)
    image[10:20, 10:20] = 1.0
    image[30:, 30:] = np.nan
    (one,) = detector_of(Bright()).detect(image, (0, 1))
    assert one.region == Window.at(10, 10, 10, 10)


@pytest.mark.parametrize(
    ("image", "spacing", "message"),
    [
        (np.ones((31, 80)), (1.0, 1.0), "at least 32 x 32 square pixels .* found 31 x 80"),
        (np.ones((40, 80)), (1.0, 4.0), None),
        (np.ones((40, 40, 3)), (1.0, 1.0), "2-D slice"),
        (np.ones((40, 40)), (0.0, 1.0), "positive spacing"),
        (np.full((40, 40), np.nan), (1.0, 1.0), "finite"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(image, spacing, message):
    detector = detector_of(OneBox(0.1, 0.1, 0.9, 0.9, 0.9))
    if message is None:
        assert detector.detect(image, (0, 2), spacing=spacing)
        return
    with pytest.raises(ValueError, match=message):
        detector.detect(image, spacing=spacing)


def test_weights_with_a_point_load_as_a_detector_that_answers_alike(tmp_path):
    network = build("lesion-detector", widths=(4, 8, 8, 8, 8))
    card = save_weights(
        network,
        tmp_path,
        name="tiny",
        network="lesion-detector",
        options={"widths": (4, 8, 8, 8, 8)},
        detection=POINT.model_copy(update={"threshold": 0.1, "margin": 0.02}),
        **ABOUT,
    )
    detector = load_detector(tmp_path / "tiny.safetensors", device="cpu")
    assert card.detects
    assert not card.super_resolves
    assert (detector.name, detector.sha256) == ("tiny", card.sha256)
    assert detector.point.margin == 0.02
    image = np.random.default_rng(0).random((48, 64)).astype(np.float32)
    (one,) = detector.detect(image, (0, 1))
    with torch.inference_mode():
        answer = network.eval()(torch.from_numpy(image)[None, None])[0]
    grown = answer[:4].numpy() * (48, 64, 48, 64) + 0.02 * 64 * np.array([-1, -1, 1, 1])
    assert one.region == pytest.approx(grown.clip(0, (48, 64, 48, 64)), abs=1e-3)
    assert one.score == pytest.approx(float(answer[4]), abs=1e-4)


def test_a_card_without_a_point_and_a_model_that_super_resolves_are_refused(tmp_path):
    network: nn.Module = build("lesion-detector", widths=(4, 8, 8, 8, 8))
    options = {"widths": (4, 8, 8, 8, 8)}
    save_weights(
        network, tmp_path, name="mute", network="lesion-detector", options=options, **ABOUT
    )
    with pytest.raises(WeightsError, match="how answers are read"):
        load_detector(tmp_path / "mute.safetensors", device="cpu")
    with pytest.raises(WeightsError, match="expected a detector, found meta-srgan"):
        load_detector("meta-srgan", device="cpu")
    with pytest.raises(ValueError, match=r"expected a score of 0 to 1, found 1\.2"):
        box(0, 0, 1, 1, 1.2)
