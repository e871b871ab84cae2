"""The folder of the cache, and names of files with numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def cache_folder() -> Path:
    """Return the folder of what can be fetched or computed again; it need not exist.

    The environment variable ``NAPARI_METASR_CACHE`` names it, or ``METASR_CACHE``, the name that
    training had for it; without them it is in the user's cache folder.
    """
    import pooch

    names = ("NAPARI_METASR_CACHE", "METASR_CACHE")
    told = next(filter(None, map(os.environ.get, names)), None)
    return Path(told or pooch.os_cache("napari-metasr"))


def numbered(path: Path, number: int, endings: Iterable[str]) -> Path:
    """Put a number before the ending of a file's name.

    Examples
    --------
    >>> numbered(Path("scan.nii.gz"), 2, [".nii.gz"])
    PosixPath('scan-2.nii.gz')
    """
    ending = max((len(one) for one in endings if path.name.lower().endswith(one)), default=0)
    stem = path.name[: len(path.name) - ending]
    return path.with_name(f"{stem}-{number}{path.name[len(stem) :]}")
