"""Run ``napari-metasr cohort``: a bar and a log meanwhile, a table at the end."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_metasr.cli.columns import in_columns
from napari_metasr.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED
from napari_metasr.cli.work_bar import WorkBar
from napari_metasr.cohort.cluster import interrupts_noticed
from napari_metasr.cohort.items import output_folders
from napari_metasr.cohort.work_item import Outcome, State
from napari_metasr.cohort.workers import Advanced, Ended, Started, work_through
from napari_metasr.errors import in_words
from napari_metasr.forecast import Forecast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distributed import Client

    from napari_metasr.cohort.items import Item
    from napari_metasr.cohort.ledger import Ledger
    from napari_metasr.cohort.workers import Event

_BAR = "{desc} |{bar}| {n:.1f}/{total} volumes [{elapsed}<{left}]"


@dataclass
class Run:
    """The work on many volumes.

    Attributes
    ----------
    items
        Volumes to upscale.
    refused
        Reasons against the other volumes, by name.
    ledger
        Log of all events; what cannot be logged is told, and stops nothing.
    outcomes
        Outcomes by name, as they come.
    """

    items: Sequence[Item]
    refused: Mapping[str, str]
    ledger: Ledger
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    _has_gaps: bool = field(default=False, init=False)

    def carry_out(self, client: Client) -> int:
        """Do the work until it is done or interrupted, and print the outcome of each volume.

        Returns
        -------
        int
            The exit code.
        """
        started = time.perf_counter()
        code = DONE
        for name, reason in self.refused.items():
            self._end(name, Outcome(State.FAILED, reason))
        try:
            with output_folders(self.items), interrupts_noticed() as interrupted:
                self._follow(client, interrupted)
        except KeyboardInterrupt:
            code = INTERRUPTED
        seconds = time.perf_counter() - started
        self._log("interrupted" if code else "end", seconds=round(seconds, 1))
        print(self.table)
        left = len(self.items) + len(self.refused) - len(self.outcomes)
        more = f", {left} left for the next run" if left else ""
        took = time.strftime("%H:%M:%S", time.gmtime(seconds))
        print(f"{self.counted}{more}, in {took}; {self.ledger.path}")
        failed = any(outcome.state is State.FAILED for outcome in self.outcomes.values())
        return code or (SOME_FAILED if failed else DONE)

    def _follow(self, client: Client, interrupted: Callable[[], bool]) -> None:
        shares = {item.name: 0.0 for item in self.items}
        forecast = Forecast.of_one_stage()
        with WorkBar(len(shares), _BAR) as bar:
            for event in work_through(client, self.items, interrupted):
                shares[event.name] = self._heard(event)
                done = sum(shares.values())
                forecast.reach_share(done / len(shares))
                bar.reach(done, self.counted, forecast.seconds)

    def _heard(self, event: Event) -> float:
        """Log an event, and return the share of the volume that is done."""
        match event:
            case Started(name, worker, process):
                self._log("start", name=name, worker=worker, process=process)
                return 0.0
            case Ended(name, outcome):
                self._end(name, outcome)
                return 1.0
            case Advanced(_, share):
                return share

    def _end(self, name: str, outcome: Outcome) -> None:
        self.outcomes[name] = outcome
        self._log(
            outcome.state, name=name, reason=outcome.reason, seconds=round(outcome.seconds, 2)
        )

    def _log(self, event: str, **what: Any) -> None:
        try:
            self.ledger.write(event, **what)
        except OSError as error:
            if not self._has_gaps:
                warnings.warn(f"the log has gaps: {in_words(error)}", stacklevel=2)
            self._has_gaps = True

    @property
    def counted(self) -> str:
        """Number of volumes of each outcome."""
        counts = Counter(outcome.state for outcome in self.outcomes.values())
        told = [f"{counts[state]} {state}" for state in State if counts[state]]
        return ", ".join(told) or "0 done"

    @property
    def table(self) -> str:
        """Table of outcomes, failures last."""
        order = sorted(self.outcomes, key=lambda name: (self._rank(name), name))
        rows = [("file", "outcome", "seconds", "reason")]
        for name in order:
            outcome = self.outcomes[name]
            rows.append((name, outcome.state, f"{outcome.seconds:.1f}", outcome.reason))
        return in_columns(rows, right=(2,))

    def _rank(self, name: str) -> int:
        return list(State).index(self.outcomes[name].state)
