"""Volumes, planes, regions and intensity mappings."""

from __future__ import annotations

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest

from napari_metasr import normalisation
from napari_metasr.volume import Plane


@pytest.mark.parametrize(
    ("plane", "expected"),
    [("axial", np.s_[3, :, :]), ("coronal", np.s_[:, 3, :]), ("sagittal", np.s_[:, :, 3])],
)
def test_slices_of_the_three_planes(phantom_volume, plane, expected):
    plane = Plane(plane)
    taken = phantom_volume.slice(plane, 3)
    assert np.array_equal(taken, phantom_volume.data[expected])
    assert phantom_volume.plane_spacing(plane) == tuple(
        phantom_volume.spacing[axis] for axis in (plane.row_axis, plane.column_axis)
    )


@pytest.mark.parametrize("plane", list(Plane))
def test_slices_of_data_that_is_read_when_it_is_looked_at(phantom_volume, plane):
    series = np.stack([phantom_volume.data, phantom_volume.data + 1])
    for data in (phantom_volume.data, phantom_volume.data[4], series):
        held = replace(phantom_volume, data=data)
        lazy = replace(phantom_volume, data=da.from_array(data, chunks=5))
        taken = lazy.slice(plane if data.ndim > 2 else Plane.AXIAL, 0, lazy.time_points - 1)
        assert type(taken) is np.ndarray
        expected = held.slice(plane if data.ndim > 2 else Plane.AXIAL, 0, held.time_points - 1)
        assert np.array_equal(taken, expected)
        assert np.shares_memory(expected, data)  # no copy of what is in memory


def test_slices_and_times_outside(phantom_volume):
    with pytest.raises(ValueError, match="slice 18 is outside the volume: it has 18 axial"):
        phantom_volume.slice(Plane.AXIAL, 18)
    with pytest.raises(ValueError, match="time point 1 is outside"):
        phantom_volume.slice(Plane.AXIAL, 0, time=1)


def test_intensity_range_ignores_gaps_and_outliers(rng):
    values = rng.random(100_000)
    values[:20] = 1e6
    values[20:30] = np.nan
    low, high = normalisation.intensity_range(values)
    assert 0 < low < 0.01
    assert 0.99 < high < 1


def test_intensity_range_of_what_is_almost_everywhere_background():
    image = np.zeros((100, 100))
    image[0, 0] = 5
    assert normalisation.intensity_range(image) == (0, 5)
    assert normalisation.intensity_range(np.full((3, 3), 2)) == (2, 2)


def test_linear_map_goes_there_and_back(rng):
    image = rng.normal(1000, 300, (20, 20)).astype(np.float32)
    mapping = normalisation.LinearMap(400, 1700)
    np.testing.assert_allclose(mapping.inverse(mapping.forward(image)), image, rtol=1e-5)
    assert mapping.forward(np.array([400, 1700])).tolist() == [0, 1]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "int64"])
def test_casting_rounds_and_clips(dtype):
    limits = np.iinfo(dtype)
    cast = normalisation.cast_to_dtype(np.array([1.5, 2.4, -1e30, 1e30, np.nan]), dtype)
    assert cast.tolist() == [2, 2, limits.min, limits.max, 0]
    assert cast.dtype == dtype


@pytest.mark.parametrize(
    ("shape", "spacing", "plane"),
    [
        ((40, 40, 40), (1, 1, 1), Plane.AXIAL),
        ((10, 40, 40), (6, 0.5, 0.5), Plane.AXIAL),
        ((40, 10, 40), (0.5, 4, 0.5), Plane.CORONAL),
        ((40, 40, 10), (0.5, 0.5, 4), Plane.SAGITTAL),
        ((40, 40, 40), (1.2, 1, 1), Plane.AXIAL),
        ((40, 40, 40), (1, 1, 1.2), Plane.AXIAL),
        ((40, 1, 40), (1, 1, 1), Plane.CORONAL),
        ((40, 40, 1), (3, 1, 1), Plane.SAGITTAL),
        ((1, 1, 40), (1, 1, 1), Plane.AXIAL),
        ((40, 40), (1, 1), Plane.AXIAL),
    ],
)
def test_the_plane_of_acquisition_is_that_of_thick_or_single_slices(shape, spacing, plane):
    assert Plane.acquired(shape, spacing) is plane
