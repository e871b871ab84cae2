"""Regions of a DICOM series as contours: an RT structure set (RTSTRUCT), one structure each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.grids import HALF
from napari_metasr.io.dicom.derived import (
    NUMBER_OFFSET,
    dataset_of,
    decimals,
    headers_of,
    in_study,
    references_to,
    save,
)
from napari_metasr.io.dicom.extra import quiet
from napari_metasr.io.dicom.regions import (
    PURPOSE,
    Region,
    check_output,
    check_regions,
    lps_affine,
    stored,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["write_rtstruct"]

COLOURS = ((230, 60, 60), (60, 180, 75), (70, 130, 230), (240, 200, 40), (200, 80, 220))
STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
"""Detached Study Management, by which structure sets name the study (DICOM PS3.3, C.8.8.5)."""


def write_rtstruct(
    path: Path,
    regions: Sequence[Region],
    source: DicomVolume,
    *,
    time: int = 0,
    overwrite: bool = False,
) -> Path:
    """Write regions as an RT structure set in the study of their series.

    The contours of a slice run halfway between the centres of voxels inside and outside, so that
    they enclose the centres of the region's voxels and of no others. A region with holes has
    contours that are combined by exclusive or (``CLOSEDPLANAR_XOR``).

    Parameters
    ----------
    path, regions, source, time, overwrite
        As `write_seg`.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, ValueError
        As `check_output` and `check_regions`.
    """
    check_output(path, source, overwrite=overwrite)
    check_regions(path, regions, source)
    with quiet():
        dataset = _structure_set(regions, source, time)
    save(dataset, path, overwrite=overwrite)
    return path


def _structure_set(regions: Sequence[Region], source: DicomVolume, time: int) -> Any:
    from pydicom.uid import ImplicitVRLittleEndian, RTStructureSetStorage

    headers = headers_of(source, time)
    found = in_study(headers[0], RTStructureSetStorage, "RTSTRUCT")
    # An explicit one counts the bytes of a contour's numbers in 16 bits (DICOM PS3.5, 7.1.2).
    found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    found.SeriesNumber = NUMBER_OFFSET + (source.series.frames[0][0].header.series_number or 0)
    found.SeriesDescription = found.StructureSetDescription = PURPOSE
    found.StructureSetLabel, found.StructureSetName = "REGIONS", "Regions, research use"
    found.StructureSetDate, found.StructureSetTime = found.ContentDate, found.ContentTime
    del found.ContentDate, found.ContentTime
    found.OperatorsName, found.ApprovalStatus = "", "UNAPPROVED"
    images = _images(headers, source, time)
    space = found.FrameOfReferenceUID
    found.ReferencedFrameOfReferenceSequence = [_frame_of_reference(headers[0], images)]
    found.StructureSetROISequence, found.ROIContourSequence = [], []
    found.RTROIObservationsSequence = []
    affine = lps_affine(source)
    for number, region in enumerate(regions, start=1):
        found.StructureSetROISequence.append(_structure(number, region, space))
        found.ROIContourSequence.append(_contours(number, stored(region, source), affine, images))
        found.RTROIObservationsSequence.append(
            dataset_of(
                ObservationNumber=number,
                ReferencedROINumber=number,
                ROIObservationDescription=PURPOSE[:60],
                RTROIInterpretedType="",
                ROIInterpreter="",
            )
        )
    return found


def _images(headers: Sequence[Any], source: DicomVolume, time: int) -> list[Any]:
    """Return the reference to the image of each slice."""
    frames = source.series.frames[time]
    files = list(dict.fromkeys(frame.header.file for frame in frames))
    if len(files) == len(frames):
        return references_to(headers)
    by_file = dict(zip(files, headers, strict=True))
    images = references_to([by_file[frame.header.file] for frame in frames])
    for image, frame in zip(images, frames, strict=True):
        image.ReferencedFrameNumber = frame.index + 1
    return images


def _frame_of_reference(header: Any, images: Sequence[Any]) -> Any:
    series = dataset_of(
        SeriesInstanceUID=header.SeriesInstanceUID, ContourImageSequence=list(images)
    )
    study = dataset_of(
        ReferencedSOPClassUID=STUDY_CLASS,
        ReferencedSOPInstanceUID=header.StudyInstanceUID,
        RTReferencedSeriesSequence=[series],
    )
    return dataset_of(
        FrameOfReferenceUID=header.FrameOfReferenceUID, RTReferencedStudySequence=[study]
    )


def _structure(number: int, region: Region, space: str) -> Any:
    return dataset_of(
        ROINumber=number,
        ReferencedFrameOfReferenceUID=space,
        ROIName=region.name,
        ROIDescription=region.algorithm or region.name,
        ROIGenerationAlgorithm="AUTOMATIC" if region.algorithm else "",
    )


def _contours(
    number: int, mask: NDArray[np.bool_], affine: NDArray[Any], images: Sequence[Any]
) -> Any:
    """Return the contours of a region, given its voxels (slice, row, column)."""
    outlines = [
        (index, outline)
        for index in map(int, np.flatnonzero(mask.any(axis=(1, 2))))
        for outline in outlines_of(mask[index])
    ]
    kind = "CLOSEDPLANAR_XOR" if any(_has_hole(image) for image in mask) else "CLOSED_PLANAR"
    contours = []
    for index, outline in outlines:
        rows, columns = outline.T
        places = np.stack([columns, rows, np.full_like(rows, index), np.ones_like(rows)])
        points = (affine @ places)[:3].T
        contours.append(
            dataset_of(
                ContourImageSequence=[images[index]],
                ContourGeometricType=kind,
                NumberOfContourPoints=len(points),
                ContourData=decimals(points.ravel()),
            )
        )
    return dataset_of(
        ROIDisplayColor=list(COLOURS[(number - 1) % len(COLOURS)]),
        ContourSequence=contours,
        ReferencedROINumber=number,
    )


def outlines_of(image: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """Yield the closed outlines of a slice's region: (points, 2), row and column, none twice."""
    from skimage.measure import find_contours

    padded = np.pad(image, 1).astype(np.float64)
    for outline in find_contours(padded, float(HALF)):
        yield outline[:-1] - 1


def _has_hole(image: NDArray[np.bool_]) -> bool:
    """Return whether any of the background of a slice is enclosed by its region."""
    from scipy import ndimage

    _, parts = ndimage.label(np.pad(~image, 1, constant_values=True), structure=np.ones((3, 3)))
    return bool(parts > 1)
