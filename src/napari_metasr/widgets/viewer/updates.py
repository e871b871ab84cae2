"""One update a turn of the event loop, however many events ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt, QTimer, Signal

if TYPE_CHECKING:
    from collections.abc import Callable


class Updates(QObject):
    """Asks for updates: they run once for all events of a turn, before the next drawing.

    A burst of events neither queues up nor blocks. Nothing is waited for, unlike by a throttle: an
    event that comes alone is seen at once.

    Parameters
    ----------
    update
        Brings the screen in step with everything that is set.
    parent
        Whose updates they are.

    Attributes
    ----------
    is_due
        Whether an update is still to come.
    """

    _requested = Signal()

    def __init__(self, update: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self.is_due = False
        self.update = update
        self._requested.connect(self._run, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def ask(self, event: Any = None) -> None:
        """Ask for an update before the next drawing."""
        if not self.is_due:
            self.is_due = True
            self._requested.emit()

    def ask_later(self) -> None:
        """Ask for an update after what else waits in the event loop."""
        if not self.is_due:
            self.is_due = True
            QTimer.singleShot(0, self._run)

    def _run(self) -> None:
        self.is_due = False
        self.update()
