"""DICOM series that tests make, full of what must never come out of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

STUDY = "1.2.826.0.1.3680043.8.498.77777"
SECRETS = {
    "PatientName": "Mustermann^Erika",
    "PatientID": "PID-4711-X",
    "PatientBirthDate": "19640812",
    "StudyDate": "20240229",
    "SeriesDate": "20240229",
    "AcquisitionDate": "20240229",
    "StudyTime": "101112",
    "AccessionNumber": "ACC0815",
    "InstitutionName": "Charite Nord",
    "ReferringPhysicianName": "Sauerbruch^F",
    "StudyInstanceUID": STUDY,
}
TELLTALE = ("mustermann", "erika", "4711", "19640812", "20240229", "0815", "charite", "1.2.826")
"""What may not be found, in any case, in anything that is written."""

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def oblique(seed: int = 1) -> tuple[float, ...]:
    """Direction cosines of a row and a column that are along no axis."""
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return tuple(matrix[:, 0]) + tuple(matrix[:, 1])


def voxels(shape=(5, 7, 6), dtype=np.int16, seed=0):
    """Slices, rows, columns."""
    info = np.iinfo(dtype)
    numbers = np.random.default_rng(seed).integers(max(info.min, -900), min(info.max, 900), shape)
    return numbers.astype(dtype)


def image(pixels, *, uid=STUDY + ".1", syntax=ExplicitVRLittleEndian, **elements) -> Dataset:
    """One MR image, without a place; an element given as None is left out."""
    found = Dataset()
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = syntax
    found.file_meta.MediaStorageSOPClassUID = elements.get("SOPClassUID", MRImageStorage)
    found.SOPClassUID = MRImageStorage
    found.SOPInstanceUID = generate_uid(prefix=STUDY + ".9.")
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    found.SeriesInstanceUID = uid
    found.FrameOfReferenceUID = STUDY + ".5"
    for keyword, value in SECRETS.items():
        setattr(found, keyword, value)
    found.Modality, found.SeriesDescription, found.SeriesNumber = "MR", "t1 mprage", 3
    found.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    found.Rows, found.Columns = pixels.shape[-2:]
    found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
    found.BitsAllocated = found.BitsStored = 8 * pixels.dtype.itemsize
    found.HighBit, found.PixelRepresentation = found.BitsStored - 1, int(pixels.dtype.kind == "i")
    found.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    found["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        if value is None:
            if keyword in found:
                delattr(found, keyword)
        else:
            setattr(found, keyword, value)
    return found


def normal_of(orientation) -> np.ndarray:
    return np.cross(orientation[:3], orientation[3:])


def series(
    data,
    *,
    orientation=AXIAL,
    origin=(-10.0, 20.0, 30.0),
    pixel_spacing=(0.8, 0.6),
    step=2.5,
    direction=None,
    places=None,
    **elements: Any,
) -> list[Dataset]:
    """Images (slices, rows, columns), slice k ``step * k`` mm along the normal or a direction."""
    along = normal_of(orientation) if direction is None else np.asarray(direction, float)
    distances = step * np.arange(len(data)) if places is None else places
    return [
        image(
            pixels,
            **{
                "InstanceNumber": number,
                "ImagePositionPatient": list(np.asarray(origin) + distance * along),
                "ImageOrientationPatient": list(orientation),
                "PixelSpacing": list(pixel_spacing),
                "SliceThickness": float(step),
                **elements,
            },
        )
        for number, (pixels, distance) in enumerate(zip(data, distances, strict=True), start=1)
    ]


def enhanced(data, *, orientation=AXIAL, origin=(-10, 20, 30), spacing=(0.8, 0.6, 2.5), times=1):
    """An enhanced multi-frame image of (times * slices, rows, columns), slices in mixed order."""
    found = image(data, SOPClassUID=EnhancedMRImageStorage, NumberOfFrames=len(data))
    shared, orientations, measures = Dataset(), Dataset(), Dataset()
    orientations.ImageOrientationPatient = list(orientation)
    measures.PixelSpacing, measures.SliceThickness = list(spacing[:2]), spacing[2]
    shared.PlaneOrientationSequence = Sequence([orientations])
    shared.PixelMeasuresSequence = Sequence([measures])
    found.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    count = len(data) // times
    for number in range(len(data)):
        position, content, frame = Dataset(), Dataset(), Dataset()
        away = spacing[2] * (number % count) * normal_of(orientation)
        position.ImagePositionPatient = list(np.asarray(origin, float) + away)
        content.TemporalPositionIndex = number // count + 1
        frame.PlanePositionSequence = Sequence([position])
        frame.FrameContentSequence = Sequence([content])
        frames.append(frame)
    found.PerFrameFunctionalGroupsSequence = Sequence(frames)
    return found


def save(folder, datasets, *, seed=3, prefix="Mustermann_Erika_"):
    """Write datasets under names that give the patient away, in an order that is none."""
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng(seed).permutation(len(datasets))
    paths = [folder / f"{prefix}{number:04d}.dcm" for number in order]
    for path, dataset in zip(paths, datasets, strict=True):
        dataset.save_as(path, enforce_file_format=True)
    return folder
