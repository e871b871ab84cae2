"""Data folders as training finds them, with images of noise."""

from __future__ import annotations

import csv

import nibabel
import numpy as np
from PIL import Image

SHAPE = (14, 18, 6)  # x, y, z

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def head(seed=0, shape=SHAPE, dtype=np.int16):
    """A volume (x, y, z) without symmetry, bright almost everywhere."""
    volume = np.random.default_rng(seed).integers(200, 900, shape)
    volume[:3] = 0
    return volume.astype(dtype)


def tumour(shape=SHAPE):
    mask = np.zeros(shape, np.uint8)
    mask[5:8, 4:6, 2:4] = 1
    mask[8, 6, 3] = 4
    return mask


def save_volume(path, data, affine=LPS):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(data, affine), path)
    return path


def save_picture(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def gray(seed=0, shape=(20, 24)):
    return np.random.default_rng(seed).integers(1, 255, shape).astype(np.uint8)


def write_rows(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def cheng(folder, patients):
    """``slices.csv``, images and masks of (patient, split) pairs, an image each."""
    rows = [
        (number, "glioma", *patient, "axial") for number, patient in enumerate(patients, start=1)
    ]
    write_rows(folder / "slices.csv", ("id", "tumour", "patient", "split", "plane"), *rows)
    for number, *_ in rows:
        colour = np.repeat(gray(number)[..., np.newaxis], 3, axis=2)
        save_picture(folder / "images" / f"{number}.webp", colour, lossless=True)
        mask = np.zeros((20, 24), bool)
        mask[number : number + 4, 5:9] = True
        save_picture(folder / "masks" / f"{number}.png", mask)


def tcga(folder, patients):
    write_rows(
        folder / "patients.csv", ("patient", "split", "slices"), *[(*p, 6) for p in patients]
    )
    for seed, (patient, split) in enumerate(patients):
        save_volume(folder / split / f"{patient}_t1ce.nii.gz", head(seed, dtype=np.uint8))
        save_volume(folder / split / f"{patient}_mask.nii.gz", tumour())


BRATS = {
    "2018": ("HGG/Brats18_TCIA01_131_1", "_t1ce.nii.gz", "_seg.nii.gz", "brats2018"),
    "2019": ("LGG/BraTS19_TCIA09_141_1", "_t1ce.nii.gz", "_seg.nii.gz", "brats2019"),
    "2020": (
        "MICCAI_BraTS2020_TrainingData/BraTS20_Training_001",
        "_t1ce.nii",
        "_seg.nii",
        "brats2020",
    ),
    "2021": ("BraTS2021_00000", "_t1ce.nii.gz", "_seg.nii.gz", "brats2021"),
    "2023": ("BraTS-GLI-00000-000", "-t1c.nii.gz", "-seg.nii.gz", "brats-gli"),
}
