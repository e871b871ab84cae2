"""The grid a volume is upscaled to: in the file's own axes, where it should lie."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import ORIENTATIONS, SHAPE, affine_with, asymmetric, corners, stored
from nibabel.affines import apply_affine
from pydantic import ValidationError

from napari_metasr.geometry.grids import AxisGrid
from napari_metasr.io.stored import StoredVolume
from napari_metasr.io.unfinished import UnfinishedVolume
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.target import Target, check_size, spaced_axis, target_of


def written(tmp_path, codes, options, *, oblique=False):
    """The input's image, and the empty one on the grid that the options ask for."""
    path = stored(
        tmp_path / "in.nii",
        asymmetric(),
        affine_with(codes, oblique=oblique),
        qform=0,
        image_class=nib.Nifti2Image,
    )
    volume = StoredVolume.open(path)
    target = target_of(volume, options)
    output = UnfinishedVolume.at(
        tmp_path / "out.nii",
        (1, *target.shape),
        target.affine(volume.affine),
        volume.source,
        volume.dtype,
    )
    output.create()
    return nib.load(path), nib.load(tmp_path / "out.nii")


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_a_scale_keeps_the_field_of_view_and_the_orientation(tmp_path, codes, oblique):
    options = UpscaleOptions(scale=(2, 1.5, 3.7))
    before, after = written(tmp_path, codes, options, oblique=oblique)
    assert after.shape == (10, 9, 26)
    assert nib.aff2axcodes(after.affine) == tuple(codes)
    np.testing.assert_allclose(
        apply_affine(after.affine, corners(after.shape)),
        apply_affine(before.affine, corners(before.shape)),
        atol=1e-6,
    )


@pytest.mark.parametrize("oblique", [False, True])
@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_a_spacing_is_exact_and_the_field_of_view_centred(tmp_path, codes, oblique):
    wanted = (0.31, 0.64, 0.53)
    options = UpscaleOptions(spacing=wanted)
    before, after = written(tmp_path, codes, options, oblique=oblique)
    np.testing.assert_allclose(nib.affines.voxel_sizes(after.affine), wanted, rtol=1e-7)
    assert nib.aff2axcodes(after.affine) == tuple(codes)
    ends = [apply_affine(one.affine, corners(one.shape)) for one in (before, after)]
    np.testing.assert_allclose(ends[0].mean(axis=0), ends[1].mean(axis=0), atol=1e-6)
    lengths = [np.array(one.shape) * nib.affines.voxel_sizes(one.affine) for one in (before, after)]
    assert (np.abs(lengths[0] - lengths[1]) < np.array(wanted)).all()


def test_one_number_means_all_axes(tmp_path):
    _, after = written(tmp_path, "PSR", UpscaleOptions(scale=(2,)))
    assert after.shape == tuple(2 * size for size in SHAPE)


def test_a_spacing_that_divides_the_field_of_view_is_a_plain_scale():
    assert spaced_axis(240, 1.0, 0.5) == AxisGrid(240, 480)
    assert spaced_axis(24, float(np.float32(0.7)), 0.7) == AxisGrid(24, 24)


def test_a_coarser_grid_and_the_same_one_are_refused(tmp_path):
    path = stored(tmp_path / "in.nii", asymmetric(), affine_with("LPS"))
    volume = StoredVolume.open(path)
    with pytest.raises(ValueError, match=r"at most 0\.7 mm.*along axis 1, found 1 mm"):
        target_of(volume, UpscaleOptions(spacing=(1, 1, 1)))
    with pytest.raises(ValueError, match="the requested grid equals the input's"):
        target_of(volume, UpscaleOptions(spacing=(0.7, 1.1, 2.5)))
    with pytest.raises(ValueError, match="at least 1"):
        target_of(volume, UpscaleOptions(scale=(0.5,)))


def test_either_a_scale_or_a_spacing():
    with pytest.raises(ValidationError, match="found neither"):
        UpscaleOptions()
    with pytest.raises(ValidationError, match="found both"):
        UpscaleOptions(scale=(2,), spacing=(1,))


def test_an_absurd_size_is_refused_with_what_it_takes():
    axes = (AxisGrid(10, 40_000), AxisGrid(10, 100), AxisGrid(10, 100))
    target = Target(axes, (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match=r"100 x 100 x 40000 voxels .* 1\.5 GiB"):
        check_size(target, 1, 4)
    with pytest.raises(ValueError, match=r"4\.5 GiB more of disk space"):
        check_size(target, 1, 4)  # two views of 1.5 GiB, and the output compressed
    check_size(target, 1, 4, force=True)
