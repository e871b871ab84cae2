"""How long work will still take, from how far it is."""

from __future__ import annotations

import time

ENOUGH = 0.02
"""Share that must be done before the rest is estimated."""


class TimeLeft:
    """Told how far work is, it says how long the rest will take.

    Attributes
    ----------
    overall
        How far the work is, 0 to 1.
    """

    def __init__(self) -> None:
        self.overall = 0.0
        self._begun = time.monotonic()
        self._first: tuple[float, float] | None = None
        self._last = self._begun

    @property
    def elapsed(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._begun

    @property
    def measured(self) -> float:
        """Seconds that the speed was measured over."""
        return 0.0 if self._first is None else self._last - self._first[1]

    @property
    def per_whole(self) -> float | None:
        """Seconds that the whole would take at this speed; None before an estimate is possible."""
        if self._first is None:
            return None
        share = self.overall - self._first[0]  # work that is resumed does not begin at 0
        return self.measured / share if share > ENOUGH else None

    @property
    def seconds(self) -> float | None:
        """Seconds until the end; None before an estimate is possible."""
        whole = self.per_whole
        if whole is None:
            return None
        return max((1 - self.overall) * whole - (time.monotonic() - self._last), 0.0)

    def tell(self, overall: float, *, counts: bool = True) -> None:
        """Note that it is this far now.

        Parameters
        ----------
        counts
            Whether the speed may be measured from here on: what comes before the first part that
            networks upscale says nothing of theirs.
        """
        self.overall, self._last = overall, time.monotonic()
        if self._first is None and counts:
            self._first = overall, self._last
