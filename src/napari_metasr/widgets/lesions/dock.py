"""The detection dock's panel: controls, and signals when they are used; it knows no viewer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_metasr.widgets.lesions.table import LesionTable
from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.dock import Dock
from napari_metasr.widgets.panels.model_choice import model_box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.widgets.panels.model_choice import ModelChoice

STATUS_LINES = 2
CONCERN_LINES = 4
LEAST_HEIGHT = 340
"""Down to the table: napari would give a second dock nearly all of the height."""


class SearchScope(StrEnum):
    """What is searched; the values are titles."""

    SLICE = "Current slice"
    VOLUME = "Whole volume"

    def __str__(self) -> str:
        return self.value


class LesionDock(Dock):
    """All controls of detection in one compact column.

    Parameters
    ----------
    detectors
        The detectors to choose from; may be empty.
    """

    source_chosen = Signal(int)
    detect_requested = Signal()
    cancel_requested = Signal()
    result_chosen = Signal(int)
    lesion_chosen = Signal(int)
    add_toggled = Signal(bool)
    edit_toggled = Signal(bool)
    labels_requested = Signal(int)
    export_requested = Signal()

    def __init__(self, detectors: Sequence[ModelChoice], parent: QWidget | None = None) -> None:
        super().__init__(
            "metasr_lesion_dock",
            size=(320, 470),
            minimum=(docks.MINIMUM_WIDTH, LEAST_HEIGHT),
            parent=parent,
        )
        self._has_detector = bool(detectors)
        self._build_search(detectors)
        self._build_results()
        self._lay_out()
        self._connect()
        self.show_state(has_image=False, has_boxes=False)

    def _build_search(self, detectors: Sequence[ModelChoice]) -> None:
        self.source = parts.combo_box("The image to look for tumour in")
        self.detector = model_box(detectors, "The network that looks for tumour")
        self.scope = parts.enum_box(
            SearchScope,
            "The slice on the screen, or every slice of the plane on the screen: regions of\n"
            "neighbouring slices that agree become one, and what stands alone is dropped",
        )
        self.detect = QPushButton("Detect")
        self.detect.setToolTip("Look for tumour; earlier results are kept under Results")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop looking, and drawing figures; nothing more is added")
        self.cancel.setEnabled(False)
        self.progress = parts.slim_bar(6)
        self.status = parts.Words(STATUS_LINES, "What was found, or what is being done")
        self.status.setObjectName("metasr_lesion_status")

    def _build_results(self) -> None:
        self.results = parts.combo_box("Go back to earlier results; their layers are hidden")
        self.table = LesionTable()
        self.add = QPushButton("Add box")
        self.add.setCheckable(True)
        self.add.setToolTip(
            "Draw a box on the slice. In a slice beside a region, over it, it continues that region"
        )
        self.edit = QPushButton("Edit boxes")
        self.edit.setCheckable(True)
        self.edit.setToolTip(
            "Drag boxes or their corners, delete them with the Delete key, undo with Ctrl+Z.\n"
            "What a person has changed has no score any more."
        )
        self.labels = parts.combo_box("A segmentation on the image's grid")
        self.take = QPushButton("Use")
        self.take.setToolTip("Every connected region of the segmentation becomes a region here")
        self.export = QPushButton("Export…")
        self.export.setToolTip(
            "Write the regions as JSON (boxes in pixels and mm, scores) and as a BIDS mask\n"
            "(NIfTI), or a super-resolved figure of every region, or a mosaic of its slices"
        )
        self.concerns = parts.Words(CONCERN_LINES, "What to know before trusting the result")
        self.concerns.setObjectName("metasr_concerns")

    def _lay_out(self) -> None:
        body, column = docks.column(spacing=5)
        column.addLayout(
            docks.form(
                [
                    ("Source", [self.source], 1),
                    ("Detector", [self.detector], 1),
                    ("Look in", [self.scope], 1),
                ]
            )
        )
        column.addLayout(parts.row([self.detect, self.cancel], first=2))
        column.addWidget(self.progress)
        column.addWidget(self.status)
        column.addWidget(parts.line())
        column.addLayout(docks.form([("Results", [self.results], 1)]))
        column.addWidget(self.table)
        column.addLayout(parts.row([self.add, self.edit, self.export]))
        column.addWidget(self.concerns)
        column.addWidget(parts.line())
        column.addLayout(docks.form([("Labels", [self.labels, self.take], 3)]))
        column.addStretch(1)
        column.addWidget(parts.research_use())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._scroll = docks.scrolled(body)
        outer.addWidget(self._scroll)

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(self.source_chosen)
        self.results.currentIndexChanged.connect(self.result_chosen)
        self.table.row_chosen.connect(self.lesion_chosen)
        self.add.clicked.connect(self.add_toggled)
        self.edit.clicked.connect(self.edit_toggled)
        self.detect.clicked.connect(lambda: self.detect_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())
        self.take.clicked.connect(lambda: self.labels_requested.emit(self.labels.currentIndex()))
        self.export.clicked.connect(lambda: self.export_requested.emit())

    @property
    def whole_volume(self) -> bool:
        """Whether every slice is to be looked at."""
        return self.scope.currentEnum() is SearchScope.VOLUME

    def show_sources(self, names: Sequence[str], current: int) -> None:
        """List the images; emits nothing."""
        parts.fill(self.source, names, current)

    def show_labels(self, names: Sequence[str], current: int) -> None:
        """List the segmentations; emits nothing."""
        parts.fill(self.labels, names, current)
        self.labels.setEnabled(bool(names))
        self.take.setEnabled(bool(names) and self.add.isEnabled())

    def show_results(self, names: Sequence[str], current: int) -> None:
        """List the results; emits nothing."""
        parts.fill(self.results, names, current)
        self.results.setEnabled(bool(names))

    def show_state(self, *, has_image: bool, has_boxes: bool, writes: bool = False) -> None:
        """Enable the controls that apply; one file is written at a time."""
        self.detect.setEnabled(has_image and self._has_detector)
        self.scope.setEnabled(has_image and self._has_detector)
        self.detector.setEnabled(self._has_detector)
        self.add.setEnabled(has_image)
        self.take.setEnabled(has_image and self.labels.count() > 0)
        self.edit.setEnabled(has_boxes)
        self.export.setEnabled(has_boxes and not writes)

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Say how far a search is, or the drawing of figures."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.show()
        self.cancel.setEnabled(True)
        self.show_status(f"{text}: {done} of {total}" if total > 1 else f"{text} …")

    def show_rest(self) -> None:
        """Show that nothing is being looked for or drawn."""
        self.progress.hide()
        self.cancel.setEnabled(False)

    def show_status(self, text: str) -> None:
        """Say what was found, or what is being done."""
        if self.status.text() != text:
            self.status.setText(text)

    def show_concerns(self, concerns: Sequence[str]) -> None:
        """Say what to know before trusting the result."""
        self.concerns.setText("\n".join(concerns))

    def show_editing(self, *, editing: bool, adding: bool) -> None:
        """Show whether boxes are edited or one is drawn; emits nothing."""
        self.edit.setChecked(editing)
        self.add.setChecked(adding)
        self.add.setText("Draw it …" if adding else "Add box")
