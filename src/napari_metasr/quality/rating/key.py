"""The key of a rating study: which image is what. Sealed, so that opening it leaves a trace.

The seal is no encryption: it can be undone on purpose. It keeps the key from being read by
accident, `open_key` notes every opening in the study, and the key's SHA-256 in the public file
shows whether it was changed.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from napari_metasr.files import append_line, read_json
from napari_metasr.quality.rating.study import KEY_FILE, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.quality.rating.study import Study

OPENED_FILE = "opened.jsonl"
WARNING = (
    "Sealed. Raters must not open this file before they have rated every image; "
    "metasr-mos score opens it and notes when."
)


class Origin(BaseModel):
    """What an image is: which slice, by which method."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slice: str
    method: str


class Key(BaseModel):
    """What is sealed.

    Attributes
    ----------
    seed
        That the images were shuffled with.
    truth
        The method's label that is the truth.
    methods
        All labels, in the order of the tables.
    images
        For every file name what it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int
    truth: str
    methods: tuple[str, ...]
    images: dict[str, Origin]

    @property
    def text(self) -> bytes:
        """What is sealed, as bytes."""
        return json.dumps(self.model_dump(), sort_keys=True).encode()

    @property
    def digest(self) -> str:
        """SHA-256 that the public file carries."""
        return sha256(self.text)

    def write(self, path: Path) -> None:
        """Write it sealed."""
        sealed = base64.b64encode(zlib.compress(self.text)).decode()
        path.write_text(json.dumps({"note": WARNING, "sealed": sealed}), encoding="utf-8")


class Opening(BaseModel):
    """A line of ``opened.jsonl``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    time: AwareDatetime
    by: Literal["metasr-mos score"] = "metasr-mos score"


def open_key(study: Study) -> Key:
    """Open the seal, after noting in ``opened.jsonl`` that and when it was done.

    Raises
    ------
    FileNotFoundError
        If there is no key.
    ValueError
        If it is not the key that the study was prepared with.
    """
    path = study.folder / KEY_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the study's key is missing")
    line = Opening(study=study.card.id, time=datetime.now(UTC))
    append_line(study.folder / OPENED_FILE, line.model_dump_json())
    try:
        text = zlib.decompress(base64.b64decode(read_json(path)["sealed"], validate=True))
        key = Key.model_validate_json(text)
    except (binascii.Error, zlib.error, KeyError, TypeError, ValidationError):
        raise ValueError(f"{path}: expected a sealed key, found something else") from None
    if sha256(text) != study.card.key_sha256 or set(key.images) != set(study.names):
        raise ValueError(f"{path}: not the key that the study was prepared with")
    return key


def first_opening(study: Study) -> datetime | None:
    """Return when the key was first opened; None if it never was.

    Raises
    ------
    ValueError
        If a line of the record was changed.
    """
    path = study.folder / OPENED_FILE
    if not path.is_file():
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return min((Opening.model_validate_json(line).time for line in lines), default=None)
    except ValueError:
        raise ValueError(f"{path}: expected the times when the key was opened") from None
