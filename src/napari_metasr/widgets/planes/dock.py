"""The panel with three planes: which image, super-resolved or bicubic, and the panes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QMainWindow, QPushButton, QWidget

from napari_metasr.volume import Plane
from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.planes.pane import PlanePane

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = (560, 620)
"""Width and height that it asks for, in pixels."""
PLACES = {Plane.AXIAL: (0, 0), Plane.SAGITTAL: (0, 1), Plane.CORONAL: (1, 0)}


class PlanesDock(docks.Dock):
    """Three panes and what they show.

    Signals
    -------
    source_chosen(int)
        Another place of the list of images.
    enhancing_toggled(bool)
        Whether the network's result is shown, or bicubic interpolation.
    fit_requested()
        All of the volume is to be seen.
    """

    source_chosen = Signal(int)
    enhancing_toggled = Signal(bool)
    fit_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("metasr_planes_dock", size=SIZE, parent=parent)
        self.source = parts.combo_box("The image whose planes are shown")
        self.enhancing = QCheckBox("Super-resolved")
        self.enhancing.setChecked(True)
        self.enhancing.setToolTip("Show what the network makes; unticked, bicubic interpolation")
        self.fit = QPushButton("Fit")
        self.fit.setToolTip("Show all of the volume")
        self.notice = parts.Words(4, "What to know about what is shown")
        self.panes = {plane: PlanePane(plane) for plane in Plane}
        self._lay_out()
        self.source.currentIndexChanged.connect(self.source_chosen)
        self.enhancing.toggled.connect(self.enhancing_toggled)
        self.fit.clicked.connect(lambda: self.fit_requested.emit())

    def show_sources(self, names: Sequence[str], current: int) -> None:
        """List the images to choose from; emits nothing."""
        parts.fill(self.source, names, current)

    def show_notice(self, text: str) -> None:
        """Say what to know about what is shown."""
        if self.notice.text() != text:
            self.notice.setText(text)

    def say(self, text: str) -> None:
        """Show nothing, and say why."""
        for pane in self.panes.values():
            pane.say("")
        self.show_notice(text)

    def _place(self) -> None:
        """Get the width it asks for: Qt keeps that of the panels that are or were there."""
        super()._place()
        frame, window = docks.enclosing(self), self.window()
        if frame is not None and not frame.isFloating() and isinstance(window, QMainWindow):
            width = min(SIZE[0], window.width() // 2)
            window.resizeDocks([frame], [width], Qt.Orientation.Horizontal)

    def _lay_out(self) -> None:
        controls, column = docks.column()
        column.addWidget(self.source)
        column.addWidget(self.enhancing)
        column.addWidget(self.fit)
        column.addWidget(self.notice)
        column.addStretch(1)
        purpose = parts.research_use()
        purpose.setWordWrap(True)
        column.addWidget(purpose)
        grid = QGridLayout(self)
        grid.setContentsMargins(3, 3, 3, 3)
        grid.setSpacing(3)
        for plane, place in PLACES.items():
            grid.addWidget(self.panes[plane], *place)
        grid.addWidget(docks.scrolled(controls), 1, 1)
        for line in (0, 1):
            grid.setRowStretch(line, 1)
            grid.setColumnStretch(line, 1)
