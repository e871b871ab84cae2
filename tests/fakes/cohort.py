"""Folders with many volumes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def dataset(root: Path, names=(), **description) -> Path:
    """A folder with a dataset's description, and empty files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    root.mkdir(exist_ok=True)
    told = {"Name": "Heads", "BIDSVersion": "1.10.0", **description}
    (root / "dataset_description.json").write_text(json.dumps(told))
    return root
