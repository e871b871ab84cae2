"""An input that changes or vanishes while it is read is refused, and says so."""

from __future__ import annotations

import os

import numpy as np
import pytest
from fakes.dicom import save, series, voxels
from fakes.nifti import affine_with, asymmetric, stored

from napari_metasr.io.loading import loaded
from napari_metasr.io.opening import open_stored
from napari_metasr.upscaling.job import Job
from napari_metasr.upscaling.options import UpscaleOptions


def rewrite(path):
    content = path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def vanish(path):
    path.unlink()


def made(folder, kind):
    """An input, and the file of it that something happens to."""
    if kind == "DICOM":
        (folder / "in").mkdir()
        save(folder / "in", series(voxels((5, 7, 6), np.uint16)))
        return folder / "in", sorted((folder / "in").iterdir())[-1]
    path = stored(folder / f"in{kind}", asymmetric(), affine_with("RAS"))
    return path, path


CASES = pytest.mark.parametrize(
    ("happens", "told"), [(rewrite, "changed"), (cut, "changed"), (vanish, "vanished")]
)
KINDS = pytest.mark.parametrize("kind", [".nii", ".nii.gz", "DICOM"])


@CASES
@KINDS
def test_a_volume_that_is_read_whole(tmp_path, kind, happens, told):
    path, file = made(tmp_path, kind)
    volume = open_stored(path)

    def blocks():
        happens(file)
        yield from volume.blocks()

    with pytest.raises(ValueError, match=f"the input {told} while it was being read") as caught:
        loaded(volume, blocks())
    assert str(path) in str(caught.value)


@CASES
@KINDS
def test_a_volume_that_is_upscaled(tmp_path, kind, happens, told):
    path, file = made(tmp_path, kind)
    (tmp_path / "out").mkdir()
    options = UpscaleOptions(scale=(2, 2, 1))
    work = Job(input=path, output=tmp_path / "out" / "a.nii", options=options, device="cpu")
    steps = work.prepare().steps()
    happens(file)
    with pytest.raises(ValueError, match=f"the input {told} while it was being read"):
        list(steps)
    assert not list((tmp_path / "out").iterdir())
