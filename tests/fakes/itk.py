"""Volumes as SimpleITK writes and reads them, for readers to agree with."""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK
from nibabel.affines import apply_affine

from napari_metasr.io import read_volume

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def points_and_values(volume):
    """World positions (RAS+) and values of all voxels, in the order of the positions."""
    data = np.asarray(volume.data)
    indices = np.array(list(itertools.product(*(range(size) for size in data.shape))))
    world = apply_affine(volume.affine, indices[:, ::-1]).round(3)
    order = np.lexsort(world.T)
    return world[order], data.ravel()[order]


def itk_points_and_values(path):
    """The same as SimpleITK reads it."""
    image = SimpleITK.ReadImage(str(path))
    data = SimpleITK.GetArrayFromImage(image)
    indices = list(itertools.product(*(range(size) for size in image.GetSize())))
    world = np.array([image.TransformIndexToPhysicalPoint(index) for index in indices])
    world = (world * [-1, -1, 1]).round(3)
    values = np.array([data[index[::-1]] for index in indices])
    order = np.lexsort(world.T)
    return world[order], values[order]


def same_as_itk(path):
    world, values = points_and_values(read_volume(path))
    expected_world, expected = itk_points_and_values(path)
    np.testing.assert_allclose(world, expected_world, atol=2e-3)
    np.testing.assert_array_equal(values, expected)


def itk_image(data, affine):
    """An image of (i, j, k) voxels for SimpleITK, whose world is LPS."""
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(data.T))
    turned = LPS @ affine
    spacing = np.linalg.norm(turned[:3, :3], axis=0)
    image.SetSpacing(spacing)
    image.SetOrigin(turned[:3, 3])
    image.SetDirection((turned[:3, :3] / spacing).ravel())
    return image
