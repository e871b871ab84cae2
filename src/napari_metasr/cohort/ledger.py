"""Log a run on many volumes: one JSON line for every event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from napari_metasr.files import append_line, making_folders

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Ledger:
    """A file of JSON lines to which every run adds.

    Attributes
    ----------
    path
        Path of the file; its folder is made.
    """

    path: Path

    def write(self, event: str, **what: Any) -> None:
        """Add a line: the time, the event and its details.

        Raises
        ------
        OSError
            If it cannot be written; no part of the line stays then.
        """
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        with making_folders([self.path.parent]):
            append_line(self.path, json.dumps(line | what, ensure_ascii=False))
