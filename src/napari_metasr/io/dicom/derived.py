"""What every DICOM file that is derived from a series has: patient, study, equipment, purpose."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from napari_metasr import __version__
from napari_metasr.io.dicom.files import Opener

if TYPE_CHECKING:
    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = ["DESCRIPTION_LENGTH", "NUMBER_OFFSET", "PROGRAM", "header_of", "headers_of", "in_study"]

PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID"),
    *("AccessionNumber", "StudyDescription", "PatientAge", "PatientSize", "PatientWeight"),
    *("FrameOfReferenceUID", "PositionReferenceIndicator", "SpecificCharacterSet"),
)
REQUIRED = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("ReferringPhysicianName", "StudyID", "AccessionNumber"),
)
"""Elements that must be there, if only empty (DICOM PS3.3, C.7.1.1 and C.7.2.1)."""

NUMBER_OFFSET = 9000
"""Derived series are numbered beyond those of scanners."""

PROGRAM = "napari-metasr"
DESCRIPTION_LENGTH = 64


def header_of(source: DicomVolume) -> Any:
    """Read the header of a series' first image."""
    return headers_of(source, first=True)[0]


def headers_of(source: DicomVolume, time: int = 0, *, first: bool = False) -> list[Any]:
    """Read the headers of the files that hold the images of a time point, in their order.

    Parameters
    ----------
    source
        The series.
    time
        The time point.
    first
        Only that of the first image.

    Returns
    -------
    list of pydicom.Dataset
        Without pixels; one for each file.
    """
    from pydicom import dcmread

    files = list(dict.fromkeys(frame.header.file for frame in source.series.frames[time]))
    headers = []
    with Opener() as opener:
        for file in files[: 1 if first else None]:
            with opener.open(file) as stream:
                headers.append(dcmread(stream, stop_before_pixels=True))
    return headers


def in_study(template: Any, sop_class: str, modality: str) -> Any:
    """Return a new object of the patient and the study of another one, made by this program.

    Parameters
    ----------
    template
        Header of an image of the study.
    sop_class, modality
        What the object is.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    found = Dataset()
    for keyword in PATIENT_AND_STUDY:
        if keyword in template:
            found[keyword] = template[keyword]
        elif keyword in REQUIRED:
            setattr(found, keyword, "")
    now = datetime.now().astimezone()
    found.SOPClassUID, found.Modality = sop_class, modality
    found.SOPInstanceUID, found.SeriesInstanceUID = generate_uid(), generate_uid()
    found.InstanceNumber = 1
    found.Manufacturer = found.ManufacturerModelName = PROGRAM
    found.SoftwareVersions = __version__
    found.ContentDate, found.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    found.file_meta = FileMetaDataset()
    found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    found.file_meta.MediaStorageSOPClassUID = found.SOPClassUID
    found.file_meta.MediaStorageSOPInstanceUID = found.SOPInstanceUID
    return found
