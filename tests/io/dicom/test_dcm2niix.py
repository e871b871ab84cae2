"""Series of DICOM as dcm2niix converts them, voxel for voxel."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
import pydicom
import pytest
from fakes.dicom import enhanced, oblique, save, series, voxels

from napari_metasr.io import read

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
SINGLE = ("MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm")


def converted(folder, output):
    """What dcm2niix makes of a folder: a canonical image."""
    output.mkdir()
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "out", "-o", output, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = list(output.glob("*.nii"))
    assert len(found) == 1, done.stdout
    return nib.as_closest_canonical(nib.load(found[0]))


def assert_as_dcm2niix_has_it(folder, output):
    volume, image = read(folder), converted(folder, output)
    expected = np.asanyarray(image.dataobj)
    np.testing.assert_array_equal(volume.data, expected.T)
    np.testing.assert_allclose(volume.affine, image.affine, atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_classic_series(tmp_path, seed):
    data = voxels((6, 9, 7), seed=seed)
    save(tmp_path / "in", series(data, orientation=oblique(seed)), seed=seed)
    assert_as_dcm2niix_has_it(tmp_path / "in", tmp_path / "out")


def test_an_enhanced_image(tmp_path):
    save(tmp_path / "in", [enhanced(voxels((6, 9, 7)), orientation=oblique(2))])
    assert_as_dcm2niix_has_it(tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize("name", SINGLE)
def test_images_that_pydicom_ships(tmp_path, name):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes((PACKAGED / name).read_bytes())
    assert_as_dcm2niix_has_it(tmp_path / "in", tmp_path / "out")


def test_a_real_series(tmp_path, shared_data):
    folder = shared_data / "dicom" / "studyforrest_t1"
    if not folder.is_dir():
        pytest.skip(f"needs the real series of {folder}, which is not here")
    assert_as_dcm2niix_has_it(folder, tmp_path / "out")
