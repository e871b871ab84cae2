"""What every dock is made of: a narrow column, a signal when it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QDockWidget,
    QFrame,
    QGridLayout,
    QLabel,
    QMainWindow,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_metasr.widgets.panels import parts

if TYPE_CHECKING:
    from collections.abc import Sequence

MINIMUM_WIDTH = 316
"""Of a column of 300 pixels beside the bar that scrolls it: nothing is cut off at its side."""
MINIMUM_HEIGHT = 300
ONE_LINE = 40
"""Pixels up to which a control has one line."""
BARS = 80
"""Height of a window that menus, sliders and status take."""


class Dock(QWidget):
    """A panel beside the canvas.

    Parameters
    ----------
    name
        Qt's name of the panel.
    size
        Width and height it asks for, in pixels.
    minimum
        Smallest width and height, in pixels.

    Attributes
    ----------
    window_size
        Size of the viewer's window before the panel is docked, if known: Qt makes a window larger
        while a dock is put in that does not fit.

    Signals
    -------
    closed
        napari has taken the panel out of its dock, or its window is closed; the panel is still
        there.
    """

    closed = Signal()

    def __init__(
        self,
        name: str,
        *,
        size: tuple[int, int],
        minimum: tuple[int, int] = (MINIMUM_WIDTH, MINIMUM_HEIGHT),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._size = QSize(*size)
        self._is_placed = False
        self._window_closes = False
        self.window_size: QSize | None = None
        self.setMinimumSize(*minimum)

    def sizeHint(self) -> QSize:
        """Return the size it asks for."""
        return self._size

    def event(self, event: QEvent | None) -> bool:
        """Notice that napari has taken the panel out of its dock: it is closed and deleted."""
        handled = super().event(event)
        if event is not None and event.type() == QEvent.Type.ParentChange and not self.parent():
            self.closed.emit()
            self.deleteLater()
        elif event is not None and event.type() == QEvent.Type.Show and not self._is_placed:
            self._is_placed = True
            QTimer.singleShot(0, self._place)
        return handled

    def end_with(self, window: QMainWindow) -> None:
        """Tell that the panel is closed when the viewer's window is, in a dock of it or not yet."""
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Notice that the viewer's window is closed: napari deletes it with all that is in it.

        A script's `close` hides it, if it is seen, and deletes it at once; a user's may be asked
        about, and refused, before Qt deletes it later.
        """
        kind = None if event is None else event.type()
        if kind == QEvent.Type.Close and isinstance(watched, QWidget):
            self._window_closes = True
            QTimer.singleShot(0, self._forget_closing)
            if watched.isHidden():
                self.closed.emit()
        elif kind == QEvent.Type.DeferredDelete or (
            kind == QEvent.Type.Hide and self._window_closes
        ):
            self.closed.emit()
        return super().eventFilter(watched, event)

    def _forget_closing(self) -> None:
        self._window_closes = False

    def _place(self) -> None:
        """Tab with the other docks of the plugin if all of them do not fit under each other."""
        frame = enclosing(self)
        window = frame.parentWidget() if frame is not None else None
        if frame is None or frame.isFloating() or not isinstance(window, QMainWindow):
            return
        others = [
            other
            for other in map(enclosing, window.findChildren(Dock))
            if other is not None and other is not frame and not other.isFloating()
        ]
        beside = [
            other
            for other in others
            if window.dockWidgetArea(other) == window.dockWidgetArea(frame) and other.isVisible()
        ]
        heights = sum(each.minimumSizeHint().height() for each in (frame, *beside))
        size = self.window_size or window.size()
        if beside and heights > size.height() - BARS:
            window.tabifyDockWidget(beside[-1], frame)
            frame.raise_()
            self._restore()

    def _restore(self) -> None:
        """Give the window the size back that it had before the panel was put under others."""
        window, size = self.window(), self.window_size
        layout = window.layout() if window is not None else None
        if window is None or size is None or layout is None:
            return
        if not window.isMaximized() and not window.isFullScreen():
            layout.activate()
            window.resize(size)

    def closeEvent(self, event: Any) -> None:
        """Notice that a window of its own is closed."""
        self.closed.emit()
        super().closeEvent(event)


def column(spacing: int = 4) -> tuple[QWidget, QVBoxLayout]:
    """Return an empty widget and the column that lays it out."""
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setContentsMargins(6, 4, 6, 4)
    layout.setSpacing(spacing)
    return body, layout


def scrolled(body: QWidget) -> QScrollArea:
    """Return a widget in an area that scrolls up and down."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(body)
    return area


def form(lines: Sequence[tuple[str, Sequence[QWidget], int]], spacing: int = 4) -> QGridLayout:
    """Return controls under each other, with their names.

    Parameters
    ----------
    lines
        Name, controls of the line, and how much more room the first of them gets.
    """
    layout = QGridLayout()
    layout.setHorizontalSpacing(6)
    layout.setVerticalSpacing(spacing)
    layout.setColumnStretch(1, 1)
    for number, (title, widgets, first) in enumerate(lines):
        label = QLabel(title)
        label.setBuddy(widgets[0])
        if widgets[0].sizeHint().height() > ONE_LINE:
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(label, number, 0)
        layout.addLayout(parts.row(widgets, first=first), number, 1)
    return layout


def enclosing(widget: QWidget) -> QDockWidget | None:
    """Return the dock that a widget is in."""
    parent: QWidget | None = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
