"""How much of the shown result lies beyond the local range of the scan, once it has come to rest.

It is counted off the GUI thread, a moment after the last change: a slider that is dragged waits for
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer

from napari_metasr.quality.local_range import LocalRange
from napari_metasr.widgets.panels.worker import Task, once

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid, PixelRange

REST_MS = 250


@dataclass(frozen=True, eq=False)
class Result:
    """A part of a slice as the network made it.

    Attributes
    ----------
    image
        The slice, (rows, columns).
    made
        The output pixels of a range, in the slice's units.
    grid, pixels
        Output grid of the slice, and the range (i0, j0, i1, j1).
    """

    image: NDArray[Any]
    made: NDArray[Any]
    grid: OutputGrid
    pixels: PixelRange


class Beyond:
    """Counts for the newest result.

    Parameters
    ----------
    show
        Called with the share, 0..1; None where there is no result, or nothing to count.
    """

    def __init__(self, show: Callable[[float | None], None]) -> None:
        self._show = show
        self._wanted: Result | None = None
        self._counted: Result | None = None
        self._range: tuple[NDArray[Any], LocalRange | None] | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self._count)
        self._task = Task(announced=False)
        self._task.step.connect(self._on_step)
        self._task.finished.connect(self._on_finished)

    def want(self, result: Result | None) -> None:
        """Count a result, once no other is wanted for a moment; None takes the count away."""
        self._wanted = result
        if result is None:
            self._timer.stop()
            self._show(None)
        else:
            self._timer.start()

    def close(self) -> None:
        """Count nothing more, and free the memory."""
        self._timer.stop()
        self._task.close()
        self._wanted = self._counted = self._range = None

    def _count(self) -> None:
        result = self._wanted
        if result is None or self._task.is_running:
            return
        self._counted = result
        known = self._range if self._range and self._range[0] is result.image else None
        self._task.start(once, _counted, result, known)

    def _on_step(self, step: tuple[tuple[NDArray[Any], LocalRange | None], float | None]) -> None:
        self._range, share = step
        if self._counted is self._wanted:
            self._show(share)

    def _on_finished(self, cancelled: bool) -> None:
        if self._counted is not self._wanted and self._wanted is not None:
            self._timer.start()


def _counted(
    result: Result, known: tuple[NDArray[Any], LocalRange | None] | None
) -> tuple[tuple[NDArray[Any], LocalRange | None], float | None]:
    """Return the range of the slice, and the share of the result beyond it."""
    found = known or (result.image, LocalRange.of(result.image))
    local = found[1]
    share = None if local is None else local.share_beyond(result.made, result.grid, result.pixels)
    return found, share
