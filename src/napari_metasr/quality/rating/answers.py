"""A rater's answers: one line of a file each, on the disk before the next image is shown."""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from filelock import FileLock, Timeout
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from napari_metasr.errors import problems
from napari_metasr.files import append_line
from napari_metasr.quality.rating.study import FLAGS, GRADES

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.quality.rating.study import Study

LONGEST_NAME = 40


class Rating(BaseModel):
    """One answer.

    Attributes
    ----------
    study
        The study's id.
    rater
        The rater's name as in `rater_name`.
    image
        File name of the image.
    grade
        0 to 4, `GRADES`.
    flags
        Letters of `FLAGS`, in their order.
    time
        When it was given, UTC.
    scripted
        Whether a program gave it, not a person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    rater: str
    image: str
    grade: int = Field(ge=0, lt=len(GRADES), strict=True)
    flags: str = ""
    time: AwareDatetime
    scripted: bool = False

    @field_validator("flags")
    @classmethod
    def _known_flags(cls, flags: str) -> str:
        if not set(flags) <= set(FLAGS):
            raise ValueError(f"expected some of the flags {', '.join(FLAGS)}, found {flags!r}")
        return "".join(flag for flag in FLAGS if flag in flags)


def rater_name(text: str) -> str:
    """Normalise a rater's name, for records and file names: ``Dr. Ann Lee`` is ``dr-ann-lee``.

    Letters (of any script, in lower case) and digits stay, all else becomes a hyphen; two names
    that only differ in the rest are one rater.

    Raises
    ------
    ValueError
        If no letter or digit is left, or it is longer than 40 characters.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    name = re.sub(r"[\W_]+", "-", plain).strip("-")
    if not name:
        raise ValueError(f"expected a rater's name with letters or digits, found {text!r}")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"expected a rater's name of at most {LONGEST_NAME} characters")
    return name


def read_answers(study: Study, path: Path) -> tuple[list[Rating], int]:
    """Read every answer of a rater's file, in the order of giving.

    Returns
    -------
    answers
        The last of an image counts.
    size
        Bytes of the file that they take. If the file is longer, the rest is a line that was only
        half written when the program or the machine stopped.

    Raises
    ------
    ValueError
        If another line is no answer, or one of another study or rater.
    """
    answers, size = [], 0
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        try:
            answer = Rating.model_validate_json(line)
        except ValidationError as error:
            if not line.endswith(b"\n"):
                break
            raise ValueError(
                f"{path}, line {number}: expected a rating, found {problems(error, 'the line')}"
            ) from None
        if answer.study != study.card.id or answer.image not in study.card.images:
            raise ValueError(
                f"{path}, line {number}: a rating of another study "
                f"(expected {study.card.id}, found {answer.study})"
            )
        if answer.rater != path.stem:
            raise ValueError(f"{path}, line {number}: a rating by another rater, {answer.rater}")
        answers.append(answer)
        size += len(line)
    return answers, size


class RatingSheet:
    """A rater's answers in a study, open for writing by one program at a time.

    Use it as a context manager, or `close` it.

    Parameters
    ----------
    study
        The study.
    rater
        The rater's name, in any form that `rater_name` takes.
    scripted
        Whether the rater is a program, as in tests: its answers, and every table made of them,
        say so.

    Attributes
    ----------
    rater
        The name as it is kept.
    answers
        By file name of the image, the last one given.
    repaired
        What was mended on opening, in a sentence; empty if nothing.

    Raises
    ------
    ValueError
        If the name cannot be used, or the file holds something else than answers to this study,
        or answers of a program where a person is to rate, or the reverse.
    OSError
        If the file is open already, or cannot be written.
    """

    def __init__(self, study: Study, rater: str, *, scripted: bool = False) -> None:
        self.study, self.rater, self.scripted = study, rater_name(rater), scripted
        self.path = study.ratings / f"{self.rater}.jsonl"
        study.ratings.mkdir(exist_ok=True)
        self._lock = FileLock(study.ratings / f".{self.rater}.lock", thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise BlockingIOError(
                f"{self.path}: another window or program has the ratings of {self.rater} open; "
                "close it, or rate under another name"
            ) from None
        try:
            self.repaired = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> str:
        self.path.touch()
        answers, self._size = read_answers(self.study, self.path)
        if any(answer.scripted != self.scripted for answer in answers):
            kind = "a person" if self.scripted else "a script"
            raise ValueError(f"{self.path}: ratings of {kind}: rate under another name")
        self.answers = {answer.image: answer for answer in answers}
        whole = self.path.stat().st_size
        if whole > self._size:
            os.truncate(self.path, self._size)
            return (
                f"The last line of {self.path.name} was only half written and has been taken out: "
                "rate that image again."
            )
        if answers and not self.path.read_bytes().endswith(b"\n"):
            self._size = append_line(self.path, "")
            return f"The last line of {self.path.name} lacked its end, which has been added."
        return ""

    @property
    def first_unrated(self) -> int | None:
        """Place of the first image without an answer, from 0; None if there is none."""
        unrated = (at for at, name in enumerate(self.study.names) if name not in self.answers)
        return next(unrated, None)

    def write(self, image: str, grade: int, flags: str = "") -> Rating:
        """Take an answer; it is on the disk when this returns.

        Raises
        ------
        ValueError
            If there is no such image, grade or flag.
        OSError
            If it could not be written, or the file was changed by something else. The answers
            are what they were before.
        """
        if image not in self.study.card.images:
            raise ValueError(f"the study has no image {image!r}")
        answer = Rating(
            study=self.study.card.id,
            rater=self.rater,
            image=image,
            grade=grade,
            flags=flags,
            time=datetime.now(UTC),
            scripted=self.scripted,
        )
        found = self.path.stat().st_size if self.path.exists() else 0
        if found != self._size:
            raise OSError(
                f"{self.path}: changed by something else while it was open (expected "
                f"{self._size} bytes, found {found}); the answer was not written"
            )
        self._size = append_line(self.path, answer.model_dump_json())
        self.answers[image] = answer
        return answer

    def close(self) -> None:
        """Let others open it; safe to call twice."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
