"""A study in which people rate images by a mean opinion score (MOS), and its public file.

A study is a folder: ``images/0001.png ...``, blinded and shuffled; ``study.json``, public, with
what a rater may know; ``key.json``, sealed, with what each image is; ``ratings/RATER.jsonl``.
The scale is that of Zhu, Yang and Lio, *How Can We Make GAN Perform Better in Single Medical
Image Super-Resolution?*, ISBI 2019, section 2.4.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from napari_metasr.errors import problems
from napari_metasr.files import read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRADES = ("non-diagnostic", "poor", "fair", "good", "great")
"""What the grades 0 to 4 mean."""

FLAGS = {
    "S": "over-smooth",
    "A": "motion or other artefacts",
    "U": "unrealistic texture",
    "N": "too noisy",
}
"""What may be the matter with an image, whatever its grade."""

QUESTION = "How good is this image?"
STUDY_FILE = "study.json"
KEY_FILE = "key.json"
IMAGES = "images"
RATINGS = "ratings"
ID_LENGTH = 16
SCRIPTED = "scripted raters, no person's opinion"
"""What tables and figures say that were made of ratings which a program gave."""

Interpolation = Literal["cubic", "nearest"]
"""How pixels of an image are scaled to those of a screen."""


class StudyCard(BaseModel):
    """``study.json``: all that a rater, and the program that shows the images, may know.

    Attributes
    ----------
    id
        Digest of everything else, so that a changed study is noticed.
    question
        What the rater is asked.
    grades, flags
        The scale: `GRADES`, `FLAGS`.
    interpolation
        How pixels are scaled to the screen's, the same for every image.
    images
        File names in the order of showing, each with the SHA-256 of the file.
    key_sha256
        Of what is sealed in ``key.json``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["metasr-mos"] = "metasr-mos"
    version: Literal[1] = 1
    id: str = ""
    question: str = QUESTION
    grades: tuple[str, ...] = GRADES
    flags: dict[str, str] = FLAGS
    interpolation: Interpolation = "cubic"
    images: dict[str, str] = Field(min_length=1)
    key_sha256: str

    @field_validator("grades")
    @classmethod
    def _known_grades(cls, grades: tuple[str, ...]) -> tuple[str, ...]:
        if grades != GRADES:
            raise ValueError(f"expected the grades {', '.join(GRADES)}")
        return grades

    @field_validator("flags")
    @classmethod
    def _known_flags(cls, flags: dict[str, str]) -> dict[str, str]:
        if flags != FLAGS:
            raise ValueError(f"expected the flags {', '.join(FLAGS)}")
        return flags

    @field_validator("images")
    @classmethod
    def _names_of_files(cls, images: dict[str, str]) -> dict[str, str]:
        strange = [name for name in images if Path(name).name != name or not name.endswith(".png")]
        if strange:
            raise ValueError(f"expected names of PNG files, found {strange[0]!r}")
        return images

    @property
    def digest(self) -> str:
        """What ``id`` has to be."""
        content = self.model_dump(exclude={"id"})
        return sha256(json.dumps(content).encode())[:ID_LENGTH]

    def identified(self) -> StudyCard:
        """Return the same card with its id."""
        return self.model_copy(update={"id": self.digest})


@dataclass(frozen=True)
class Study:
    """A study's folder and its public file."""

    folder: Path
    card: StudyCard

    @property
    def names(self) -> tuple[str, ...]:
        """File names of the images in the order of showing."""
        return tuple(self.card.images)

    @property
    def ratings(self) -> Path:
        """The folder of the raters' files; it need not exist."""
        return self.folder / RATINGS

    def image(self, name: str) -> NDArray[np.uint8]:
        """Read an image of the study.

        Returns
        -------
        ndarray of uint8
            (rows, columns), 0 to 255 over the study's display window, first row on top.

        Raises
        ------
        FileNotFoundError
            If the file has gone.
        ValueError
            If it is not the file that the study was prepared with.
        """
        content = (self.folder / IMAGES / name).read_bytes()
        if sha256(content) != self.card.images[name]:
            raise ValueError(f"{self.folder / IMAGES / name}: changed since the study was prepared")
        with Image.open(BytesIO(content)) as picture:
            return np.asarray(picture)


def sha256(content: bytes) -> str:
    """Compute the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_study(folder: Path) -> Study:
    """Open a study.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, no study in it, or images of it are missing.
    NotADirectoryError
        If it is a file.
    ValueError
        If its public file is damaged or was changed.
    """
    path = folder / STUDY_FILE
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected the folder of a study, found a file")
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: expected a study, found no {STUDY_FILE} in it")
    try:
        card = StudyCard.model_validate(read_json(path))
    except ValidationError as error:
        raise ValueError(f"{path}: not a study's file: {problems(error, 'the file')}") from None
    if card.id != card.digest:
        raise ValueError(f"{path}: changed since the study was prepared")
    missing = [name for name in card.images if not (folder / IMAGES / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder / IMAGES}: {len(missing)} of {len(card.images)} images are missing, "
            f"the first is {missing[0]}"
        )
    return Study(folder, card)
