"""What every DICOM file that is derived from a series has: patient, study, equipment, purpose."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from napari_metasr import __version__
from napari_metasr.files import replacing
from napari_metasr.io.dicom.extra import quiet
from napari_metasr.io.dicom.files import Opener

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from napari_metasr.io.dicom.volume import DicomVolume

__all__ = [
    "DECIMAL_LENGTH",
    "DESCRIPTION_LENGTH",
    "NUMBER_OFFSET",
    "PROGRAM",
    "REQUIRED",
    "check_filed",
    "dataset_of",
    "decimals",
    "headers_of",
    "in_study",
    "references_to",
    "save",
]

PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID"),
    *("AccessionNumber", "StudyDescription", "PatientAge", "PatientSize", "PatientWeight"),
    *("FrameOfReferenceUID", "PositionReferenceIndicator"),
)
REQUIRED = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("ReferringPhysicianName", "StudyID", "AccessionNumber", "PositionReferenceIndicator"),
)
"""Elements that must be there, if only empty (DICOM PS3.3, C.7.1.1, C.7.2.1 and C.7.4.1)."""

STUDY = "StudyInstanceUID"
REFERENCE = ("SeriesInstanceUID", "SOPClassUID", "SOPInstanceUID")
"""What another file refers to an image by."""

UTF8 = "ISO_IR 192"

NUMBER_OFFSET = 9000
"""Derived series are numbered beyond those of scanners."""

PROGRAM = "napari-metasr"
DESCRIPTION_LENGTH = 64
DECIMAL_LENGTH = 16
"""Characters that a decimal string may have (DICOM PS3.5, 6.2)."""


def headers_of(source: DicomVolume, time: int = 0) -> list[Any]:
    """Read the headers of the files that hold the images of a time point, in their order.

    Parameters
    ----------
    source
        The series.
    time
        The time point.

    Returns
    -------
    list of pydicom.Dataset
        Without pixels, their text in UTF-8; one for each file.
    """
    from pydicom import dcmread

    files = list(dict.fromkeys(frame.header.file for frame in source.series.frames[time]))
    headers = []
    with Opener() as opener:
        for file in files:
            with opener.open(file) as stream:
                header = dcmread(stream, stop_before_pixels=True, force=True)
            header.decode()
            header.SpecificCharacterSet = UTF8
            headers.append(header)
    return headers


def check_filed(path: Path, source: DicomVolume, *, referred: bool = False) -> None:
    """Refuse a series that no other file can be filed with.

    Parameters
    ----------
    path
        The file that is to be written.
    source
        The series.
    referred
        Whether the file has to refer to each image of the series, too.

    Raises
    ------
    ValueError
        If an image does not name its study or, if it is ``referred`` to, its series, its kind or
        itself.
    """
    needed = (STUDY, *REFERENCE) if referred else (STUDY,)
    with quiet():
        headers = headers_of(source)
        missing = [word for word in needed if not all(header.get(word) for header in headers)]
    if missing:
        raise ValueError(
            f"{path}: expected a series that a DICOM file can be filed with, found one without "
            f"{' and '.join(missing)}"
        )


def dataset_of(**elements: Any) -> Any:
    """Return a dataset of these elements, by their keywords."""
    from pydicom.dataset import Dataset

    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def references_to(headers: Sequence[Any]) -> list[Any]:
    """Return a reference to each file, by its header, that has what it is referred to by."""
    return [
        dataset_of(
            ReferencedSOPClassUID=header.SOPClassUID, ReferencedSOPInstanceUID=header.SOPInstanceUID
        )
        for header in headers
        if all(header.get(keyword) for keyword in REFERENCE)
    ]


def decimals(values: Iterable[float]) -> list[Any]:
    """Return numbers as decimal strings of at most `DECIMAL_LENGTH`."""
    from pydicom.valuerep import DSfloat

    return [DSfloat(float(value), auto_format=True) for value in values]


def in_study(template: Any, sop_class: str, modality: str) -> Any:
    """Return a new object of the patient and the study of another one, made by this program.

    Parameters
    ----------
    template
        Header of an image of the study, its text in UTF-8.
    sop_class, modality
        What the object is.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    found = Dataset()
    found.SpecificCharacterSet = UTF8
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


def save(dataset: Any, path: Path, *, overwrite: bool) -> None:
    """Write a DICOM file.

    Raises
    ------
    OSError
        As `files.replacing`, or if the disk is full; with the path.
    """
    with quiet(), replacing(path, overwrite=overwrite) as temporary:
        try:
            dataset.save_as(temporary, enforce_file_format=True)
        except OSError as error:  # pydicom makes a new one, of the element and a traceback
            cause: BaseException | None = error
            while isinstance(cause, OSError) and cause.errno is None:
                cause = cause.__context__
            if not isinstance(cause, OSError):
                raise
            raise OSError(cause.errno, cause.strerror) from error
