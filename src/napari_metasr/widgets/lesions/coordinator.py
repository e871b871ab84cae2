"""Keeps the detection dock, the search and the viewer in step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from napari.utils.notifications import show_error, show_warning
from qtpy.QtCore import QObject

from napari_metasr.widgets.lesions import messages as words
from napari_metasr.widgets.lesions.detection import (
    Origin,
    Scope,
    Searcher,
    SearchResult,
    detect,
    take_labels,
)
from napari_metasr.widgets.lesions.editing import BoxEditing
from napari_metasr.widgets.lesions.export import LesionExport
from napari_metasr.widgets.lesions.navigation import fly_to
from napari_metasr.widgets.lesions.results import Results
from napari_metasr.widgets.panels.worker import reason
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.camera import CameraControl
from napari_metasr.widgets.viewer.first_shape import prepare_shapes
from napari_metasr.widgets.viewer.focus import lesion_focus
from napari_metasr.widgets.viewer.layer_choice import LayerChoice
from napari_metasr.widgets.viewer.layer_grid import SPACE, UnsupportedLayerError, has_grid_of
from napari_metasr.widgets.viewer.layer_source import check_supported, layer_source, plane_and_index
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.models import ModelCache
from napari_metasr.widgets.viewer.result_layers import is_result
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.geometry.display import DisplayConvention
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.widgets.lesions.detection import SearchProgress
    from napari_metasr.widgets.lesions.dock import LesionDock
    from napari_metasr.widgets.viewer.models import Loader

HOLDER = "detection dock"


class LesionCoordinator(QObject):
    """Looks for tumour where the viewer is, and keeps table, boxes and the viewer's focus in step.

    Parameters
    ----------
    viewer, dock
        The viewer and the controls; the coordinator is the dock's child.
    detector_factory
        Called as ``detector_factory(model, device=device)``, off the GUI thread.
    device
        Where detectors run.
    convention
        On which side of the screen the patient's left is.
    open_zoom
        Called when a lesion is to be super-resolved and no zoom dock is open.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: LesionDock,
        detector_factory: Loader[Detector],
        *,
        device: str,
        convention: DisplayConvention,
        open_zoom: Callable[[], object],
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._device, self._open_zoom = viewer, dock, device, open_zoom
        self._closed = False
        self._detectors = ModelCache(detector_factory)
        self._focus = lesion_focus(viewer)
        self._camera = CameraControl(viewer)
        self.results = Results(viewer, self._focus, self._on_edited)
        self.export = LesionExport(dock, device, self._on_writing)
        self.searcher = Searcher(
            on_progress=self._on_progress,
            on_found=self._add,
            on_warning=lambda text: show_warning(f"Detect tumour: {text}"),
            on_error=lambda error: show_error(f"Detect tumour: {reason(error)}"),
            on_finished=self._on_finished,
        )
        self._images = LayerChoice(viewer, dock.show_sources, changed=self._on_image_changed)
        self._labels = LayerChoice(
            viewer,
            dock.show_labels,
            belongs=lambda layer: isinstance(layer, Labels) and not is_result(layer),
            first=lambda layers: next(iter(layers), None),
        )
        self._editing = BoxEditing(viewer, dock, self.results, self._focus, self._new_by_hand)
        self._anatomy = anatomical_view(viewer, convention)
        self._anatomy.hold(HOLDER)
        self._connect()
        self._on_layers()
        self.results.resume()
        self._show()
        prepare_shapes()

    def _connect(self) -> None:
        dock = self._dock
        dock.source_chosen.connect(self._images.choose)
        dock.detect_requested.connect(self._on_detect)
        dock.cancel_requested.connect(self.searcher.cancel)
        dock.cancel_requested.connect(self.export.cancel)
        dock.result_chosen.connect(self._on_result_chosen)
        dock.lesion_chosen.connect(self._on_lesion_chosen)
        dock.labels_requested.connect(self._on_labels)
        dock.export_requested.connect(self._on_export)
        dock.closed.connect(self.close)
        events = self._viewer.layers.events
        self._subscriptions = Subscriptions(
            [(events.inserted, self._on_layers), (events.removed, self._on_removed)]
        )

    def close(self) -> None:
        """Stop looking, let go of the detectors, leave the boxes; safe at any time."""
        if self._closed:
            return
        self._closed = True
        self._subscriptions.close()
        self._editing.close()
        self.searcher.close()
        self.export.close()
        self._images.close()
        self._labels.close()
        self.results.close()
        self._detectors.clear()
        self._anatomy.release(HOLDER)
        self._focus.choose(None, None)

    @property
    def is_waiting(self) -> bool:
        """Whether anything is being looked for or written."""
        return self.searcher.is_running or self.export.is_running

    # looking for tumour

    def _on_detect(self) -> None:
        scope = self._scope(whole=self._dock.whole_volume)
        if scope is not None:
            model = self._dock.detector.currentData()
            self.searcher.start(detect, scope, model, self._device, self._detectors)

    def _on_labels(self, place: int) -> None:
        self._labels.choose(place)
        labels, scope = self._labels.layer, self._scope(whole=True)
        if labels is None or scope is None:
            return
        if not has_grid_of(labels, scope.source.layer):
            show_error(
                f"Detect tumour: expected “{labels.name}” on the grid of “{scope.source.name}”, "
                "found another shape or place"
            )
            return
        data = labels.data[scope.leading] if labels.ndim > SPACE else labels.data
        self.searcher.start(take_labels, scope, data, labels.name)

    def _scope(self, *, whole: bool) -> Scope | None:
        """Find where to look, from where the viewer is; None, and a notification, if it cannot."""
        layer = self._images.layer
        if not isinstance(layer, Image):
            return None
        source = layer_source(layer)
        try:
            check_supported(layer)
            if self._viewer.dims.ndisplay == 3:
                raise ValueError(words.IN_3D)
            view = source.view(self._viewer.dims)
            if view is None:
                raise ValueError(words.OUTSIDE)
            plane, index = plane_and_index(view, layer.ndim)
            volume = layer_volume(source)
        except ValueError as refusal:
            show_error(f"Detect tumour: {refusal}")
            return None
        leading = view.index[: max(layer.ndim - 3, 0)]
        return Scope(source, volume, plane, leading, None if whole else index)

    def _on_progress(self, progress: SearchProgress) -> None:
        self._dock.show_progress(progress.text, progress.done, progress.total)

    def _on_finished(self, cancelled: bool) -> None:
        self._show()
        self._rest(words.CANCELLED if cancelled else "")

    def _rest(self, outcome: str = "") -> None:
        """Show that nothing is looked for; figures that are still being drawn are told of.

        Parameters
        ----------
        outcome
            What to say in place of the result that is shown.
        """
        if self.export.drawn is not None:
            self._dock.show_progress(words.DRAWING, *self.export.drawn)
            return
        self._dock.show_rest()
        self._dock.show_status(outcome or self._result_text())

    # results

    def _add(self, found: SearchResult) -> None:
        """Show a new result, its boxes selected so that they are seen and can be edited."""
        result = self.results.add(found)
        self._editing.begin(result)
        self._show()

    def _on_edited(self) -> None:
        self._show()
        self._editing.drawn()

    def _new_by_hand(self) -> bool:
        """Begin a result that nothing was found for, unless one of what is shown is current."""
        result, scope = self.results.current, self._scope(whole=True)
        if scope is None:
            return False
        if result is None or (result.source, result.leading) != (scope.source, scope.leading):
            self._add(SearchResult((), scope, Origin.PERSON, None, words.BY_HAND))
        return True

    def _show(self) -> None:
        """Bring the dock in step with the current result."""
        result, dock = self.results.current, self._dock
        dock.show_results(self.results.names, self.results.place)
        self._show_state()
        if result is None:
            dock.table.show_rows([], None)
        else:
            dock.table.show_rows(result.rows, result.chosen, result.unit)
        dock.show_concerns(result.found.concerns if result else ())
        if not self.searcher.is_running and self.export.drawn is None:
            dock.show_status(self._result_text())
        self._editing.show()

    def _show_state(self) -> None:
        self._dock.show_state(
            has_image=self._images.layer is not None,
            has_boxes=self.results.current is not None,
            writes=self.export.is_running,
        )

    def _result_text(self) -> str:
        """Return what to say while nothing is being done."""
        if self.results.current is not None:
            return words.summary(self.results.current.found)
        if self._images.layer is None:
            return words.NO_IMAGE
        return words.READY if self._dock.detector.count() else words.NO_DETECTOR

    def _on_result_chosen(self, place: int) -> None:
        self.results.choose(place)
        self._editing.set_line()
        self._show()

    def _on_lesion_chosen(self, number: int) -> None:
        """Go there and have it super-resolved."""
        result = self.results.current
        if result is None or self.results.image(result) is None:
            return
        result.chosen = number
        self.results.tell()
        lesion = result.lesion
        if lesion is None:
            return
        self._editing.stop()
        try:
            fly_to(self._viewer, self._camera, result.source, lesion, result.leading)
        except UnsupportedLayerError as refusal:
            show_error(f"Detect tumour: {refusal}")
            return
        if not self._focus.watchers:
            self._open_zoom()
        self._focus.zoom_requested.emit()

    def _on_export(self) -> None:
        if self.results.current is not None:
            self.export.start(self.results.current)

    def _on_writing(self) -> None:
        """Show what is written, once nothing is looked for."""
        self._show_state()
        if not self.searcher.is_running:
            self._rest()

    # what happens in the viewer

    def _on_layers(self, event: Any = None) -> None:
        if event is not None and is_result(event.value):
            return
        self._images.refresh()
        self._labels.refresh()
        self._show_state()

    def _on_image_changed(self, layer: Layer) -> None:
        """Have the boxes go along with an image; what is looked for in its former self is not."""
        if self.results.follow(layer_source(layer)):
            self._editing.set_line()
            self._show()
        self._stop_looking(layer, words.CHANGED)

    def _on_removed(self, event: Any) -> None:
        layer: Layer = event.value
        self._stop_looking(layer, words.REMOVED)
        self._on_layers()
        if self.results.removed(layer):
            self._show()

    def _stop_looking(self, layer: Layer, reason: str) -> None:
        """End a search through an image that is not any more what is looked through."""
        scope = self.searcher.scope
        if scope is not None and (scope.source.is_gone or scope.source.layer is layer):
            self.searcher.close()
            self._rest(reason)
