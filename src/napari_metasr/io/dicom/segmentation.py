"""Regions of a DICOM series as a DICOM segmentation (DICOM-SEG), one segment each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr import __version__
from napari_metasr.errors import in_words
from napari_metasr.io.dicom.derived import (
    DECIMAL_LENGTH,
    NUMBER_OFFSET,
    PROGRAM,
    REQUIRED,
    decimals,
    headers_of,
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
    from collections.abc import Sequence
    from pathlib import Path

    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["write_seg"]


def write_seg(
    path: Path,
    regions: Sequence[Region],
    source: DicomVolume,
    *,
    time: int = 0,
    overwrite: bool = False,
) -> Path:
    """Write regions as a binary DICOM segmentation in the study of their series.

    Parameters
    ----------
    path
        ``.dcm``, in a folder that exists.
    regions
        On the grid of the series; one segment each, in this order.
    source
        The series: patient, study and frame of reference are copied, and its images referenced.
    time
        Time point whose images are referenced.
    overwrite
        Replace an existing file.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, ValueError
        As `check_output` and `check_regions`, or if the series lacks what a segmentation needs.
    """
    check_output(path, source, overwrite=overwrite)
    check_regions(path, regions, source)
    with quiet():
        try:
            dataset = _segmentation(regions, source, time)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path}: expected a series that a DICOM segmentation can refer to, found one with "
                f"an element that is missing or wrong ({in_words(error)})"
            ) from None
    save(dataset, path, overwrite=overwrite)
    return path


def _segmentation(regions: Sequence[Region], source: DicomVolume, time: int) -> Any:
    import highdicom
    from pydicom.uid import generate_uid

    headers = headers_of(source, time)
    for header in headers:
        if "ImageOrientationPatient" in header:  # rounded differently from slice to slice
            header.ImageOrientationPatient = headers[0].ImageOrientationPatient
        for keyword in REQUIRED:
            if keyword not in header:
                setattr(header, keyword, "")
    pixels = np.stack([stored(region, source) for region in regions], axis=-1).astype(np.uint8)
    affine = lps_affine(source)
    column, row, between = (float(np.linalg.norm(affine[:3, axis])) for axis in range(3))
    patient = highdicom.CoordinateSystemNames.PATIENT
    places: dict[str, Any] = {
        "pixel_measures": highdicom.PixelMeasuresSequence(
            pixel_spacing=(row, column), slice_thickness=between, spacing_between_slices=between
        )
    }
    if len(headers) < len(pixels):  # several images in a file, not necessarily in this order
        places["plane_orientation"] = highdicom.PlaneOrientationSequence(
            patient, (*affine[:3, 0] / column, *affine[:3, 1] / row)
        )
        places["plane_positions"] = [
            highdicom.PlanePositionSequence(patient, affine[:3, 3] + number * affine[:3, 2])
            for number in range(len(pixels))
        ]
    found = highdicom.seg.Segmentation(
        source_images=headers,
        pixel_array=pixels,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_described(*each) for each in enumerate(regions, start=1)],
        series_instance_uid=generate_uid(),
        series_number=NUMBER_OFFSET + (source.series.frames[0][0].header.series_number or 0),
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=PROGRAM,
        manufacturer_model_name=PROGRAM,
        software_versions=__version__,
        device_serial_number="0",
        content_label="REGIONS",
        content_description=PURPOSE,
        series_description=PURPOSE,
        **places,
    )
    _shorten(found)
    return found


def _shorten(dataset: Any) -> None:
    """Give every decimal string the length that DICOM allows, those copied from the series too."""
    for element in dataset.iterall():
        values = element.value if element.VM > 1 else [element.value] * element.VM
        if element.VR == "DS" and any(len(str(value)) > DECIMAL_LENGTH for value in values):
            element.value = decimals(values)


def _described(number: int, region: Region) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    kinds = highdicom.seg.SegmentAlgorithmTypeValues
    found = None
    if region.algorithm:
        found = highdicom.AlgorithmIdentificationSequence(
            name=region.algorithm, family=codes.DCM.ArtificialIntelligence, version=__version__
        )
    lesion = (codes.SCT.MorphologicallyAbnormalStructure, codes.SCT.Lesion)
    category, kind = lesion if region.is_lesion else (codes.SCT.Tissue, codes.SCT.Tissue)
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=region.name,
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type=kinds.MANUAL if found is None else kinds.AUTOMATIC,
        algorithm_identification=found,
        tracking_uid=highdicom.UID(),
        tracking_id=region.name,
    )
