"""What holds DICOM files, told fast and without their library."""

from __future__ import annotations

import os
import zipfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["has_magic", "is_dicom", "is_zip", "walked"]

MAGIC = b"DICM"
PREAMBLE = 128
FIRST_ELEMENTS = frozenset(
    group.to_bytes(2, "little") + element.to_bytes(2, "little")
    for group, elements in ((2, (0, 1, 2)), (8, (0, 1, 5, 8, 0x12, 0x13, 0x14, 0x16, 0x18)))
    for element in elements
)
LONGEST_FIRST = 256
"""Bytes of such an element, where its length alone follows its tag."""

LOOKS = 256
"""After so many files of other kinds a folder is not looked through any further."""

ZARR = frozenset({".zarray", ".zattrs", ".zgroup", "zarr.json"})


def is_dicom(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is DICOM, or a folder or a .zip file holds such files."""
    path = Path(path)
    try:
        if path.is_dir():
            return any(_is_dicom_file(file) for file in islice(walked(path), LOOKS))
        return _holds_dicom(path) if is_zip(path) else _is_dicom_file(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False


def is_zip(path: Path) -> bool:
    """Tell by its ending whether a file is an archive."""
    return path.suffix.lower() == ".zip" and path.is_file()


def has_magic(stream: BinaryIO) -> bool:
    """Tell whether a file that is open at its beginning is DICOM, with or without a preamble."""
    content = stream.read(PREAMBLE + len(MAGIC))
    return content[PREAMBLE:] == MAGIC or _begins_with_element(content)


def _begins_with_element(content: bytes) -> bool:
    """Return whether a file begins with an element that can open a data set or its header."""
    if len(content) < PREAMBLE or content[:4] not in FIRST_ELEMENTS:
        return False
    kind, length = content[4:6], int.from_bytes(content[4:8], "little")
    explicit = kind.isalpha() and kind.isupper()
    return explicit or length <= LONGEST_FIRST


def walked(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and below it, in the order of their names.

    Hidden ones and those of zarr arrays are passed over, links to folders are not followed.
    """
    for parent, folders, names in os.walk(folder):
        if ZARR.intersection(names):
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _is_dicom_file(path: Path) -> bool:
    """Tell without waiting for pipes; what cannot be read is none."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return has_magic(stream)
    except OSError:
        return False


def _holds_dicom(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        members = (member for member in archive.infolist() if not member.is_dir())
        for member in islice(members, LOOKS):
            with archive.open(member) as stream:
                if has_magic(stream):  # type: ignore[arg-type]
                    return True
    return False
