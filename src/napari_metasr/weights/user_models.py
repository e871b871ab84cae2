"""The user's own models: a folder of weights and cards outside the package."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from napari_metasr.errors import nearest_hint
from napari_metasr.files import check_writable, making_folders, read_json, replacing
from napari_metasr.weights.card import WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE = "NAPARI_METASR_MODELS"
"""Environment variable that names another folder."""

MARKER = "format.json"
HEADS = "risk"
"""Within the folder: the error heads of its models."""

FORMAT = 1
"""Version of the folder's layout: NAME.safetensors and NAME.json for each model."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENDINGS = (".json", ".safetensors", ".pth", ".pt")


class UserModelWarning(UserWarning):
    """A model of the user's folder, or the whole of it, cannot be used."""


def folder() -> Path:
    """Return the folder of the user's own models; it need not exist.

    ``NAPARI_METASR_MODELS`` names it, or else it is ``models`` in the user's data folder of
    napari-metasr (Linux: ``~/.local/share/napari-metasr``; macOS: ``~/Library/Application
    Support/napari-metasr``; Windows: ``napari-metasr`` in ``%LOCALAPPDATA%``).
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    return platformdirs.user_data_path("napari-metasr", appauthor=False) / "models"


def card_path(name: str) -> Path:
    """Return the path of a user's model card."""
    return folder() / f"{name}.json"


def weights_path(name: str) -> Path:
    """Return the path of a user's model weights."""
    return folder() / f"{name}.safetensors"


def names() -> tuple[str, ...]:
    """List the models of the user's folder, readable or not; empty if there is no folder.

    Raises
    ------
    WeightsError
        If the folder was made by a newer version, its marker is damaged, or it is a file.
    """
    here = folder()
    if here.exists() and not here.is_dir():
        raise WeightsError(f"{here}: expected the folder of your models, found a file")
    if not here.is_dir():
        return ()
    _check_format(here)
    cards = (path for path in here.glob("*.json") if path.name != MARKER)
    return tuple(sorted(path.stem for path in cards if _NAME.fullmatch(path.stem)))


def _check_format(here: Path) -> None:
    marker = here / MARKER
    if not marker.exists():
        return
    try:
        found = read_json(marker)["format"]
        newer = int(found) > FORMAT
    except (OSError, ValueError, TypeError, KeyError):
        raise WeightsError(
            f"{marker} is damaged; delete it if the folder holds nothing but your models"
        ) from None
    if newer:
        raise WeightsError(
            f"{here} was made by a newer napari-metasr (format {found}, this version reads "
            f"{FORMAT}): update napari-metasr, or set {VARIABLE} to another folder"
        )


def check_name(name: str) -> None:
    """Refuse what no model can be called.

    Raises
    ------
    WeightsError
        If it is no file name without an ending.
    """
    if not _NAME.fullmatch(name) or name.endswith(_ENDINGS) or name == Path(MARKER).stem:
        raise WeightsError(
            f"expected a model name of letters, digits, '-', '_' and '.', found {name!r}"
        )


def check_new_name(name: str, shipped: Iterable[str], *, overwrite: bool = False) -> None:
    """Refuse a name that a new model of the user cannot have.

    Parameters
    ----------
    overwrite
        Whether it may be that of a model of the user.

    Raises
    ------
    WeightsError
        If it is no file name, or is taken by a model of the package or of the user.
    OSError
        If no model can be written in the user's folder.
    """
    check_name(name)
    if name in shipped:
        raise WeightsError(f"the name {name!r} is taken by a model of the package")
    if name in names() and not overwrite:
        raise WeightsError(
            f"the name {name!r} is taken by a model in {folder()}; choose another, or remove that "
            "one first"
        )
    with making_folders([folder()]):
        check_writable(folder() / f"{name}.json", overwrite=overwrite)


def prepare() -> Path:
    """Make the folder, with the version of its layout, and return it.

    Raises
    ------
    WeightsError
        As `names`.
    """
    here = folder()
    names()
    here.mkdir(parents=True, exist_ok=True)
    if not (here / MARKER).exists():
        with replacing(here / MARKER, overwrite=True) as temporary:
            temporary.write_text(json.dumps({"format": FORMAT}) + "\n", encoding="utf-8")
    return here


def remove(name: str, shipped: Iterable[str]) -> tuple[Path, ...]:
    """Delete a user's model, damaged or not, and its error head; the files that were deleted.

    Raises
    ------
    WeightsError
        If there is none of this name, or it is one of the package.
    """
    if name in shipped:
        raise WeightsError(f"{name!r} comes with the package and cannot be removed")
    there = names()
    if name not in there:
        listed = ", ".join(there) or "none"
        raise WeightsError(
            f"expected one of your models ({listed}) in {folder()}, found {name!r}"
            f"{nearest_hint(name, there)}"
        )
    own = [card_path(name), weights_path(name)]
    own += [path.parent / HEADS / path.name for path in own]
    gone = [path for path in own if path.exists()]
    for path in gone:
        path.unlink()
    return tuple(gone)
