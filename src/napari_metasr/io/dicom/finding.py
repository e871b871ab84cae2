"""What DICOM there is in a place."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_metasr.io.dicom.extra import need_dicom
from napari_metasr.io.dicom.files import Opener, found_files
from napari_metasr.io.dicom.headers import DamagedError, NoImageError, read_frames
from napari_metasr.io.dicom.recognition import is_zip
from napari_metasr.io.dicom.series import series_of

if TYPE_CHECKING:
    import os

    from napari_metasr.io.dicom.frame import Frame
    from napari_metasr.io.dicom.series import Series

__all__ = ["Listing", "find_series"]


@dataclass(frozen=True)
class Listing:
    """Everything that was found.

    Attributes
    ----------
    series
        In the order of their numbers.
    others
        How many files are not DICOM.
    damaged
        How many are DICOM, but cannot be told to belong to any series.
    imageless
        How many are of other DICOM kinds, by the kind.
    missing
        How many links lead nowhere.
    archives
        How many .zip files there are in a folder; they are not looked into.
    """

    series: tuple[Series, ...]
    others: int = 0
    damaged: int = 0
    imageless: tuple[tuple[str, int], ...] = ()
    missing: int = 0
    archives: int = 0

    @property
    def readable(self) -> tuple[Series, ...]:
        """Those that are volumes."""
        return tuple(series for series in self.series if series.refusal is None)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What else there was, in words."""
        told = []
        if self.missing:
            told.append(f"{self.missing} link{_plural(self.missing)} to files that are not there")
        if self.damaged:
            told.append(f"{self.damaged} damaged DICOM file{_plural(self.damaged)}")
        if self.archives:
            archives = f"{self.archives} .zip file{_plural(self.archives)}"
            told.append(f"{archives} (each is read where it is named)")
        if self.others:
            told.append(f"{self.others} file{_plural(self.others)} of other kinds")
        told += [
            f"{count} DICOM file{_plural(count)} without an image ({kind})"
            for kind, count in self.imageless
        ]
        return tuple(told)


def find_series(*paths: str | os.PathLike[str]) -> Listing:
    """Find the series in folders and those below them, in .zip files and in files.

    Headers are read, and pixels only of images that may be copies of each other.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If an archive is damaged, or the libraries are missing.
    """
    need_dicom()
    by_uid: dict[str, list[Frame]] = defaultdict(list)
    dates: dict[str, str] = {}
    others = damaged = missing = archives = 0
    imageless: Counter[str] = Counter()
    with Opener() as opener:
        for path in paths:
            for file in found_files(Path(path), opener):
                if file.size < 0:
                    missing += 1
                    continue
                try:
                    if file.member is None and is_zip(file.path):
                        archives += 1
                        continue
                    if not opener.is_dicom(file):
                        others += 1
                        continue
                    for frame in read_frames(file, opener, dates):
                        by_uid[frame.header.uid].append(frame)
                except NoImageError as error:
                    imageless[str(error)] += 1
                except (DamagedError, OSError):
                    damaged += 1
        series = series_of(by_uid.values(), dates, opener)
    return Listing(series, others, damaged, tuple(sorted(imageless.items())), missing, archives)


def _plural(count: int) -> str:
    return "s" if count > 1 else ""
