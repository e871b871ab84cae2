"""The one-file form of a data folder, for a run on another machine.

A zip archive of ``index.json``, ``images/*.webp`` (lossless, 8 bit) and ``masks/*.png``, which any
archive program opens and `metasr_training.datasets.slices.load_slices` reads in place of a folder.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ValidationError

from metasr_training.datasets.entry import Entry
from metasr_training.datasets.image_slice import Domain, Slice, Split
from metasr_training.datasets.pictures import read_gray, read_mask
from metasr_training.datasets.readers import Decoded, Unreadable
from napari_metasr.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

_INDEX = "index.json"
_OVERHEAD = 400
"""Bytes that the archive and its index take for a slice, at most."""


class _Member(BaseModel, extra="forbid", frozen=True):
    """A slice in the archive: the fields of `Slice`, its split, and the names of its pictures."""

    image: str
    mask: str | None
    limits: tuple[float, float]
    source: str
    patient: str
    name: str
    split: Split
    domain: Domain
    band: tuple[float, float] = (1.0, 1.0)
    contrast: str = ""


class _Index(BaseModel, extra="forbid", frozen=True):
    form: Literal["metasr-slices-1"] = "metasr-slices-1"
    members: list[_Member]


@dataclass(frozen=True)
class PackedSlice:
    """A slice as it goes into the archive."""

    slice: Slice
    split: Split
    domain: Domain
    image: bytes
    mask: bytes | None

    @property
    def size(self) -> int:
        """Bytes that it takes in the archive, at most."""
        return len(self.image) + len(self.mask or b"") + _OVERHEAD


def write_pack(path: Path, encoded: list[PackedSlice], *, overwrite: bool = False) -> None:
    """Write the archive, whole or not at all.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError
        As `napari_metasr.files.replacing`.
    """
    members = [
        _Member(
            image=f"images/{number:06}.webp",
            mask=None if one.mask is None else f"masks/{number:06}.png",
            limits=one.slice.intensity_range,
            source=one.slice.source,
            patient=one.slice.patient,
            name=one.slice.name,
            split=one.split,
            domain=one.domain,
            band=one.slice.band,
            contrast=one.slice.contrast,
        )
        for number, one in enumerate(encoded)
    ]
    with (
        replacing(path, overwrite=overwrite) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        index = _Index(members=members).model_dump_json()
        archive.writestr(_INDEX, index, zipfile.ZIP_DEFLATED)
        for member, one in zip(members, encoded, strict=True):
            archive.writestr(member.image, one.image)
            if member.mask is not None and one.mask is not None:
                archive.writestr(member.mask, one.mask)


def _read_index(path: Path) -> list[_Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            return _Index.model_validate_json(archive.read(_INDEX)).members
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, ValidationError) as error:
        raise ValueError(
            f"{path}: expected a data folder or a file that `metasr-train pack` wrote, "
            f"found another or a damaged one ({type(error).__name__})"
        ) from error


def packed_entries(path: Path) -> list[Entry]:
    """List the slices of a packed file, each with its split.

    Raises
    ------
    ValueError
        If it is no such file, or damaged.
    """
    return [
        Entry(
            path / member.image,
            "natural" if member.domain == "natural" else "picture",
            member.source,
            member.patient,
            member.name,
            None if member.mask is None else path / member.mask,
            member.split,
            member.contrast,
        )
        for member in _read_index(path)
    ]


def _slice(archive: zipfile.ZipFile, member: _Member) -> Slice:
    names = [member.image] if member.mask is None else [member.image, member.mask]
    streams = [io.BytesIO(archive.read(name)) for name in names]
    image = read_gray(streams[0], member.image)
    mask = read_mask(streams[1], member.mask) if member.mask is not None else None
    of = (member.source, member.patient, member.name)
    return Slice(image, member.limits, *of, mask, member.band, member.contrast)


def read_packed(path: Path, entries: list[Entry], *, unreadable: Unreadable = "stop") -> Decoded:
    """Read slices of a packed file.

    Raises
    ------
    ValueError
        With ``stop``, if a picture is damaged; it is named.
    """
    wanted = {entry.image for entry in entries}
    slices, messages = [], []
    with zipfile.ZipFile(path) as archive:
        for member in _read_index(path):
            if path / member.image not in wanted:
                continue
            try:
                slices.append(_slice(archive, member))
            except (ValueError, KeyError, zipfile.BadZipFile, OSError) as error:
                message = f"{path / member.image}: {error}"
                if unreadable == "stop":
                    raise ValueError(message) from error
                messages.append(message)
    return Decoded(slices, messages)
