"""NIfTI files of every orientation, with asymmetric voxels."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np

ORIENTATIONS = [
    "".join(codes)
    for axes in itertools.permutations(("RL", "AP", "SI"))
    for codes in itertools.product(*axes)
]
SHAPE = (5, 6, 7)
SPACING = {"R": 0.7, "L": 0.7, "A": 1.1, "P": 1.1, "S": 2.5, "I": 2.5}
ROTATION = nib.eulerangles.euler2mat(0.2, -0.15, 0.1)


def affine_with(codes, *, oblique=False):
    linear = np.zeros((3, 3))
    for axis, code in enumerate(codes):
        world = ["RL", "AP", "SI"].index(next(pair for pair in ("RL", "AP", "SI") if code in pair))
        linear[world, axis] = SPACING[code] * (1 if code in "RAS" else -1)
    affine = np.eye(4)
    affine[:3, :3] = ROTATION @ linear if oblique else linear
    affine[:3, 3] = (-20.25, 13.5, 7.0)
    return affine


def asymmetric(shape=SHAPE):
    return np.random.default_rng(3).integers(0, 3000, shape, dtype=np.int16)


def stored(path, data, affine, *, sform=1, qform=1, image_class=nib.Nifti1Image):
    image = image_class(data, affine, dtype=data.dtype)
    image.header.set_xyzt_units("mm", "sec")
    image.set_sform(affine, sform)
    image.set_qform(affine, qform)
    nib.save(image, path)
    return path


def corners(shape):
    """The eight corners of the field of view: half a voxel beyond the outer voxels' centres."""
    return np.array(list(itertools.product(*((-0.5, n - 0.5) for n in shape[:3]))))
