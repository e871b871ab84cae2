"""Computes, off the GUI thread, what makes renderings consistent with the scan."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.trust.assumption import assumption_from
from napari_metasr.trust.correction import Correction
from napari_metasr.widgets.panels.worker import Task
from napari_metasr.widgets.viewer.telling import found_acquisition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel
    from napari_metasr.zoom.session import SliceKey

KEPT = 8
"""Corrections that are kept; each holds on to its encoded slice."""


@dataclass(frozen=True)
class WantedCorrection:
    """A correction that is needed.

    Attributes
    ----------
    key, encoded, engine
        The slice, encoded, and its model.
    grid
        Of the output.
    acquisition
        What is assumed: one of ``napari_metasr.trust.told.CHOICES``.
    source, view
        Where the slice is from.
    """

    key: SliceKey
    encoded: EncodedSlice
    engine: ZoomModel
    grid: OutputGrid
    acquisition: str
    source: LayerSource
    view: SliceView

    @property
    def name(self) -> tuple[SliceKey, OutputGrid, str]:
        """What tells it from others of the same encoded slice."""
        return self.key, self.grid, self.acquisition


class Corrections:
    """Keeps the corrections of what was shown last; the newest that is wanted comes next.

    Parameters
    ----------
    changed
        Called when there is more to be shown than before.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._kept: OrderedDict[
            tuple[SliceKey, OutputGrid, str], tuple[EncodedSlice, Correction | Exception]
        ] = OrderedDict()
        self._running: list[WantedCorrection] = []
        self._task = Task(announced=False)
        self._task.step.connect(self._on_step)
        self._task.failed.connect(self._on_failed)
        self._task.finished.connect(self._on_finished)

    @property
    def is_running(self) -> bool:
        """Whether anything is being computed."""
        return self._task.is_running

    def get(self, wanted: WantedCorrection) -> Correction | Exception | None:
        """Return a correction, or why there is none; None if it is still to come."""
        kept = self._kept.get(wanted.name)
        if kept is None or kept[0] is not wanted.encoded:
            return None
        self._kept.move_to_end(wanted.name)
        return kept[1]

    def want(self, wanted: Iterable[WantedCorrection]) -> None:
        """Compute what is missing of these, once what is being computed is done."""
        missing = [each for each in wanted if self.get(each) is None]
        if missing and not self._task.is_running:
            self._running = missing
            self._task.start(_compute, missing)

    def close(self) -> None:
        """Hear no more of what is computed, and free the memory."""
        self._task.close()
        self.clear()

    def clear(self) -> None:
        """Free the memory."""
        self._kept.clear()

    def _on_step(self, step: tuple[WantedCorrection, Correction | Exception]) -> None:
        wanted, found = step
        self._kept[wanted.name] = wanted.encoded, found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def _on_failed(self, error: Exception) -> None:
        for each in self._running:
            if self.get(each) is None:
                self._on_step((each, error))

    def _on_finished(self, cancelled: bool) -> None:
        self._running = []
        self._changed()


def _compute(
    wanted: list[WantedCorrection],
) -> Iterator[tuple[WantedCorrection, Correction | Exception]]:
    for each in wanted:
        try:
            assumption = assumption_of(each.source, each.view, each.acquisition)
            yield each, Correction(each.engine, each.encoded, each.grid, assumption)
        except ValueError as error:
            yield each, error


def assumption_of(source: LayerSource, view: SliceView, name: str) -> Assumption:
    """Return the acquisition that is assumed of a layer's slices.

    Raises
    ------
    ValueError
        If the scan does not show it, or the layer's world is no space.
    """
    return assumption_from(name, found_acquisition(source, view))
