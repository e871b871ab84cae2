"""Keeps the dock of the proof, the work and the viewer in step."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, QUrl
from qtpy.QtGui import QDesktopServices

from napari_metasr.forecast import Forecast
from napari_metasr.weights.risk import has_risk
from napari_metasr.widgets.panels.dialogs import Dialogs
from napari_metasr.widgets.panels.worker import Task, once, reason
from napari_metasr.widgets.proof import messages as words
from napari_metasr.widgets.proof.scope import part_of
from napari_metasr.widgets.proof.work import Report, Request, prove, write
from napari_metasr.widgets.viewer.layer_choice import LayerChoice
from napari_metasr.widgets.viewer.layer_source import check_supported, layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.models import ModelCache, load_error_head
from napari_metasr.widgets.viewer.subscriptions import Subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_metasr.trust.prover import Progress
    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.widgets.proof.dock import ProofDock
    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.zoom.engine import ZoomModel

KINDS = {"Page": (".html",), "PDF": (".pdf",)}
REPORT = "zoom-report.html"
"""The name that is offered: a scan's own name may be a patient's."""


def _show_page(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


class ProofCoordinator(QObject):
    """Tries networks on images of the viewer, one at a time, and shows what comes of it.

    Parameters
    ----------
    viewer, dock
        The viewer and the controls; the coordinator is the dock's child.
    model_factory
        Called as ``model_factory(model, device=device)``, off the GUI thread.
    device
        Where networks run.
    risk_factory
        The same for the error heads of the networks that have one; without it no marks are tried.

    Attributes
    ----------
    dialogs
        How the user is asked.
    report
        What was found last; None before that.
    show_page
        Called with a file to show in a browser.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: ProofDock,
        model_factory: Loader[ZoomModel],
        *,
        device: str,
        risk_factory: Loader[RiskModel] | None = None,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._device = viewer, dock, device
        self.show_page: Callable[[Path], object] = _show_page
        self._closed = False
        self._tried = ""
        self._models = ModelCache(model_factory, risk_factory or load_error_head)
        self._has_marks = risk_factory is not None
        self.report: Report | None = None
        self._left = Forecast.of_one_stage()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.dialogs = Dialogs()
        self.worker = Task()
        self.worker.step.connect(self._on_step)
        self.worker.warned.connect(lambda text: show_warning(f"{words.TITLE} {text}"))
        self.worker.failed.connect(self._on_error)
        self.worker.finished.connect(self._on_finished)
        self._images = LayerChoice(viewer, dock.show_sources)
        dock.source_chosen.connect(self._images.choose)
        dock.start_requested.connect(self._on_start)
        dock.cancel_requested.connect(self.worker.cancel)
        dock.open_requested.connect(self._on_open)
        dock.save_requested.connect(self._on_save)
        dock.closed.connect(self.close)
        events = viewer.layers.events
        self._subscriptions = Subscriptions(
            [(events.inserted, self._on_layers), (events.removed, self._on_layers)]
        )
        self._on_layers()

    def close(self) -> None:
        """Stop, and let go of the networks and the viewer; safe at any time."""
        if self._closed:
            return
        self._closed = True
        self.worker.close()
        self._subscriptions.close()
        self._images.close()
        self._models.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def _on_layers(self, event: Any = None) -> None:
        self._images.refresh()
        self._show_state()
        if not self.worker.is_running and self.report is None:
            self._dock.show_status(words.NO_IMAGE if self._images.layer is None else words.READY)

    def _show_state(self) -> None:
        self._dock.show_state(
            can_start=self._images.layer is not None,
            is_running=self.worker.is_running,
            has_report=self.report is not None,
        )

    def _on_start(self) -> None:
        layer = self._images.layer
        if layer is None or self.worker.is_running:
            return
        try:
            request = self._request(layer)
        except ValueError as refusal:
            show_error(f"{words.TITLE} {reason(refusal)}")
            return
        self.report, self._left = None, Forecast.of_one_stage()
        self._tried = layer.name
        self._dock.show_verdict((), None)
        self.worker.start(prove, request, self._models)
        self._dock.show_progress(words.working(words.LOADING, self._left), 0.0)
        self._show_state()

    def _request(self, layer: Image) -> Request:
        """Return what is set, and where the viewer is.

        Raises
        ------
        ValueError
            If the layer is no image that can be tried, or what is chosen of it is not there.
        """
        check_supported(layer)
        source, dock = layer_source(layer), self._dock
        volume = layer_volume(source)
        part = part_of(dock.tried, self._viewer, source, volume.time_points)
        model = dock.model.currentData()
        with_marks = self._has_marks and has_risk(model)
        return Request(volume, part, model, self._device, dock.settings, with_marks)

    def _on_step(self, step: Progress | Report | Path) -> None:
        if isinstance(step, Path):
            show_info(f"Saved {step}")
        elif isinstance(step, Report):
            self.report = step
            self._dock.show_verdict(step.sentences, step.curves.png, step.curves.caption)
        else:
            self._left.reach_share(step.overall)
            self._dock.show_progress(words.working(step.stage, self._left), step.overall)

    def _on_error(self, error: Exception) -> None:
        show_error(f"{words.TITLE} {reason(error)}")
        self._dock.show_status(words.FAILED)

    def _on_finished(self, cancelled: bool) -> None:
        self._show_state()
        if self.report is not None:
            self._dock.show_status(words.DONE.format(name=self._tried))
        elif cancelled:
            self._dock.show_status(words.CANCELLED)

    # the report

    def _on_open(self) -> None:
        if self.report is None or self.worker.is_running:
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="metasr-report-")
        path = Path(self._folder.name) / REPORT
        try:
            self.show_page(write(path, self.report, overwrite=True))
        except OSError as error:
            show_error(f"{words.TITLE} {reason(error)}")

    def _on_save(self) -> None:
        if self.report is None or self.worker.is_running:
            return
        answer = self.dialogs.path(self._dock, "Save the report", REPORT, KINDS)
        if answer is None:
            return
        path, _ = answer
        if path.exists() and not self.dialogs.may_replace(self._dock, [path]):
            return
        self.worker.start(once, write, path, self.report, path.exists())
        self._show_state()
