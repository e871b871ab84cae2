"""Files in a folder, below it or in an archive, opened one at a time."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from napari_metasr.io.dicom.recognition import has_magic, is_zip, walked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

__all__ = ["FoundFile", "Opener", "found_files"]

MEMBERS = 200_000
MEMBER_BYTES = 4 << 30
"""An archive of more files is refused, and a file in it that unpacks to more."""

RATIO, ROOM = 100, 1 << 28
"""An archive that unpacks to more than so many times its size, and more bytes, is refused."""

IN_MEMORY = 32 << 20
"""Up to so many bytes an unpacked file stays in memory; a larger one goes to a scratch file."""

UNREADABLE_ARCHIVE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    zlib.error,
)

INDEX = "DICOMDIR"


@dataclass(frozen=True)
class FoundFile:
    """A file that can be opened; its name is not shown, since it may be a patient's.

    Attributes
    ----------
    path
        The file, or the archive that holds it.
    size
        In bytes, unpacked; -1 of a link that leads nowhere.
    member
        Which one of the archive's it is; not by its name, which may be there twice.
    """

    path: Path
    size: int
    member: int | None = None


class Opener:
    """Opens found files, keeping the archive that they lie in open meanwhile."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._archives: dict[Path, zipfile.ZipFile] = {}

    def __enter__(self) -> Opener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def archive(self, path: Path) -> zipfile.ZipFile:
        """Open an archive; one that is already open is reused.

        Raises
        ------
        ValueError
            If it is none, or holds far too many files.
        """
        if path not in self._archives:
            try:
                archive = self._stack.enter_context(zipfile.ZipFile(path))
            except UNREADABLE_ARCHIVE:
                raise ValueError(f"{path}: expected a .zip file, found a damaged one") from None
            if len(archive.filelist) > MEMBERS:
                raise ValueError(
                    f"{path}: expected at most {MEMBERS:,} files in an archive, found "
                    f"{len(archive.filelist):,}"
                )
            unpacked = sum(member.file_size for member in archive.filelist)
            if unpacked > max(ROOM, RATIO * path.stat().st_size):
                raise ValueError(
                    f"{path}: expected an archive that unpacks to at most {RATIO} times its size, "
                    f"found one of {unpacked / 2**30:.1f} GiB"
                )
            self._archives[path] = archive
        return self._archives[path]

    def is_dicom(self, file: FoundFile) -> bool:
        """Tell by its first bytes, without unpacking more.

        Raises
        ------
        ValueError
            If the archive is damaged, or locked with a password.
        """
        if file.member is None:
            with file.path.open("rb") as stream:
                return has_magic(stream)
        with self._unpacked(file) as packed:
            return has_magic(packed)

    @contextmanager
    def open(self, file: FoundFile) -> Iterator[BinaryIO]:
        """Give a file to read and seek in; what is unpacked for that is gone afterwards.

        Raises
        ------
        ValueError
            If the archive is damaged, or the file in it far too large.
        """
        if file.member is None:
            with file.path.open("rb") as stream:
                yield stream
            return
        if file.size > MEMBER_BYTES:
            raise ValueError(
                f"{file.path}: expected files of at most {MEMBER_BYTES >> 30} GiB in an archive, "
                f"found one of {file.size / 2**30:.1f} GiB"
            )
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as scratch:
            with self._unpacked(file) as packed:  # reads no more than the size that was declared
                shutil.copyfileobj(packed, scratch)
            scratch.seek(0)
            yield cast("BinaryIO", scratch)

    @contextmanager
    def _unpacked(self, file: FoundFile) -> Iterator[BinaryIO]:
        archive = self.archive(file.path)
        try:
            with archive.open(archive.filelist[cast("int", file.member)]) as packed:
                yield cast("BinaryIO", packed)
        except UNREADABLE_ARCHIVE as error:
            locked = "password" in str(error)
            found = "one that is locked with a password" if locked else "a damaged one"
            raise ValueError(f"{file.path}: expected a .zip file, found {found}") from None


def found_files(path: Path, opener: Opener) -> Iterator[FoundFile]:
    """Yield every file that a path stands for, DICOM or not.

    Parameters
    ----------
    path
        A file, a folder (with all below it), a .zip file, or a DICOMDIR (which stands for its
        folder).
    opener
        Holds the archive.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If the archive is damaged.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    if is_zip(path):
        for number, member in enumerate(opener.archive(path).filelist):
            if not member.is_dir():
                yield FoundFile(path, member.file_size, number)
        return
    if path.is_file() and path.name.upper() == INDEX:
        path = path.parent
    for file in walked(path) if path.is_dir() else [path]:
        if file.is_file():
            yield FoundFile(file, file.stat().st_size)
        elif file.is_symlink() and not file.exists():
            yield FoundFile(file, -1)
