"""What is known of one image, without its pixels and without its patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_metasr.io.dicom.files import FoundFile

__all__ = ["Frame", "Header", "OtherKindError", "Place", "RefusalError"]


class RefusalError(ValueError):
    """Why images are no volume: "expected ..., found ..."."""


class OtherKindError(RefusalError):
    """They are of a kind that no volume is made of, and that no volume misses."""


@dataclass(frozen=True)
class Header:
    """What holds for all images of a file.

    Attributes
    ----------
    file
        Where it is.
    uid
        Of the series; for telling series apart, never to be written.
    study
        UID of the study; for telling studies apart, never to be written.
    series_number, instance_number
        As the scanner counted.
    modality
        Such as ``MR``.
    description
        Of the series, redacted.
    image_type
        As stored.
    syntax
        UID of the transfer syntax.
    is_bare
        Whether the file does not say all that decoding its pixels needs, such as that syntax.
    rows, columns
        Of each image.
    pixels
        The type of the stored numbers.
    bits
        How many bits of them count.
    inverted
        Whether low numbers are bright (MONOCHROME1).
    padding
        The lowest and the highest stored number that stand for no value, if there are any.
    lossy
        Whether they were compressed with losses.
    fault
        Why the file's images cannot be used, if so.
    apart
        Whether that is because they are of another kind, which the other images do not miss.
    told
        What the header tells of the acquisition, by keyword; words redacted.
    """

    file: FoundFile
    uid: str
    series_number: int | None
    instance_number: int
    modality: str
    description: str
    image_type: tuple[str, ...]
    syntax: str
    rows: int
    columns: int
    pixels: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint16))
    bits: int = 16
    inverted: bool = False
    padding: tuple[int, int] | None = None
    lossy: bool = False
    is_bare: bool = False
    fault: str | None = None
    apart: bool = False
    told: Mapping[str, Any] = field(default_factory=dict, compare=False)
    study: str = ""


@dataclass(frozen=True)
class Place:
    """Where an image lies in the patient.

    Attributes
    ----------
    position
        Of the first pixel's centre, in mm, towards left, posterior, superior (LPS).
    orientation
        Direction cosines along a row and down a column, LPS.
    pixel_spacing
        From row to row and from column to column, in mm.
    """

    position: tuple[float, float, float]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, float]


@dataclass(frozen=True)
class Frame:
    """One image.

    Attributes
    ----------
    header
        Of its file.
    index
        Which one of the file, from 0.
    space
        UID of the frame of reference; for telling apart, never to be written.
    place
        Where it lies, if that is said.
    thickness, gap
        Of the slice, and from slice to slice, in mm, where they are given.
    slope, intercept
        From stored numbers to values.
    stack
        Which one of several stacks in its file it belongs to, if that is said.
    kinds
        What tells kinds of images apart, such as the echo time, by its name.
    moments
        What may tell time points apart, by its name.
    time_step
        In seconds, where it is given.
    repetition_time
        In seconds, where it is given.
    is_echo_planar
        Whether all of a slice was measured after one excitation.
    unreadable
        Which elements hold something that cannot be read, and count as not given.
    """

    header: Header
    index: int = 0
    space: str = ""
    place: Place | None = None
    thickness: float | None = None
    gap: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    stack: str = ""
    kinds: Mapping[str, Any] = field(default_factory=dict)
    moments: Mapping[str, Any] = field(default_factory=dict)
    time_step: float | None = None
    repetition_time: float | None = None
    is_echo_planar: bool = False
    unreadable: tuple[str, ...] = ()
