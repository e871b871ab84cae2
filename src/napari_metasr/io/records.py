"""Records beside outputs, and files of others in their place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from napari_metasr.purpose import RESEARCH_USE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_record"]


def check_record(path: Path) -> None:
    """Refuse to replace a JSON file that is no record of a zoom, whatever is asked.

    Raises
    ------
    FileExistsError
        If it exists and is none.
    """
    if not path.is_file():
        return
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("Purpose") != RESEARCH_USE:
        raise FileExistsError(
            f"{path}: expected the record of an earlier zoom, found another file, which is kept"
        )
