"""Drawing, dragging and deleting boxes with napari's own tools, and how that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer
from superqt.utils import QSignalDebouncer

from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.result_layers import active_layer, is_result
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_metasr.widgets.lesions.dock import LesionDock
    from napari_metasr.widgets.lesions.results import Result, Results
    from napari_metasr.widgets.viewer.focus import LesionFocus

LINE_MS = 60
EDIT, ADD, LOOK = "select", "add_rectangle", "pan_zoom"
EDITING = (EDIT, "direct")


class BoxEditing(QObject):
    """Boxes are seen, and can be edited, while their layer is the selected one.

    Parameters
    ----------
    begin_by_hand
        Called before a box is drawn: makes a result to draw into if there is none, and returns
        whether there is one then.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: LesionDock,
        results: Results,
        focus: LesionFocus,
        begin_by_hand: Callable[[], bool],
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._results, self._focus = viewer, dock, results, focus
        self._begin_by_hand = begin_by_hand
        self._closed = False
        self._thinning = QSignalDebouncer(parent=self)
        self._thinning.setTimeout(LINE_MS)
        self._thinning.triggered.connect(self.set_line)
        dock.add_toggled.connect(self._on_add)
        dock.edit_toggled.connect(self._on_edit)
        layers = viewer.layers
        self._subscriptions = Subscriptions(
            [
                (layers.selection.events.active, self._on_active),
                (layers.events.inserted, self._on_inserted),
                (camera_of(viewer).events.zoom, self._on_zoom),
            ]
        )
        for result in results:
            self._watch(result)

    def close(self) -> None:
        """Listen no more."""
        self._closed = True
        self._thinning.cancel()
        self._subscriptions.close()
        self._focus.edit(False)

    def begin(self, result: Result) -> None:
        """Show a new result's boxes: selected, so that they are seen in every comparison."""
        self._watch(result)
        self._viewer.layers.selection.active = result.boxes.layer
        self._raise()
        self.set_line()

    def _watch(self, result: Result) -> None:
        result.boxes.layer.events.mode.connect(self._on_mode)

    def drawn(self) -> None:
        """Let a box that has been drawn be dragged, once napari is done with the drawing."""
        QTimer.singleShot(0, self._stop_adding)

    def stop(self) -> None:
        """Let the mouse move the view again, and comparisons come back."""
        result = self._results.current
        if result is not None:
            result.boxes.layer.mode = LOOK
            image = self._results.image(result)
            if image is not None and self._results.owns(active_layer(self._viewer)):
                self._viewer.layers.selection.active = image
        self.show()

    def show(self) -> None:
        """Show in the dock whether boxes are edited or one is drawn."""
        result = self._results.current
        mode = str(result.boxes.layer.mode) if result is not None else LOOK
        active = result is not None and active_layer(self._viewer) is result.boxes.layer
        self._dock.show_editing(editing=active and mode in EDITING, adding=active and mode == ADD)

    def set_line(self) -> None:
        """Keep the lines as wide as they are on the screen."""
        if self._results.current is not None:
            self._results.current.boxes.set_line(camera_of(self._viewer).zoom)

    def _on_add(self, adding: bool) -> None:
        if not adding:
            self._use(EDIT)
        elif self._begin_by_hand():
            self._use(ADD)
        else:
            self.show()

    def _on_edit(self, editing: bool) -> None:
        if editing:
            self._use(EDIT)
        else:
            self.stop()

    def _use(self, mode: str) -> None:
        """Take one of napari's tools."""
        result = self._results.current
        if result is not None:
            self._focus.show_layer(result.boxes.layer, True)
            self._viewer.layers.selection.active = result.boxes.layer
            result.boxes.layer.mode = mode
            self._raise()
        self.show()

    def _stop_adding(self) -> None:
        if not self._closed and self._dock.add.isChecked():
            self._use(EDIT)

    def _raise(self) -> None:
        """Have the boxes above the results that they are drawn on."""
        result, layers = self._results.current, self._viewer.layers
        if not self._closed and result is not None and result.boxes.layer in layers:
            layers.move(layers.index(result.boxes.layer), -1)

    def _on_inserted(self, event: Any) -> None:
        if is_result(event.value):
            QTimer.singleShot(0, self._raise)  # once napari has taken the layer in

    def _on_active(self, event: Any = None) -> None:
        self._focus.edit(self._results.owns(active_layer(self._viewer)))
        self.show()

    def _on_mode(self, event: Any = None) -> None:
        if not self._closed:
            self.show()

    def _on_zoom(self, event: Any = None) -> None:
        self._thinning.throttle()
