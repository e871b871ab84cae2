"""A volume made of a DICOM series, as DICOM again: for archives and viewers that know no NIfTI.

The file is a multi-frame secondary capture, derived, in the study of its source. It holds the
patient's name and numbers, since nothing could file it without them; so it is written only when it
is asked for, and nothing else that is written holds any.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import check_kept, check_writable
from napari_metasr.io.dicom.derived import (
    DESCRIPTION_LENGTH,
    NUMBER_OFFSET,
    check_filed,
    dataset_of,
    decimals,
    headers_of,
    in_study,
    references_to,
    save,
)
from napari_metasr.io.dicom.extra import need_dicom, quiet
from napari_metasr.io.dicom.window import window_of
from napari_metasr.io.orientation import from_canonical
from napari_metasr.normalisation import StreamedRange, cast_to_dtype, contrast_limits
from napari_metasr.purpose import RESEARCH_USE_SENTENCE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["check_source", "write_dicom"]

DERIVATION_LENGTH = 1024
LARGEST = int(np.iinfo(np.uint16).max)
FEWEST_STEPS = 255
"""Whole numbers in the range of values that are none: with fewer, rounding shows."""

MOST_PIXELS = (1 << 31) - 1
"""Of two bytes each, the length of which is counted in 32 bits (DICOM PS3.5, 7.1.1)."""

LOSSES = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")
PURPOSE_OF_REFERENCE = {
    "CodeValue": "121322",
    "CodingSchemeDesignator": "DCM",
    "CodeMeaning": "Source image for image processing operation",
}


def check_source(path: Path, source: DicomVolume, shape: Sequence[int]) -> None:
    """Refuse a series whose super-resolved volume could not be written, before it is made.

    Parameters
    ----------
    path
        The file that is to be written.
    source
        The series, in whose range the values stay.
    shape
        Of the super-resolved volume, (z, y, x).

    Raises
    ------
    ValueError
        If values are missing, negative or too large, rounding to whole numbers would show, there
        are too many pixels for a file, or the series does not name its study.
    """
    check_filed(path, source)
    _check_size(path, shape)
    measured = StreamedRange()
    for _, block in source.blocks():
        measured.look(block)
    low, high = measured.value_range if not measured.missing else (np.nan, np.nan)
    _check_range(path, low, high)
    if source.dtype.kind == "f" and high - low < FEWEST_STEPS:
        raise ValueError(
            f"{path}: expected at least {FEWEST_STEPS} whole numbers between the smallest and the "
            f"largest value to write as DICOM, which holds no others, found {low:g} to {high:g}"
        )


def _check_size(path: Path, shape: Sequence[int]) -> None:
    if math.prod(shape) > MOST_PIXELS or max(shape) > LARGEST:
        size = " x ".join(map(str, reversed(shape)))
        raise ValueError(
            f"{path}: expected at most {MOST_PIXELS:,} voxels, and {LARGEST:,} along an axis, to "
            f"write as DICOM, found {size}"
        )


def _check_range(path: Path, low: float, high: float) -> None:
    if not 0 <= low <= high <= LARGEST:
        raise ValueError(
            f"{path}: expected values of 0 to {LARGEST} to write as DICOM, "
            f"found {low:g} to {high:g}"
        )


def write_dicom(
    path: Path,
    data: NDArray[Any],
    affine: NDArray[np.float64],
    source: DicomVolume,
    *,
    description: str,
    overwrite: bool = False,
) -> Path:
    """Write canonical voxels as a derived multi-frame image in the study of a series.

    Parameters
    ----------
    path
        ``.dcm``, in a folder that exists.
    data : ndarray, shape (z, y, x)
        Canonical voxels, 0 to 65535; rounded to whole numbers.
    affine
        4 x 4, canonical voxel (x, y, z) to world mm (RAS+).
    source
        The series that it was made of: patient, study and frame of reference are copied.
    description
        How it was made.
    overwrite
        Replace an existing file.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError
        As `files.check_writable`, also if the output is a file of the series.
    ValueError
        If the voxels are not three-dimensional, or beyond what such a file can hold, or the
        series does not name its study.
    """
    need_dicom()
    check_writable(path, overwrite=overwrite)
    check_kept(path, source.files)
    if data.ndim != 3:
        raise ValueError(f"{path}: expected three dimensions to write as DICOM, found {data.ndim}")
    check_filed(path, source)
    _check_size(path, data.shape)
    _check_range(path, float(np.min(data)), float(np.max(data)))
    stored, stored_affine = from_canonical(data, affine, source.file_affine)
    with quiet():
        dataset = _derived(source, description)
        _add_window(dataset, *(window_of(source) or contrast_limits(data)))
        _add_pixels(dataset, cast_to_dtype(stored, np.uint16).T)
        _add_places(dataset, np.diag([-1.0, -1.0, 1.0, 1.0]) @ stored_affine)
    save(dataset, path, overwrite=overwrite)
    return path


def _derived(source: DicomVolume, description: str) -> Any:
    """Make everything but pixels and places."""
    from pydicom.uid import MultiFrameGrayscaleWordSecondaryCaptureImageStorage, generate_uid

    headers, header = headers_of(source), source.series.frames[0][0].header
    kind, modality = MultiFrameGrayscaleWordSecondaryCaptureImageStorage, header.modality or "OT"
    found = in_study(headers[0], kind, modality)
    if not found.get("FrameOfReferenceUID"):  # places need coordinates, if those of this file alone
        found.FrameOfReferenceUID = generate_uid()
    found.ConversionType = "SYN"
    found.SeriesNumber = NUMBER_OFFSET + (header.series_number or 0)
    found.SeriesDescription = f"{header.description} super-resolved".strip()[:DESCRIPTION_LENGTH]
    found.Laterality = found.PatientOrientation = ""
    found.ImageType = ["DERIVED", "SECONDARY"]
    found.DerivationDescription = f"{description}. {RESEARCH_USE_SENTENCE}"[:DERIVATION_LENGTH]
    found.BurnedInAnnotation = headers[0].get("BurnedInAnnotation") or "NO"
    found.LossyImageCompression = "01" if header.lossy else "00"
    for keyword in LOSSES if header.lossy else ():
        if keyword in headers[0]:
            found[keyword] = headers[0][keyword]
    found.SourceImageSequence = references_to(headers)
    for image in found.SourceImageSequence:
        image.PurposeOfReferenceCodeSequence = [dataset_of(**PURPOSE_OF_REFERENCE)]
    return found


def _add_window(dataset: Any, low: float, high: float) -> None:
    """Add the values that viewers show from black to white at first."""
    dataset.WindowCenter, dataset.WindowWidth = decimals(((low + high) / 2, max(high - low, 1)))


def _add_pixels(dataset: Any, frames: NDArray[np.uint16]) -> None:
    """Add the frames, with their rows, columns and pixel format."""
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.PixelData = frames.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def _add_places(dataset: Any, affine: NDArray[np.float64]) -> None:
    """Add the place of each frame; the affine maps voxel (column, row, frame) to mm (LPS)."""
    from pydicom.datadict import tag_for_keyword
    from pydicom.dataset import Dataset
    from pydicom.uid import generate_uid

    column, row, between = (float(np.linalg.norm(affine[:3, axis])) for axis in range(3))
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = decimals((row, column))
    measures.SliceThickness = measures.SpacingBetweenSlices = decimals((between,))[0]
    orientation.ImageOrientationPatient = decimals((*affine[:3, 0] / column, *affine[:3, 1] / row))
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    dataset.SharedFunctionalGroupsSequence = [shared]
    organization, index = Dataset(), Dataset()
    organization.DimensionOrganizationUID = index.DimensionOrganizationUID = generate_uid()
    index.DimensionIndexPointer = tag_for_keyword("ImagePositionPatient")
    index.FunctionalGroupPointer = tag_for_keyword("PlanePositionSequence")
    dataset.DimensionOrganizationSequence, dataset.DimensionIndexSequence = [organization], [index]
    dataset.FrameIncrementPointer = tag_for_keyword("PerFrameFunctionalGroupsSequence")
    frames = []
    for number in range(dataset.NumberOfFrames):
        position, content, frame = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = decimals(affine[:3, 3] + number * affine[:3, 2])
        content.DimensionIndexValues = [number + 1]
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
