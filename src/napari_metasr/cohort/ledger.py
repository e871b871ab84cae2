"""Log a run on many volumes: one JSON line for every event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

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
        """Add a line: the time, the event and its details."""
        self.path.parent.mkdir(exist_ok=True)
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | what, ensure_ascii=False) + "\n")
