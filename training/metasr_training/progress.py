"""What a progress bar says of a network, and of the campaign that it is a part of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

FIGURES = {"loss/total": "loss {:.3g}", "val/psnr": "PSNR {:.2f} dB", "val/loss": "val {:.3g}"}
"""What of the log is shown, and how."""


@dataclass
class Progress:
    """Where a campaign is, and the last figures of the network that is trained.

    Attributes
    ----------
    number, count
        This network's place among all of the campaign.
    seconds_after
        How long the networks after it take, where a budget says so.
    updates_after
        Updates of each network after it, where the schedules say so: they are taken to be as fast
        as this one.
    figures
        The last value of every figure.
    """

    number: int = 1
    count: int = 1
    seconds_after: float | None = None
    updates_after: Sequence[int] | None = ()
    figures: dict[str, float] = field(default_factory=dict)

    def label(self, name: str) -> str:
        """Return the network's name, numbered if there are several."""
        return f"{self.number}/{self.count} {name}" if self.count > 1 else name

    def note(self, values: dict[str, float]) -> None:
        """Remember figures."""
        self.figures |= {name: value for name, value in values.items() if name in FIGURES}

    def seconds_left(self, updates_left: float, updates_per_second: float) -> float | None:
        """Estimate the seconds that the whole campaign still takes; None if they are unknown."""
        if updates_per_second <= 0:
            return None
        here = updates_left / updates_per_second
        if self.seconds_after is not None:
            return here + self.seconds_after
        if self.updates_after is None:
            return None
        return here + sum(self.updates_after) / updates_per_second

    def text(self, update: int, updates_left: float, updates_per_second: float) -> str:
        """Write the progress text: updates done, latest figures and the time left for all networks.

        Parameters
        ----------
        update
            How many are done.
        updates_left, updates_per_second
            Of the schedule, which may follow the clock.
        """
        shown = [name for name in FIGURES if name in self.figures]
        words = [f"{update:,} update{'s' * (update != 1)}"]
        words += [FIGURES[name].format(self.figures[name]) for name in shown]
        left = self.seconds_left(updates_left, updates_per_second)
        if self.count > 1 and left is not None:
            about = "" if self.seconds_after is not None else "about "
            words.append(f"all {self.count}: {about}{timedelta(seconds=round(left))} left")
        return ", ".join(words)
