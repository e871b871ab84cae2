"""What speaks against trusting a detector: another contrast, plane, or no head at all."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.lesions import POINT

from napari_metasr.io import read_volume
from napari_metasr.lesions import suitability
from napari_metasr.lesions.brightness import brightness, summary, unlike
from napari_metasr.lesions.suitability import concerns
from napari_metasr.normalisation import LinearMap
from napari_metasr.volume import Plane, Source, Volume


def volume_of(data: np.ndarray, spacing: tuple[float, ...] = (1.0, 1.0, 1.0)) -> Volume:
    return Volume(data, np.eye(4), spacing, Source(name="made"))


def head(rng: np.random.Generator, shape: tuple[int, ...] = (12, 48, 56)) -> np.ndarray:
    """A ball of tissue, dark to the lower left, with air round it."""
    axes = [np.linspace(-1.2, 1.2, n) for n in shape]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    tissue = 400 + 100 * x + 60 * y + rng.normal(0, 20, shape)
    return np.where(z**2 + y**2 + x**2 < 1, tissue, 0)


def test_statistics_are_quantiles_of_the_head_alone():
    values = np.linspace(0.2, 1.0, 401)
    image = np.zeros((40, 40))
    image.flat[: values.size] = values
    told = brightness(image)
    assert told["0.75"] == pytest.approx(0.8)
    assert told["0.1/0.05"] == pytest.approx(0.28 / 0.24)
    assert told["0.99/0.75"] == pytest.approx(0.992 / 0.8)
    assert brightness(np.zeros((40, 40))) == {}


def test_far_is_what_lies_outside_the_training_slices():
    told = [{"0.75": 0.5 + 0.1 * k} for k in (-1, 0, 1)] + [{}]
    trained = summary(told)
    assert trained["0.75"] == pytest.approx((0.5, np.sqrt(2 / 3) / 10))
    assert summary([]) == {}
    std = trained["0.75"][1]
    slice_two_away = [{"0.75": 0.5 + 2 * std}]
    assert unlike(slice_two_away, trained) == {}  # one slice may
    assert unlike(slice_two_away * 4, trained) == {"0.75": pytest.approx(2)}  # a volume may not
    assert unlike([{"0.75": 0.5 - 4 * std}], trained) == {"0.75": pytest.approx(-4)}
    assert unlike(slice_two_away * 4, {}) == {}


def test_a_head_in_the_plane_of_training_is_no_concern(rng):
    assert concerns(volume_of(head(rng)), Plane.AXIAL, POINT) == ()


def test_other_planes_are_named_with_those_of_training(rng):
    volume = volume_of(head(rng, (40, 48, 56)))
    (said,) = concerns(volume, Plane.SAGITTAL, POINT)
    assert "learned from volumes in axial slices; these are sagittal ones" in said


def test_other_contrasts_are_warned_of(rng):
    data = head(rng)
    own = volume_of(data)
    trained = summary(brightness(LinearMap(*own.intensity_range).forward(image)) for image in data)
    wide = {name: (mean, 0.2 * mean) for name, (mean, _) in trained.items()}
    point = POINT.model_copy(update={"brightness": wide})
    assert concerns(own, Plane.AXIAL, point) == ()
    tail = np.where((data > 430) & (rng.random(data.shape) < 0.1), 4 * data, data)
    (said,) = concerns(volume_of(tail), Plane.AXIAL, point)
    assert "another contrast" in said
    assert "0.99/0.75: +" in said


def test_cropped_and_small_heads_are_asked_about(rng):
    noise = volume_of(rng.uniform(100, 1000, (8, 40, 40)))
    assert any("no air" in one for one in concerns(noise, Plane.AXIAL, POINT))
    tiny = np.zeros((8, 64, 64))
    tiny[:, 20:30, 20:30] = rng.uniform(300, 900, (8, 10, 10))
    assert any("is this a brain?" in one for one in concerns(volume_of(tiny), Plane.AXIAL, POINT))


def test_of_large_slices_some_pixels_say_as_much(rng, monkeypatch):
    volume = volume_of(head(rng, (4, 480, 400)))
    seen = []

    def brightness_seen(image):
        seen.append(image)
        return brightness(image)

    monkeypatch.setattr(suitability, "brightness", brightness_seen)
    assert concerns(volume, Plane.AXIAL, POINT) == ()
    to_unit = LinearMap(*volume.intensity_range)
    whole = summary(brightness(to_unit.forward(image)) for image in volume.data)
    for name, (mean, _) in summary(map(brightness, seen)).items():
        assert mean == pytest.approx(whole[name][0], rel=0.01)
    assert {image.shape for image in seen} == {(120, 100)}


@pytest.mark.parametrize(
    ("data", "plane", "message"),
    [
        (np.full((4, 40, 40), 7.0), Plane.AXIAL, "found the value 7 everywhere"),
        (np.zeros((4, 20, 40)), Plane.AXIAL, "found 20 x 40"),
        (np.eye(1, 4 * 1600).reshape(4, 40, 40), Plane.AXIAL, "nothing but background"),
        (np.zeros((4, 40, 40)), Plane.CORONAL, "found 4 x 40"),
    ],
)
def test_what_cannot_be_asked_is_refused(data, plane, message):
    with pytest.raises(ValueError, match=message):
        concerns(volume_of(data), plane, POINT)


def test_real_contrasts_are_told_apart(shared_data):
    """Statistics of the TCGA-LGG training slices, with and without their skulls."""
    trained = {"0.75": (0.498, 0.114), "0.1/0.05": (1.297, 0.111), "0.99/0.75": (1.775, 0.355)}
    point = POINT.model_copy(update={"brightness": trained})
    folder = shared_data / "volumes"
    for name, like in (("0-000-t1c", True), ("1-000-t1c", True), ("0-000-t2f", False)):
        volume = read_volume(folder / f"BraTS-GLI-0000{name}.nii.gz")
        assert (concerns(volume, Plane.AXIAL, point) == ()) is like, name
