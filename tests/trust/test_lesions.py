"""Lesions of known size and contrast: how they are drawn, measured and placed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_metasr.trust.lesions import Place, Probe, Shape, flat_tissue, places
from napari_metasr.trust.survival import with_lesions


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.8)])
@pytest.mark.parametrize("centre", [(20.0, 20.0), (20.37, 19.6)])
def test_a_dot_covers_its_area_and_a_blob_is_half_as_high_at_its_diameter(spacing, centre):
    probe = Probe(5.0, spacing)
    dot = probe.drawn(Place(*centre, Shape.DOT))
    assert dot.sum() * spacing[0] * spacing[1] == pytest.approx(math.pi * 2.5**2, rel=0.03)
    assert dot.max() == 1
    blob = probe.drawn(Place(20.0, 20.0, Shape.BLOB))
    middle = blob.shape[0] // 2, blob.shape[1] // 2
    assert blob[middle] == pytest.approx(1, abs=0.03)
    at_radius = np.interp(2.5, np.arange(middle[0] + 1) * spacing[0], blob[middle[0] :, middle[1]])
    assert at_radius == pytest.approx(0.5, abs=0.03)


def test_contrast_is_the_mean_over_the_lesion_less_that_of_its_surroundings():
    probe, place = Probe(6.0, (1.0, 1.0)), Place(30.2, 29.7, Shape.DOT)
    image = np.full((60, 60), 50, np.float32)
    assert probe.contrast(image, place) == pytest.approx(0, abs=1e-4)
    bright = with_lesions(image, probe, [place], 20.0)
    assert probe.contrast(bright, place) == pytest.approx(20 * probe.own(place), rel=1e-5)
    assert probe.own(place) == pytest.approx(0.9, abs=0.1)  # pixels on its edge are part full
    slope = image + np.arange(60, dtype=np.float32)
    assert probe.contrast(slope, place) == pytest.approx(0, abs=1e-2)
    everywhere = probe.contrasts(bright)
    assert np.unravel_index(everywhere.argmax(), everywhere.shape) == (30, 30)


def test_lesions_are_put_where_tissue_is_flat_and_far_from_each_other(rng):
    probe = Probe(4.0, (1.0, 1.0))
    image = np.full((96, 96), 100, np.float32)
    image[:, 60:] = 200
    head = np.zeros((96, 96), bool)
    head[10:86, 10:86] = True
    allowed = flat_tissue(probe, image, head, 30.0, (1.0, 1.0))
    assert not allowed[:, 59:62].any()
    assert allowed[48, 30]
    assert not allowed[10:14].any()
    chosen = list(places(probe, allowed, (1.0, 1.0), 2.0, 12, rng))
    assert len(chosen) > 4
    assert {one.shape for one in chosen} == set(Shape)
    for number, one in enumerate(chosen):
        assert allowed[round(one.row), round(one.column)]
        for other in chosen[:number]:
            apart = math.hypot(one.row - other.row, one.column - other.column)
            assert apart > 2 * probe.surroundings + 8 - 1.5


def test_no_place_is_found_where_there_is_none(rng):
    nowhere = np.zeros((40, 40), bool)
    assert list(places(Probe(4.0, (1.0, 1.0)), nowhere, (1.0, 1.0), 2.0, 5, rng)) == []
