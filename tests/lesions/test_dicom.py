"""The DICOM series that a volume was read from."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.dicom import STUDY, save, series, voxels

from napari_metasr.io.dicom.finding import find_series
from napari_metasr.io.dicom.volume import DicomVolume
from napari_metasr.io.loading import loaded
from napari_metasr.lesions.dicom import series_of


def repeated(folder, **elements):
    """A scan, the same again, and a series of time points of one description and place."""
    images = [
        one
        for number in (1, 2)
        for one in series(
            voxels(seed=number), uid=f"{STUDY}.{number}", SeriesNumber=number, **elements
        )
    ]
    images += [
        one
        for time in (1, 2)
        for one in series(
            voxels(seed=time),
            uid=f"{STUDY}.3",
            SeriesNumber=3,
            TemporalPositionIdentifier=time,
            **elements,
        )
    ]
    return save(folder, images)


def test_of_scans_that_were_repeated_it_is_the_one_with_the_voxels(tmp_path):
    folder = repeated(tmp_path / "in")
    for one in find_series(folder).series:
        volume = loaded(DicomVolume.of(folder, one))
        found = series_of(volume, folder)
        assert found.series.number == one.number
        np.testing.assert_array_equal(loaded(found).data, volume.data)
        assert series_of(volume, folder, series="2").series.number == "2"


def test_a_series_of_other_voxels_is_none(tmp_path):
    folder = repeated(tmp_path / "in")
    volume = loaded(DicomVolume.of(folder, find_series(folder).series[0]))
    volume.data[0, 0, 0] += 1
    with pytest.raises(ValueError, match="expected the series of MR_t1-mprage, found none like"):
        series_of(volume, folder)
