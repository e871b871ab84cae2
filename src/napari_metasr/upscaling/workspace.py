"""Keep unfinished work in a folder beside the output, with a journal of how far it got.

The folder outlives the process, however that ends. What the system had not yet written to the disk
when the power failed is lost; what is there is compared with what was written, and refused then.
"""

from __future__ import annotations

import hashlib
import shutil
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from napari_metasr.files import replacing
from napari_metasr.upscaling.errors import DamagedWorkError, InUseError, OtherWorkError
from napari_metasr.upscaling.options import Boxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOURNAL = "journal.json"


class Findings(BaseModel, extra="forbid", frozen=True):
    """Findings about the input, once it is unpacked.

    Attributes
    ----------
    intensity_range, value_range
        Intensities that networks see as 0 and 1; smallest and largest finite value.
    ranges
        The same two of each time point of a series, where they are its own.
    missing
        Number of values that are NaN or infinite.
    boxes
        Boxes around lesions, if those were looked for; see ``UpscaleOptions``.
    concerns
        Reasons not to trust these.
    acquisition
        What is known of how the input was acquired, one line each.
    consistent_with
        The acquisition with which slices in plane are made consistent, in words.
    told
        What the network of slices in plane is told of their acquisition, in words.
    """

    intensity_range: tuple[float, float]
    value_range: tuple[float, float]
    ranges: tuple[tuple[tuple[float, float], tuple[float, float]], ...] = ()
    missing: int
    boxes: Boxes = ()
    concerns: tuple[str, ...] = ()
    acquisition: tuple[str, ...] = ()
    consistent_with: str | None = None
    told: str | None = None

    @property
    def missing_concerns(self) -> tuple[str, ...]:
        """What to say of values that are NaN or infinite, if there are any."""
        if not self.missing:
            return ()
        shown = "networks are shown what is next to them, and they stay what they are"
        return (f"{self.missing:,} voxels are NaN or infinite: {shown}",)

    def at_time(self, time: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the intensity range and the value range of a time point."""
        return self.ranges[time] if self.ranges else (self.intensity_range, self.value_range)


class Journal(BaseModel, extra="forbid", frozen=True):
    """Record of how far the work got.

    Attributes
    ----------
    fingerprint
        Hash of everything that decides the result.
    findings
        Findings about the input, once it is unpacked.
    unpacked
        Hash of the unpacked input.
    digests
        Hashes of what each finished part wrote, in order.
    seal
        Hash of all the other fields, in the file.
    """

    fingerprint: str
    findings: Findings | None = None
    unpacked: str = ""
    digests: tuple[str, ...] = ()
    seal: str = ""

    @property
    def done(self) -> int:
        """How many parts are."""
        return len(self.digests)

    @property
    def right_seal(self) -> str:
        """The seal that these fields have."""
        return hashlib.sha256(self.model_dump_json(exclude={"seal"}).encode()).hexdigest()


class Workspace:
    """The folder of the work on one output; one process at a time may use it.

    Parameters
    ----------
    output
        The file to make.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.with_name(f".{output.name}.unfinished")
        self._lock = output.with_name(f".{output.name}.lock")

    @contextmanager
    def opened(self, fingerprint: str, *, resume: bool) -> Iterator[Journal]:
        """Make the folder, or resume in it, and keep other processes out meanwhile.

        Its content stays if the work fails, and until `remove`.

        Raises
        ------
        InUseError
            If another process is working on it.
        DamagedWorkError, OtherWorkError
            If the unfinished work cannot be resumed with this plan.
        OSError
            If the folder cannot be made.

        Warns
        -----
        UserWarning
            If unfinished work is discarded, without ``resume``.
        """
        with self._alone():
            yield self._begun(fingerprint, resume=resume)

    @property
    def is_begun(self) -> bool:
        """Whether there is unfinished work to resume."""
        return (self.folder / JOURNAL).is_file()

    def discard(self) -> None:
        """Remove unfinished work.

        Raises
        ------
        InUseError
            If another process works on it.
        """
        with self._alone():
            self.remove()

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Make the folder anew for work that is not resumed, and remove it in the end.

        Raises
        ------
        InUseError
            If another process is working on it.
        OSError
            If the folder cannot be made.
        """
        with self._alone():
            self.remove()
            self.folder.mkdir()
            try:
                yield self.folder
            finally:
                self.remove()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out."""
        lock = FileLock(self._lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise InUseError(f"{self.folder}: another process is working on this output") from None
        try:
            yield
        finally:
            with suppress(OSError):  # Windows does not remove what is open
                self._lock.unlink()
            lock.release()

    def _begun(self, fingerprint: str, *, resume: bool) -> Journal:
        path = self.folder / JOURNAL
        if resume and path.is_file():
            damaged = DamagedWorkError(
                f"{path}: expected a journal of unfinished work, found a damaged one"
            )
            try:
                journal = Journal.model_validate_json(path.read_bytes())
            except ValidationError:
                raise damaged from None
            if journal.seal != journal.right_seal:
                raise damaged
            if journal.fingerprint != fingerprint:
                raise OtherWorkError(
                    f"{self.folder}: the unfinished work was begun from another input, with other "
                    "options or by another version"
                )
            return journal
        if path.is_file():
            warnings.warn(f"{self.folder}: unfinished work is discarded", stacklevel=5)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir()
        journal = Journal(fingerprint=fingerprint)
        try:
            self.write(journal)
        except OSError:
            self.remove()
            raise
        return journal

    def write(self, journal: Journal) -> None:
        """Record how far the work got."""
        sealed = journal.model_copy(update={"seal": journal.right_seal})
        with replacing(self.folder / JOURNAL, overwrite=True, scratch=True) as temporary:
            temporary.write_text(sealed.model_dump_json(), encoding="utf-8")

    def remove(self) -> None:
        """Free the disk: the work is done, or discarded."""
        shutil.rmtree(self.folder, ignore_errors=True)
