"""The reduced upscaler gives what the published formula gives, with fewer units."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.geometry.grids import Convention
from napari_metasr.zoom.hidden_units import HiddenUnits
from napari_metasr.zoom.loading import load_model

BOUNDS = (1 / 8, 1.0)


def layers(rng, hidden):
    return rng.normal(size=(hidden, 3)), rng.normal(size=hidden) * 2


def published(weight, bias, g, places):
    """The last layers in their own words, G_hidden being the constant."""
    hidden = np.maximum(places @ weight.T + bias, 0)
    return hidden @ g[:-1] + g[-1]


@pytest.mark.parametrize(
    ("convention", "first"), [(Convention.CENTER, -0.5), (Convention.CORNER, 0.0)]
)
def test_every_offset_and_scale_gives_the_same(rng, convention, first):
    weight, bias = layers(rng, 64)
    g = rng.normal(size=(2, 3, 65))
    units = HiddenUnits.reduced(weight, bias, g, convention, BOUNDS)
    assert 4 < len(units.bias) < 60
    low, high = [first, first, BOUNDS[0]], [first + 1, first + 1, BOUNDS[1]]
    places = np.concatenate([rng.uniform(low, high, (500, 3)), [low, high]])
    values = np.einsum("pu,yxu->yxp", units.activations(places), units.codes)
    for y, x in np.ndindex(2, 3):
        np.testing.assert_allclose(values[y, x], published(weight, bias, g[y, x], places))


def test_the_network_s_own_units_are_many_fewer():
    first = load_model("meta-srgan", device="cpu").upscaler.weights.first
    g = np.zeros((1, 1, 257))
    units = HiddenUnits.reduced(
        first.weight.numpy(), first.bias.numpy(), g, Convention.CENTER, BOUNDS
    )
    assert len(units.bias) < 200


def test_places_cover_all_offsets_and_scales(rng):
    units = HiddenUnits.reduced(
        *layers(rng, 8), rng.normal(size=(1, 1, 9)), Convention.CENTER, BOUNDS
    )
    places = units.places()
    assert places[:, :2].min() > -0.5
    assert places[:, :2].max() < 0.5
    assert (places[:, 2].min(), places[:, 2].max()) == BOUNDS
    np.testing.assert_allclose(places[:, :2].mean(axis=0), 0, atol=1e-12)
