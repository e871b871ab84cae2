"""The progress bar of work whose time left is forecast."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

LAYOUT = "{desc} |{bar}| {percentage:3.0f}% [{elapsed}<{left}]"


class WorkBar(tqdm):
    """A bar on standard error that shows the time left as it is told, not by its own average.

    Parameters
    ----------
    total
        Where the bar ends.
    layout
        As tqdm's ``bar_format``; ``left`` is the time left.
    """

    def __init__(self, total: float = 1.0, layout: str = LAYOUT) -> None:
        self._left: float | None = None
        super().__init__(total=total, bar_format=layout, file=sys.stderr)

    @property
    def format_dict(self) -> dict[str, Any]:
        """What the layout may name."""
        left = "?" if self._left is None else self.format_interval(self._left)
        return {**super().format_dict, "left": left}

    def reach(self, done: float, description: str, left: float | None) -> None:
        """Show how far the work is, what is being done, and the seconds left, if known."""
        self._left = left
        self.set_description(description, refresh=False)
        self.update(done - self.n)
