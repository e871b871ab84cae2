"""What napari docks for the tour: its steps as a page, and the tour itself where napari has any."""

from __future__ import annotations

import weakref
from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QVBoxLayout

from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.tour.offer import told
from napari_metasr.widgets.tour.steps import STEPS
from napari_metasr.widgets.tour.tour import has_tours, start_tour
from napari_metasr.widgets.viewer.shared import real_viewer

if TYPE_CHECKING:
    from napari import Viewer


class TourWidget(docks.Dock):
    """*Plugins > Meta-SR > Tour*.

    The tour takes the page's place at once. Where napari has no tours the page stays.

    Parameters
    ----------
    napari_viewer
        The viewer that the tour leads through.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__("metasr_tour_dock", size=(320, 400))
        self._viewer = weakref.ref(real_viewer(napari_viewer))
        lines = "".join(
            f"<p><b>{escape(step.title)}</b><br>{escape(step.body)}</p>" for step in STEPS
        )
        text = QLabel(lines)
        text.setWordWrap(True)
        body, column = docks.column()
        column.addWidget(text)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(docks.scrolled(body))
        told()
        if has_tours():
            QTimer.singleShot(0, self._begin)

    def _begin(self) -> None:
        viewer = self._viewer()
        if viewer is not None:
            viewer.window.remove_dock_widget(self)
            start_tour(viewer)
