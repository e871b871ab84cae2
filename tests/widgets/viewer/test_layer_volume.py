"""A layer as a volume: as it is now, and the same one while it stays so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Layer

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume


@pytest.fixture
def plain(rng):
    return Image(rng.normal(size=(6, 24, 32)), scale=(3, 1, 1.5), translate=(10, 20, 30))


def test_a_plain_layer_s_voxels_are_stored_where_they_are_shown(plain):
    volume = layer_volume(layer_source(plain))
    np.testing.assert_allclose(volume.affine @ [0, 0, 0, 1], (30, 20, 10, 1))
    np.testing.assert_array_equal(volume.source.affine, volume.affine)
    assert volume.spacing == (3, 1, 1.5)


def test_the_sides_of_a_plain_layer_are_not_known(plain, phantom_volume):
    assert not layer_volume(layer_source(plain)).source.is_oriented
    scan = Layer.create(*layer_data(phantom_volume))
    assert layer_volume(layer_source(scan)).source.is_oriented


def test_positions_are_in_the_patient_only_where_the_sides_are_known(phantom_volume):
    source = replace(phantom_volume.source, is_oriented=False)
    unknown = Layer.create(*layer_data(replace(phantom_volume, source=source)))
    assert layer_source(unknown).describe((3, 2, 1)) == "3.0, 2.0, 1.0 mm"
    scan = Layer.create(*layer_data(phantom_volume))
    assert layer_source(scan).describe((3, 2, 1)).endswith("S 3.0 mm")


def test_the_volume_is_the_same_until_data_or_place_change(plain):
    source = layer_source(plain)
    first = layer_volume(source)
    assert layer_volume(source) is first
    plain.translate = (0, 0, 1)
    moved = layer_volume(source)
    assert moved is not first
    plain.data[:] = 7
    source.forget()
    assert layer_volume(source) is not moved


def test_data_put_in_place_of_a_volume_s_are_what_is_taken(phantom_volume):
    layer = Layer.create(*layer_data(phantom_volume))
    source = layer_source(layer)
    assert layer_volume(source) is phantom_volume
    layer.data = phantom_volume.data * 0 + 7
    assert np.unique(layer_volume(source).data) == [7]
    np.testing.assert_array_equal(layer_volume(source).affine, phantom_volume.affine)


def test_a_volume_moved_and_stretched_in_the_window_is_where_and_as_large_as_it_is_shown(
    phantom_volume,
):
    layer = Layer.create(*layer_data(phantom_volume))
    source = layer_source(layer)
    layer.scale = np.multiply(layer.scale, (2, 1, 1))
    layer.translate = np.add(layer.translate, (0, 5, 0))
    volume = layer_volume(source)
    np.testing.assert_allclose(volume.spacing, np.multiply(phantom_volume.spacing, (2, 1, 1)))
    np.testing.assert_allclose(
        volume.affine[:3, 3], np.add(phantom_volume.affine[:3, 3], (0, 5, 0)), atol=1e-6
    )
    assert layer_volume(source) is volume


@pytest.mark.parametrize(("units", "expected"), [("pixel", "pixels"), ("mm", "mm"), ("um", "mm")])
def test_sizes_are_in_pixels_where_no_length_is_known(rng, units, expected):
    layer = Image(rng.normal(size=(24, 32)), units=units)
    assert layer_volume(layer_source(layer)).source.unit == expected
