"""The tour on napari's own mechanism: a spotlight on a control and a note beside it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt

from napari_metasr.widgets.panels.dock import enclosing
from napari_metasr.widgets.tour.steps import STEPS
from napari_metasr.widgets.viewer.napari_versions import canvas_widget
from napari_metasr.widgets.viewer.open_docks import open_dock, open_docks
from napari_metasr.widgets.viewer.shared import real_viewer

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QScrollArea, QWidget

    from napari_metasr.widgets.tour.steps import Step

ZOOM_COMMAND, ZOOM_DOCK = "napari-metasr.zoom", "metasr_zoom_dock"
SAMPLE = ("napari-metasr", "phantom")


def has_tours() -> bool:
    """Return whether this napari has tours, and takes those of others."""
    try:
        from napari._qt._qapp_model.qactions import _help
    except ImportError:
        return False
    return hasattr(_help, "GuidedTour") and hasattr(_help, "_start_viewer_tour")


def start_tour(viewer: Viewer) -> Any:
    """Show the first step, on the images that are open, else on the sample.

    Returns
    -------
    GuidedTour or None
        napari's tour; None if one is running already.
    """
    from napari._qt._qapp_model.qactions._help import _start_viewer_tour
    from napari._qt.widgets.qt_viewer_tour import GuidedTour, TourAnchor, TourStep

    viewer = real_viewer(viewer)
    window = viewer.window
    if window._qt_window._viewer_tour is not None:
        return None
    if not any(isinstance(layer, Image) for layer in viewer.layers):
        viewer.open_sample(*SAMPLE)
    stops = [Stop(viewer, step) for step in STEPS]
    tour = GuidedTour(
        [
            TourStep(
                target=stop.target,
                title=stop.step.title,
                body=stop.step.body,
                anchor=TourAnchor.CENTER if stop.step.control is None else TourAnchor.LEFT,
                ensure_visible=stop.reveal,
            )
            for stop in stops
        ],
        window._qt_window,
    )
    # napari measures a note's texts in all of its width, though its frame takes some of that, and
    # cuts their last line: laid out over the frame too, they have the room they were measured for
    tour._tooltip.setAttribute(Qt.WidgetAttribute.WA_LayoutOnEntireRect)
    _start_viewer_tour(window, tour=tour)
    return tour


class Stop:
    """Where a step of the tour points to in a viewer's window.

    Parameters
    ----------
    viewer
        The viewer itself.
    step
        What is said there.
    """

    def __init__(self, viewer: Viewer, step: Step) -> None:
        self._viewer = weakref.ref(viewer)
        self.step = step

    def target(self) -> QWidget | None:
        """Return the control, or the canvas as long as there is no zoom dock."""
        viewer = self._viewer()
        if viewer is None:
            return None
        dock: Any = open_docks(viewer).get(ZOOM_DOCK)
        if self.step.control is None or dock is None:
            return canvas_widget(viewer)
        return self.step.control(dock)

    def reveal(self) -> bool:
        """Bring the control into sight; return whether the window must be laid out for it."""
        viewer = self._viewer()
        if viewer is None or self.step.control is None:
            return False
        dock: Any = open_docks(viewer).get(ZOOM_DOCK)
        if dock is None:
            open_dock(viewer, ZOOM_COMMAND)
            return True
        frame, control = enclosing(dock), self.step.control(dock)
        if not control.isVisible() and frame is not None:
            frame.show()
            frame.raise_()
            return True
        area: QScrollArea = dock.scroll_area
        bar = area.verticalScrollBar()
        before = bar.value() if bar is not None else 0
        area.ensureWidgetVisible(control)
        return bar is not None and bar.value() != before
