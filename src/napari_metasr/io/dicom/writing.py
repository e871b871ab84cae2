"""A volume made of a DICOM series, as DICOM again: for archives and viewers that know no NIfTI.

The file is a multi-frame secondary capture, derived, in the study of its source. It holds the
patient's name and numbers, since nothing could file it without them; so it is written only when it
is asked for, and nothing else that is written holds any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import check_kept, check_writable, replacing
from napari_metasr.io.dicom.derived import DESCRIPTION_LENGTH, NUMBER_OFFSET, header_of, in_study
from napari_metasr.io.dicom.extra import need_dicom, quiet
from napari_metasr.io.orientation import from_canonical
from napari_metasr.normalisation import StreamedRange, cast_to_dtype
from napari_metasr.purpose import RESEARCH_USE_SENTENCE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["check_values", "write_dicom"]

DERIVATION_LENGTH = 1024
LARGEST = int(np.iinfo(np.uint16).max)
FEWEST_STEPS = 255
"""Whole numbers in the range of values that are none: with fewer, rounding shows."""


def check_values(path: Path, source: DicomVolume) -> None:
    """Refuse a series whose super-resolved values, which stay in its range, could not be written.

    Raises
    ------
    ValueError
        If values are missing, negative or too large, or rounding to whole numbers would show.
    """
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
        If the voxels are not three-dimensional, or beyond what such a file can hold.
    """
    need_dicom()
    check_writable(path, overwrite=overwrite)
    check_kept(path, source.files)
    if data.ndim != 3:
        raise ValueError(f"{path}: expected three dimensions to write as DICOM, found {data.ndim}")
    _check_range(path, float(np.min(data)), float(np.max(data)))
    stored, stored_affine = from_canonical(data, affine, source.file_affine)
    with quiet():
        dataset = _derived(source, description)
        _add_pixels(dataset, cast_to_dtype(stored, np.uint16).T)
        _add_places(dataset, np.diag([-1.0, -1.0, 1.0, 1.0]) @ stored_affine)
        with replacing(path, overwrite=overwrite) as temporary:
            dataset.save_as(temporary, enforce_file_format=True)
    return path


def _derived(source: DicomVolume, description: str) -> Any:
    """Make everything but pixels and places."""
    from pydicom.uid import MultiFrameGrayscaleWordSecondaryCaptureImageStorage

    header = source.series.frames[0][0].header
    kind, modality = MultiFrameGrayscaleWordSecondaryCaptureImageStorage, header.modality or "OT"
    found = in_study(header_of(source), kind, modality)
    found.ConversionType = "SYN"
    found.SeriesNumber = NUMBER_OFFSET + (header.series_number or 0)
    found.SeriesDescription = f"{header.description} super-resolved".strip()[:DESCRIPTION_LENGTH]
    found.ImageType = ["DERIVED", "SECONDARY"]
    found.DerivationDescription = f"{description}. {RESEARCH_USE_SENTENCE}"[:DERIVATION_LENGTH]
    found.BurnedInAnnotation = "NO"
    found.LossyImageCompression = "01" if header.lossy else "00"
    return found


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
    from pydicom.valuerep import DSfloat

    def numbers(values: Any) -> list[Any]:
        return [DSfloat(float(value), auto_format=True) for value in values]

    column, row, between = (float(np.linalg.norm(affine[:3, axis])) for axis in range(3))
    measures, orientation, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = numbers((row, column))
    measures.SliceThickness = measures.SpacingBetweenSlices = numbers((between,))[0]
    orientation.ImageOrientationPatient = numbers((*affine[:3, 0] / column, *affine[:3, 1] / row))
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
        position.ImagePositionPatient = numbers(affine[:3, 3] + number * affine[:3, 2])
        content.DimensionIndexValues = [number + 1]
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
