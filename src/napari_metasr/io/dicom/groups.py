"""Where one image's elements stand: its own, those that frames share, or those of the file."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

from napari_metasr.io.dicom.frame import Frame, Header, Place, RefusalError

__all__ = ["GE_CREATOR", "GE_PART", "Groups", "frame_of"]


DIFFUSION = "MRDiffusionSequence"
TIMING = "MRTimingAndRelatedParametersSequence"

GE_CREATOR, GE_PART = (0x0043, 0x0010), (0x0043, 0x102F)
GE_PARTS = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")
"""What GE's own element, Raw Data Type, says of an image, by its number."""


class Groups:
    """Elements of a frame: its own, those that it shares, or those of the file."""

    def __init__(self, dataset: Any, shared: Any, own: Any) -> None:
        self._dataset = dataset
        self._groups = own, shared
        self._unreadable: set[str] = set()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The elements asked for so far that hold something else than they should."""
        return tuple(sorted(self._unreadable))

    def value(self, keyword: str, sequence: str = "", inner: str = "") -> Any:
        """Return a value, in a macro's sequence or the file; None if it is empty or unreadable."""
        for group in self._groups:
            for item in self._get(group, sequence) or [] if sequence else []:
                found = self._get(item, inner or keyword)
                if found is not None and found != "":
                    return found
        found = self._get(self._dataset, keyword)
        return None if found is None or found == "" else found

    def numbers(self, keyword: str, sequence: str, count: int) -> Any:
        """Read several numbers, or None."""
        found = self.value(keyword, sequence)
        try:
            return None if found is None or len(found) != count else tuple(map(float, found))
        except (TypeError, ValueError):
            self._unreadable.add(keyword)
            return None

    def number(self, keyword: str, sequence: str = "", inner: str = "") -> float | None:
        """Return a finite number, or None."""
        found = self.value(keyword, sequence, inner)
        if found is None:
            return None
        try:
            number = float(found)
        except (TypeError, ValueError):
            number = math.nan
        if math.isfinite(number):
            return number
        self._unreadable.add(keyword)
        return None

    @property
    def ge_part(self) -> str:
        """Which part of complex numbers the file holds, by the private element of GE; or empty."""
        with suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
            if str(self._dataset[GE_CREATOR].value).startswith("GEMS_PARM"):
                number = int(self._dataset[GE_PART].value)
                return GE_PARTS[number] if number >= 0 else ""
        return ""

    def _get(self, elements: Any, keyword: str) -> Any:
        """Return an element, or None if parsing it, which happens only now, raises any error."""
        try:
            return elements.get(keyword)
        except Exception:
            self._unreadable.add(keyword)
            return None


def frame_of(header: Header, index: int, of: Groups) -> Frame:
    """Make the frame of one image of a file.

    Parameters
    ----------
    header
        Of the file.
    index
        Which image, from 0.
    of
        Its elements.

    Raises
    ------
    RefusalError
        If all its values would be the same.
    """
    measures, rescale = "PixelMeasuresSequence", "PixelValueTransformationSequence"
    slope, intercept = of.number("RescaleSlope", rescale), of.number("RescaleIntercept", rescale)
    if slope == 0:
        raise RefusalError("expected a rescale slope other than 0, found 0")
    step, repetition = of.number("TemporalResolution"), of.number("RepetitionTime", TIMING)
    frame = Frame(
        header=header,
        index=index,
        space=str(of.value("FrameOfReferenceUID") or ""),
        place=_place(of),
        thickness=of.number("SliceThickness", measures),
        gap=of.number("SpacingBetweenSlices", measures),
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        stack=str(of.value("StackID", "FrameContentSequence") or ""),
        kinds=_kinds(header, of),
        moments=_moments(header, index, of),
        time_step=None if step is None else step / 1000,
        repetition_time=None if repetition is None else repetition / 1000,
        is_echo_planar="EP" in (of.value("ScanningSequence") or ())
        or of.value("EchoPlanarPulseSequence") == "YES",
    )
    return replace(frame, unreadable=of.unreadable)


def _place(of: Groups) -> Place | None:
    position = of.numbers("ImagePositionPatient", "PlanePositionSequence", 3)
    orientation = of.numbers("ImageOrientationPatient", "PlaneOrientationSequence", 6)
    spacing = of.numbers("PixelSpacing", "PixelMeasuresSequence", 2)
    if position is None or orientation is None or spacing is None:
        return None
    return Place(position, orientation, spacing)


def _kinds(header: Header, of: Groups) -> dict[str, Any]:
    macro = "MRImageFrameTypeSequence"
    frame_type = of.value("ImageType", macro, "FrameType") or header.image_type
    return {
        "image type": tuple(map(str, frame_type))[2:],
        "part of complex numbers": str(of.value("ComplexImageComponent", macro) or of.ge_part),
        "echo time": of.number("EchoTime", "MREchoSequence", "EffectiveEchoTime"),
        "inversion time": _inversion_time(of),
    }


def _inversion_time(of: Groups) -> float | None:
    """Return the time from inversion to measurement, where there is one."""
    several = of.value("InversionTimes", "MRModifierSequence")
    if several is not None and isinstance(several, int | float):
        return float(several)
    return of.number("InversionTime")


def _moments(header: Header, index: int, of: Groups) -> dict[str, Any]:
    content, diffusion = "FrameContentSequence", DIFFUSION
    weighting = of.number("DiffusionBValue", diffusion)
    return {
        "temporal position": of.number(
            "TemporalPositionIdentifier", content, "TemporalPositionIndex"
        ),
        "trigger time": of.number(
            "TriggerTime", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"
        ),
        "diffusion weighting": None if weighting is None else (weighting, *_direction(of)),
        "acquisition number": of.number("AcquisitionNumber", content, "FrameAcquisitionNumber"),
        "acquisition time": _clock_time(of.value("AcquisitionTime")),
        "instance number": (header.instance_number, index),
    }


def _clock_time(value: Any) -> float | None:
    """Return a time of day as a number that grows with it; None for what is no time."""
    with suppress(ValueError):
        return float(str(value).replace(":", ""))
    return None


def _direction(of: Groups) -> tuple[float, ...]:
    """Return the direction cosines of a diffusion gradient; none where there is no direction."""
    keyword = "DiffusionGradientOrientation"
    for item in of.value("DiffusionGradientDirectionSequence", DIFFUSION) or ():
        found = Groups(item, {}, {}).numbers(keyword, "", 3)
        if found is not None:
            return tuple(found)
    return of.numbers(keyword, "", 3) or ()
