"""What the header of a file says of its images, read without their pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_metasr.io.dicom.extra import quiet
from napari_metasr.io.dicom.frame import Frame, Header, OtherKindError, RefusalError
from napari_metasr.io.dicom.groups import GE_CREATOR, GE_PART, Groups, frame_of
from napari_metasr.io.dicom.pixel_format import (
    check_decodable,
    check_inflated,
    check_length,
    pixel_format,
    syntax_of,
)
from napari_metasr.io.dicom.redaction import IDENTIFYING, redacted
from napari_metasr.io.told import KEYWORDS, WORDS

if TYPE_CHECKING:
    from napari_metasr.io.dicom.files import FoundFile, Opener

__all__ = ["DamagedError", "NoImageError", "read_frames"]

TAGS = (
    *IDENTIFYING,
    *(
        "SOPClassUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SeriesNumber",
        "InstanceNumber",
        "Modality",
    ),
    *("SeriesDescription", "ImageType", "ComplexImageComponent", "FrameOfReferenceUID"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
    *("SpacingBetweenSlices", "EchoTime", "InversionTime", "TemporalPositionIdentifier"),
    *("TriggerTime", "DiffusionBValue", "DiffusionGradientOrientation", "AcquisitionNumber"),
    *(
        "TemporalResolution",
        "RepetitionTime",
        "ScanningSequence",
        "EchoPlanarPulseSequence",
        "AcquisitionTime",
        "StackID",
        "NumberOfFrames",
        "Rows",
        "Columns",
    ),
    *("PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *KEYWORDS,
    *("LossyImageCompression", "SharedFunctionalGroupsSequence"),
    "PerFrameFunctionalGroupsSequence",
)


ABOUT_IMAGES = "1.2.840.10008.5.1.4.1.1.66."
"""What the UIDs of segmentations and registrations begin with."""

DECODING = ("SamplesPerPixel", "PhotometricInterpretation", "BitsStored", "PixelRepresentation")
"""What the library demands for decoding, though it goes without saying."""

MACROS = ("MRFOVGeometrySequence", "MRTimingAndRelatedParametersSequence", "MRModifierSequence")
"""The groups of elements, shared by frames, that tell of the acquisition."""


class NoImageError(ValueError):
    """The file holds something else; says what."""


class DamagedError(ValueError):
    """The header cannot be read."""


def read_frames(file: FoundFile, opener: Opener, dates: dict[str, str]) -> list[Frame]:
    """Read the images of a DICOM file, without their pixels.

    An image that is of no use is returned with the header's ``fault``, since its series lacks it.

    Parameters
    ----------
    file, opener
        The file, and what opens it.
    dates
        Takes the date of the study, by its UID: no frame keeps it.

    Raises
    ------
    NoImageError
        If the file is DICOM but no image.
    DamagedError
        If not even its series can be told.
    """
    from pydicom import dcmread

    try:
        with quiet(), opener.open(file) as stream:
            check_inflated(stream)
            wanted: list[Any] = [*TAGS, GE_CREATOR, GE_PART]
            dataset = dcmread(stream, stop_before_pixels=True, specific_tags=wanted, force=True)
            _check_kind(dataset)
            header = _header(file, dataset)
            date = str(dataset.get("StudyDate") or "")
            dates[header.study] = max(date, dates.get(header.study, ""))
            try:
                _check_image(dataset)
                header = replace(header, **pixel_format(dataset, stream))
                check_decodable(header)
                check_length(header, _number_of_frames(dataset), stream)
                return _frames(header, dataset)
            except RefusalError as refusal:
                apart = isinstance(refusal, OtherKindError)
                return [Frame(replace(header, fault=str(refusal), apart=apart))]
    except (NoImageError, MemoryError):
        raise
    except Exception:
        raise DamagedError from None


def _header(file: FoundFile, dataset: Any) -> Header:
    elements = Groups(dataset, {}, {})
    number = elements.number("SeriesNumber")
    return Header(
        file=file,
        uid=_uid(dataset),
        series_number=None if number is None else int(number),
        instance_number=int(elements.number("InstanceNumber") or 0),
        modality=redacted(str(dataset.get("Modality") or ""), {}),
        description=redacted(str(dataset.get("SeriesDescription") or ""), dataset),
        image_type=tuple(map(str, dataset.get("ImageType") or ())),
        syntax=syntax_of(dataset),
        is_bare=not dataset.file_meta.get("TransferSyntaxUID")
        or any(not _is_given(dataset, keyword) for keyword in DECODING),
        rows=int(dataset.get("Rows") or 0),
        columns=int(dataset.get("Columns") or 0),
        lossy=dataset.get("LossyImageCompression") == "01",
        told=_told(dataset),
        study=str(dataset.get("StudyInstanceUID") or ""),
    )


def _is_given(dataset: Any, keyword: str) -> bool:
    value = dataset.get(keyword)
    return value not in {None, ""} and (value != 0 or keyword == "PixelRepresentation")


def _told(dataset: Any) -> dict[str, Any]:
    """Collect what the file, or the groups that its frames share, record of the acquisition."""
    found: dict[str, Any] = {}
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    groups = [macro[0] for name in MACROS if (macro := shared.get(name))]
    for keyword in KEYWORDS:
        for source in (dataset, *groups):
            try:
                value = source.get(keyword)
                if value is None or value == "":
                    continue
                found[keyword] = _plain(value, dataset if keyword in WORDS else None)
            except Exception:  # it tells nothing; the image may be sound
                continue
            break
    return found


def _plain(value: Any, identified: Any) -> Any:
    """Convert a value to numbers, or to words without identifiers if the latter are given."""
    if identified is not None:
        words = [value] if isinstance(value, str) else value
        return " ".join(redacted(str(word), identified) for word in words)
    return float(value) if isinstance(value, int | float) else [float(number) for number in value]


def _uid(dataset: Any) -> str:
    """Return what identifies the series of an image: its UID, or its study and number."""
    if dataset.get("SeriesInstanceUID"):
        return str(dataset.SeriesInstanceUID)
    parts = (dataset.get("StudyInstanceUID"), dataset.get("SeriesNumber"))
    if not any(parts):
        raise DamagedError
    return f"{parts[0]} {parts[1]} {dataset.get('SeriesDescription')}"


def _check_kind(dataset: Any) -> None:
    """Tell what holds no image, such as the index of a disc, or an image of labels.

    Raises
    ------
    NoImageError
        If it holds none; says what it is.
    """
    kind = dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID")
    name = kind.name if kind else ""
    has_size = dataset.get("Rows") and dataset.get("Columns")
    if not name and not has_size and "SeriesInstanceUID" not in dataset:
        raise DamagedError
    about_image = str(kind).startswith(ABOUT_IMAGES)
    if about_image or (not has_size and "Image Storage" not in name):
        unknown = "segmentation" if about_image else "another kind"
        raise NoImageError(unknown if name[:1].isdigit() else name or "unknown kind")


def _check_image(dataset: Any) -> None:
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise RefusalError("expected whole files, found a truncated one")
    if "MOSAIC" in (dataset.get("ImageType") or ()):
        raise RefusalError(
            "expected a slice in each image, found a mosaic of slices, which "
            "`dcm2niix -z y -o OUTPUT FOLDER` turns into NIfTI"
        )
    if "ModalityLUTSequence" in dataset:
        raise RefusalError("expected a rescale slope, found a modality lookup table")


def _number_of_frames(dataset: Any) -> int:
    return int(dataset.get("NumberOfFrames") or 1)


def _frames(header: Header, dataset: Any) -> list[Frame]:
    count = _number_of_frames(dataset)
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    if count > 1 and not own:
        raise RefusalError("expected a place for each frame, found frames without one")
    if own and len(own) != count:
        raise RefusalError(f"expected the places of {count} frames, found {len(own)}")
    groups = [Groups(dataset, shared, group) for group in own or [{}]]
    return [frame_of(header, index, group) for index, group in enumerate(groups)]
