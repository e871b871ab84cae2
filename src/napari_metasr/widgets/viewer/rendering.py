"""Pictures of panes are rendered off the GUI thread; of each pane the latest request wins."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from napari_metasr.widgets.panels.worker import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator


class _Queue:
    """What is to be rendered for each pane; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[Hashable, tuple[Any, Callable[[], Any]]] = {}

    def put(self, pane: Hashable, request: Any, render: Callable[[], Any]) -> None:
        with self._lock:
            self._wanted[pane] = request, render

    def take(self) -> tuple[Hashable, Any, Callable[[], Any]] | None:
        with self._lock:
            if not self._wanted:
                return None
            pane = next(iter(self._wanted))
            return (pane, *self._wanted.pop(pane))

    def drop(self, pane: Hashable) -> None:
        with self._lock:
            self._wanted.pop(pane, None)

    def __len__(self) -> int:
        return len(self._wanted)


def _rendered(queue: _Queue) -> Iterator[tuple[Hashable, Any, Any]]:
    while (taken := queue.take()) is not None:
        pane, request, render = taken
        yield pane, request, render()


class Renderings:
    """Renders for several panes in one thread.

    Parameters
    ----------
    done
        Called in the GUI thread with the pane, the request and its result.
    failed
        Called with the error where one cannot be rendered.
    """

    def __init__(
        self,
        done: Callable[[Any, Any, Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._done = done
        self._queue = _Queue()
        self._task = Task(announced=False)
        self._task.step.connect(self._on_step)  # Qt holds methods weakly, and functions not
        self._task.failed.connect(failed)
        self._task.finished.connect(self._go_on)

    @property
    def is_running(self) -> bool:
        """Whether anything is still to be rendered."""
        return self._task.is_running

    def ask(self, pane: Hashable, request: Any, render: Callable[[], Any]) -> None:
        """Have a pane's picture rendered; what was asked for it before, and not begun, is not."""
        self._queue.put(pane, request, render)
        self._go_on()

    def drop(self, pane: Hashable) -> None:
        """Render nothing for a pane that has not been begun."""
        self._queue.drop(pane)

    def close(self) -> None:
        """Stop, and tell nothing more."""
        while self._queue.take() is not None:
            pass
        self._task.close()

    def _on_step(self, step: tuple[Any, Any, Any]) -> None:
        self._done(*step)

    def _go_on(self, cancelled: bool = False) -> None:
        if len(self._queue) and not self._task.is_running:
            self._task.start(_rendered, self._queue)
