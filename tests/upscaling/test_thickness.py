"""How thick slices are: chosen, stated by a header, or taken for granted; and who is told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.dicom import enhanced, save, series, voxels
from fakes.models import told_model

from napari_metasr.acquisition import slice_code
from napari_metasr.io import read_volume, write_volume
from napari_metasr.io.opening import open_stored
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.sidecar import read_sidecar
from napari_metasr.volume import Plane, Source
from napari_metasr.zoom.engine import ZoomModel

SPACING = 3.0


@pytest.fixture
def scan(tmp_path, rng):
    """Axial slices, 3 mm apart."""
    path = tmp_path / "head.nii.gz"
    slices = rng.uniform(0, 100, (6, 12, 14)).astype(np.float32)
    write_volume(path, slices, np.diag([1.0, 1.0, SPACING, 1.0]), Source("head"))
    return path


def stating(scan, thickness):
    """The same scan with a JSON file beside it that states a thickness in mm."""
    scan.with_name("head.json").write_text(json.dumps({"SliceThickness": thickness}))
    return scan


def completed(path, **options):
    return UpscaleOptions(scale=(2,), **options).of_volume(open_stored(path))


def test_slices_are_as_thick_as_the_header_says(scan):
    assert completed(scan).thickness is None
    assert completed(stating(scan, 2.0)).thickness == 2.0
    assert completed(scan, thickness=1.5).thickness == 1.5


def test_a_stated_thickness_is_of_the_plane_in_which_slices_were_acquired(scan):
    assert completed(stating(scan, 2.0), plane=Plane.AXIAL).thickness == 2.0
    assert completed(scan, plane=Plane.CORONAL).thickness is None


@pytest.mark.parametrize("stated", [2 * SPACING, 0, -1, "thin", None, [2.0, 3.0]])
def test_a_thickness_that_slices_cannot_have_is_left_aside(scan, stated):
    assert completed(stating(scan, stated)).thickness is None


def test_dicom_states_the_thickness_of_its_slices(tmp_path):
    classic = save(tmp_path / "classic", series(voxels(), SliceThickness=2.0))
    one_file = enhanced(voxels())
    measures = one_file.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SliceThickness = 2.0
    assert completed(classic).thickness == 2.0
    assert completed(save(tmp_path / "enhanced", [one_file])).thickness == 2.0


def upscaled(scan, model, **options):
    output = scan.with_name("out.nii.gz")
    options = UpscaleOptions(
        scale=(1, 1, 2), dtype="float32", through_plane_model=str(model), **options
    )
    work = Job(input=scan, output=output, options=options, device="cpu", overwrite=True).prepare()
    for _ in work.steps():
        pass
    return read_volume(output).data, read_sidecar(scan.with_name("out.json"))


def test_a_network_that_can_be_told_is_told_the_thickness(scan, monkeypatch):
    model = told_model(scan.parent, axes="one", trained_scales=(1.1, 6.0))
    codes = []
    told = ZoomModel.told

    def listening(self, code, title=""):
        codes.append(code)
        return told(self, code, title)

    monkeypatch.setattr(ZoomModel, "told", listening)
    upscaled(stating(scan, 1.5), model)
    expected = [slice_code(1.5 / SPACING, along_rows=True)] * 2  # rows of both views are slices
    np.testing.assert_array_equal(codes, expected)


def test_the_thickness_is_recorded_and_decides_what_the_network_makes(scan):
    model = told_model(scan.parent, axes="one", trained_scales=(1.1, 6.0))
    touching, record = upscaled(scan, model, thickness=SPACING)
    assert record.options.thickness == SPACING
    by_default, record = upscaled(scan, model)
    np.testing.assert_array_equal(by_default, touching)
    assert record.options.thickness is None
    thin, record = upscaled(stating(scan, 0.5), model)
    assert record.options.thickness == 0.5
    assert np.abs(thin - touching).max() > 0.1
