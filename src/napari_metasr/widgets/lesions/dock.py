"""The detection dock's panel: controls, and signals when they are used; it knows no viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_metasr.widgets.lesions.table import LesionTable
from napari_metasr.widgets.panels import parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

SLICE, VOLUME = "slice", "volume"
STATUS_LINES = 2
CONCERN_LINES = 4
LEAST_HEIGHT = 340
"""Down to the table: napari would give a second dock nearly all of the height."""


class LesionDock(QWidget):
    """All controls of detection in one compact column.

    Parameters
    ----------
    detectors
        (name, title, tooltip) of the detectors to choose from; may be empty.
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
    closed = Signal()

    def __init__(
        self, detectors: Sequence[tuple[str, str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("metasr_lesion_dock")
        self._has_detector = bool(detectors)
        self._build_search(detectors)
        self._build_results()
        self._lay_out()
        self._connect()
        self.show_state(has_image=False, has_boxes=False)

    def _build_search(self, detectors: Sequence[tuple[str, str, str]]) -> None:
        self.source = parts.combo_box("The image to look for tumour in")
        self.detector = parts.combo_box("The network that looks for tumour")
        for name, title, tip in detectors:
            self.detector.addItem(title, name)
            self.detector.setItemData(self.detector.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.scope = parts.combo_box(
            "The slice on the screen, or every slice of the plane on the screen: regions of\n"
            "neighbouring slices that agree become one, and what stands alone is dropped"
        )
        self.scope.addItem("Current slice", SLICE)
        self.scope.addItem("Whole volume", VOLUME)
        self.detect = QPushButton("Detect")
        self.detect.setToolTip("Look for tumour; earlier results are kept under Results")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop looking; nothing is added")
        self.cancel.setEnabled(False)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()
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
            "Drag boxes or their corners, delete them with the Delete key.\n"
            "What a person has changed has no score any more."
        )
        self.labels = parts.combo_box("A segmentation on the image's grid")
        self.take = QPushButton("Take")
        self.take.setToolTip("Every connected region of the segmentation becomes a region here")
        self.export = QPushButton("Export…")
        self.export.setToolTip(
            "Write the regions as JSON (boxes in pixels and mm, scores) and as a BIDS mask (NIfTI)"
        )
        self.concerns = parts.Words(CONCERN_LINES, "What to know before trusting the result")
        self.concerns.setObjectName("metasr_concerns")

    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(5)
        column.addLayout(
            _form([("Source", self.source), ("Detector", self.detector), ("Look in", self.scope)])
        )
        column.addLayout(parts.row([self.detect, self.cancel], first=2))
        column.addWidget(self.progress)
        column.addWidget(self.status)
        column.addWidget(parts.line())
        column.addLayout(_form([("Results", self.results)]))
        column.addWidget(self.table)
        column.addLayout(parts.row([self.add, self.edit, self.export]))
        column.addWidget(self.concerns)
        column.addWidget(parts.line())
        taking = _form([("Labels", self.labels)])
        taking.addWidget(self.take, 0, 2)
        column.addLayout(taking)
        column.addStretch(1)
        column.addWidget(parts.research_use())
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)
        self.setMinimumSize(290, LEAST_HEIGHT)

    def sizeHint(self) -> QSize:
        """A narrow column."""
        return QSize(320, 470)

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
        return bool(self.scope.currentData() == VOLUME)

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

    def show_state(self, *, has_image: bool, has_boxes: bool) -> None:
        """Let be used what can be."""
        self.detect.setEnabled(has_image and self._has_detector)
        self.scope.setEnabled(has_image and self._has_detector)
        self.detector.setEnabled(self._has_detector)
        self.add.setEnabled(has_image)
        self.take.setEnabled(has_image and self.labels.count() > 0)
        for button in (self.edit, self.export):
            button.setEnabled(has_boxes)

    def show_progress(self, text: str, done: int, total: int) -> None:
        """Say how far a search is."""
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.show()
        self.cancel.setEnabled(True)
        self.show_status(f"{text}: {done} of {total}" if total > 1 else f"{text} …")

    def show_rest(self) -> None:
        """Nothing is being looked for."""
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

    def event(self, event: QEvent | None) -> bool:
        """Notice that napari has taken the widget out of its dock: it is closed and deleted."""
        handled = super().event(event)
        if event is not None and event.type() == QEvent.Type.ParentChange and not self.parent():
            self.closed.emit()
            self.deleteLater()
        return handled

    def closeEvent(self, event: Any) -> None:
        """Closed as a window of its own."""
        self.closed.emit()
        super().closeEvent(event)


def _form(lines: Sequence[tuple[str, QComboBox]]) -> QGridLayout:
    """Choices under each other, with their names."""
    form = QGridLayout()
    form.setHorizontalSpacing(6)
    form.setVerticalSpacing(4)
    form.setColumnStretch(1, 1)
    for row, (title, widget) in enumerate(lines):
        label = QLabel(title)
        label.setBuddy(widget)
        form.addWidget(label, row, 0)
        form.addWidget(widget, row, 1)
    return form
