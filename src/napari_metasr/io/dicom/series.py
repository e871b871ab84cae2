"""Images to volumes, or the reasons why they are none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from nibabel.affines import voxel_sizes

from napari_metasr.io.dicom.frame import RefusalError
from napari_metasr.io.dicom.moments import arrange
from napari_metasr.io.dicom.redaction import series_name
from napari_metasr.io.dicom.remarks import concerns_of, remarks_of
from napari_metasr.io.dicom.splitting import split, told_apart
from napari_metasr.io.dicom.stacking import slots_of
from napari_metasr.io.orientation import axis_codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.files import Opener
    from napari_metasr.io.dicom.frame import Frame

__all__ = ["Series", "series_of"]


@dataclass(frozen=True, eq=False)
class Series:
    """Images that make up a volume, or the reason why they do not.

    Attributes
    ----------
    number
        By which it is chosen: the scanner's number, with ``.1``, ``.2`` and so on behind it where
        there are several of that number, or parts of one; 0 where there is none.
    uid
        By which it may be chosen as well; never to be written.
    modality, description
        As in the header, redacted.
    matrix
        Columns and rows.
    images
        How many there are, copies included.
    frames
        For each time point, one image for each slice; none if it is refused.
    affine
        4 x 4, voxel (column, row, slice) to world mm (RAS+).
    remarks
        What is good to know.
    concerns
        What speaks against trusting the volume.
    refusal
        Why there is no volume: "expected ..., found ...".
    part
        What tells it from others: the study, where there are several (counted by their dates),
        and its part of the series, such as ``echo time 80 ms``.
    """

    number: str
    uid: str = field(repr=False)
    modality: str
    description: str
    matrix: tuple[int, int]
    images: int
    frames: tuple[tuple[Frame, ...], ...] = field(default=(), repr=False)
    affine: NDArray[np.float64] = field(default_factory=lambda: np.eye(4), repr=False)
    remarks: tuple[str, ...] = ()
    concerns: tuple[str, ...] = ()
    refusal: str | None = None
    part: str = ""

    @property
    def slices(self) -> int:
        """How many there are; 0 if it is refused."""
        return len(self.frames[0]) if self.frames else 0

    @property
    def time_points(self) -> int:
        """How many there are; 0 if it is refused."""
        return len(self.frames)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Between columns, rows and slices, in mm."""
        column, row, slices = (float(size) for size in voxel_sizes(self.affine))
        return column, row, slices

    @property
    def orientation(self) -> str:
        """Where columns, rows and slices run to, such as ``LPS``."""
        return axis_codes(self.affine)

    @property
    def name(self) -> str:
        """What its volume is called, without anything by which a patient could be known."""
        part = self.number.partition(".")[2]
        description = " ".join(filter(None, (self.description, part if self.description else "")))
        return series_name(self.modality, description, self.number)

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return f"series {self.number}: {self.label}".rstrip(" :")

    @property
    def label(self) -> str:
        """What it is, without its number."""
        told = " ".join(filter(None, (self.modality, self.description)))
        return ", ".join(filter(None, (told, self.part)))


def series_of(
    groups: Iterable[list[Frame]], dates: Mapping[str, str], opener: Opener
) -> tuple[Series, ...]:
    """Make volumes of images, or say why there are none.

    Parameters
    ----------
    groups
        The images of each series.
    dates
        Of each study, by its UID: studies are counted in this order.
    opener
        For comparing the pixels of images that may be copies.
    """
    studies = sorted(dates, key=lambda uid: (dates[uid], uid))
    parts = []
    for number, frames in sorted(
        ((studies.index(frames[0].header.study) + 1, frames) for frames in groups),
        key=lambda one: (one[0], one[1][0].header.uid),
    ):
        study = f"study {number} of {len(studies)}" if len(studies) > 1 else ""
        parts += _parts(frames, study, opener)
    return _numbered(parts)


def _parts(frames: list[Frame], study: str, opener: Opener) -> list[Series]:
    """Split the images of one series into volumes."""
    faulty: list[Frame] = []
    sound: list[Frame] = []
    for frame in frames:
        spoils = frame.header.fault is not None and not frame.header.apart
        (faulty if spoils else sound).append(frame)
    groups = split(sound)
    if not faulty:
        parts = [_series(group, opener) for group in groups]
    else:
        refusal = f"{faulty[0].header.fault} ({len(faulty)} of {len(frames)} images)"
        parts = [_refused(group, refusal) for group in groups or [faulty]]
    told = told_apart(groups) if groups else [""]
    return [
        replace(series, part=", ".join(filter(None, (study, part))))
        for series, part in zip(parts, told, strict=True)
    ]


def _series(frames: list[Frame], opener: Opener) -> Series:
    try:
        if frames[0].header.fault:
            raise RefusalError(frames[0].header.fault)
        slots = slots_of(frames)
        arrangement = arrange(frames, slots.index, slots.count, opener)
    except RefusalError as refusal:
        return _refused(frames, str(refusal))
    return replace(
        _refused(frames, None),
        frames=arrangement.frames,
        affine=slots.affine,
        remarks=remarks_of(arrangement, slots),
        concerns=concerns_of(arrangement, slots),
    )


def _refused(frames: Iterable[Frame], refusal: str | None) -> Series:
    frames = list(frames)
    header = frames[0].header
    return Series(
        number=str(header.series_number or 0),
        uid=header.uid,
        modality=header.modality,
        description=header.description,
        matrix=(header.columns, header.rows),
        images=len(frames),
        refusal=refusal,
    )


def _numbered(parts: Iterable[Series]) -> tuple[Series, ...]:
    """Sort series and give each a number of its own."""
    found: list[Series] = []
    ordered = sorted(parts, key=lambda series: int(series.number))
    for number, same in groupby(ordered, lambda series: series.number):
        members = list(same)
        found += (
            members
            if len(members) == 1
            else [
                replace(member, number=f"{number}.{part}")
                for part, member in enumerate(members, start=1)
            ]
        )
    return tuple(found)
