"""Lesions of a segmentation, and segmentations of another space."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_metasr.io import read_volume, write_volume
from napari_metasr.lesions.files import read_segmentation
from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.volume import Plane


@pytest.mark.parametrize("plane", list(Plane))
def test_rectangles_fit_the_parts_exactly(plane):
    labels = np.zeros((12, 14, 16), np.uint8)
    labels[2:5, 3:7, 4:9] = 1
    labels[5, 4:6, 9:11] = 3  # another label that touches at an edge
    labels[9:11, 10:12, 1:3] = 2
    large, small = lesions_in(labels, plane)
    expected = np.zeros(labels.shape, bool)
    expected[2:5, 3:7, 4:9] = expected[5, 4:6, 9:11] = True
    slices = np.moveaxis(expected, plane.normal_axis, 0)
    for index, image in enumerate(slices):
        if not image.any():
            assert index not in large.detections
            continue
        rows, columns = np.nonzero(image)
        top, left, bottom, right = large.detections[index].region
        assert (top, left) == (rows.min(), columns.min())
        assert (bottom, right) == (rows.max() + 1, columns.max() + 1)
    assert small.box == ((9, 11), (10, 12), (1, 3))
    assert small.score == large.score == 1


def test_pictures_and_specks():
    labels = np.zeros((8, 9))
    labels[2:4, 3:8] = 1
    labels[6, 0] = 1
    lesions = lesions_in(labels, Plane.AXIAL)
    assert [one.detections[0].area for one in lesions] == [10, 1]
    assert len(lesions_in(labels, Plane.AXIAL, least_voxels=2)) == 1
    assert lesions_in(np.zeros((8, 9)), Plane.AXIAL) == ()


def test_what_is_no_segmentation_is_refused():
    with pytest.raises(ValueError, match="whole numbers"):
        lesions_in(np.full((4, 4, 4), 0.5), Plane.AXIAL)
    with pytest.raises(ValueError, match=r"found shape \(2, 4, 4, 4\)"):
        lesions_in(np.zeros((2, 4, 4, 4), int), Plane.AXIAL)


def test_a_segmentation_stored_otherwise_lies_in_the_same_place(phantom_volume, tmp_path):
    path = tmp_path / "seg.nii.gz"
    labels = (phantom_volume.data > 600).astype(np.uint8)
    image = nib.Nifti1Image(labels.T, phantom_volume.affine)
    change = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt("PSL")
    )
    nib.save(image.as_reoriented(change), path)
    (lesion,) = read_segmentation(path, phantom_volume, Plane.CORONAL)
    assert lesion == lesions_in(labels, Plane.CORONAL)[0]


def test_segmentations_of_another_space_are_refused_with_both_spaces(phantom_volume, tmp_path):
    labels = np.ones(phantom_volume.data.shape, np.uint8)
    moved = phantom_volume.affine.copy()
    moved[0, 3] += 0.5
    write_volume(tmp_path / "moved.nii", labels, moved, phantom_volume.source)
    with pytest.raises(ValueError, match=r"\(-9\.40, -14\.50, 19\.75\).* \(-8\.90, -14\.50, 19"):
        read_segmentation(tmp_path / "moved.nii", phantom_volume, Plane.AXIAL)
    affine = phantom_volume.affine
    write_volume(tmp_path / "short.nii", labels[1:], affine, phantom_volume.source)
    with pytest.raises(ValueError, match=r"18 x 26 x 22 voxels .* short.nii with 17 x 26 x 22"):
        read_segmentation(tmp_path / "short.nii", phantom_volume, Plane.AXIAL)
    series = np.stack([labels, labels])
    write_volume(tmp_path / "series.nii", series, affine, phantom_volume.source)
    assert read_volume(tmp_path / "series.nii").data.ndim == 4
    with pytest.raises(ValueError, match="2 x 18 x 26 x 22"):
        read_segmentation(tmp_path / "series.nii", phantom_volume, Plane.AXIAL)
