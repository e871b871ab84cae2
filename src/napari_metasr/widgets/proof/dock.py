"""The panel of the proof on one's own scan: controls, and signals; it knows no viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QDoubleSpinBox, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_metasr.trust.proof_settings import ProofSettings
from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.dock import Dock
from napari_metasr.widgets.panels.model_choice import model_box
from napari_metasr.widgets.proof.scope import ProofScope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from napari_metasr.widgets.panels.model_choice import ModelChoice

STATUS_LINES = 2
VERDICT_LINES = 12
STEPS = 1000
"""Steps of the progress bar."""

DARKEST, BRIGHTEST = -95.0, 500.0
"""Brightness of lesions beyond their surroundings, in percent."""


class FittingPicture(QLabel):
    """A picture as wide as there is room for, in its proportions."""

    def __init__(self, tip: str) -> None:
        super().__init__()
        self._whole = QPixmap()
        self.setToolTip(tip)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_png(self, png: bytes | None, words: str = "") -> None:
        """Show a picture, or none; the words are read out in its place."""
        self._whole = QPixmap()
        if png is not None:
            self._whole.loadFromData(png)
        self.setAccessibleDescription(words)
        self.setVisible(png is not None)
        self._fit()

    def heightForWidth(self, width: int) -> int:
        """Return the height that the picture takes at a width."""
        if self._whole.isNull():
            return 0
        shown = min(width, self._whole.width())
        return round(shown * self._whole.height() / self._whole.width())

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        return QSize(self.width(), self.heightForWidth(self.width()))

    def resizeEvent(self, event: Any) -> None:
        """Fit the picture to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._whole.isNull():
            self.setPixmap(QPixmap())
            return
        width = min(self.width(), self._whole.width())
        ratio = self.devicePixelRatioF()
        scaled = self._whole.scaledToWidth(
            max(round(width * ratio), 1), Qt.TransformationMode.SmoothTransformation
        )
        scaled.setDevicePixelRatio(ratio)
        self.setPixmap(scaled)
        self.setMinimumHeight(self.heightForWidth(self.width()))


class ProofDock(Dock):
    """All controls of the proof in one compact column.

    Parameters
    ----------
    models
        The networks to choose from.

    Signals
    -------
    source_chosen
        With the place of an image in the list.
    start_requested, cancel_requested
        The work is to begin, or to stop.
    open_requested, save_requested
        The report is to be shown in a browser, or written to a file.
    """

    source_chosen = Signal(int)
    start_requested = Signal()
    cancel_requested = Signal()
    open_requested = Signal()
    save_requested = Signal()

    def __init__(self, models: Sequence[ModelChoice], parent: QWidget | None = None) -> None:
        super().__init__("metasr_proof_dock", size=(320, 560), parent=parent)
        self._build(models)
        self._lay_out()
        self._connect()
        self.show_state(can_start=False, is_running=False, has_report=False)

    def _build(self, models: Sequence[ModelChoice]) -> None:
        self.source = parts.combo_box("The scan to try the network on")
        self.model = model_box(models, "The network that is tried")
        self.scope = parts.enum_box(
            ProofScope,
            "Slices all over the head (about a minute); or, in seconds, the slice on the screen,\n"
            "the lesion that is chosen in the table of “Detect tumour”, or the rectangle that is\n"
            "drawn with “Meta-SR Zoom”",
        )
        self.contrast = QDoubleSpinBox()
        self.contrast.setRange(DARKEST, BRIGHTEST)
        self.contrast.setDecimals(0)
        self.contrast.setSingleStep(5)
        self.contrast.setSuffix("%")
        self.contrast.setValue(100 * ProofSettings().contrast)
        self.contrast.setToolTip(
            "Brightness of the lesions that are put in, beyond their surroundings, as a share of\n"
            "the head's median brightness; negative for dark lesions"
        )
        self.start = QPushButton("Try it")
        self.start.setToolTip(
            "Make slices of this scan coarser as its scanner would have, enlarge them again by\n"
            "the network and by interpolation, and compare them with what they were"
        )
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop; nothing is kept")
        self.progress = parts.slim_bar(6)
        self.progress.setRange(0, STEPS)
        self.status = parts.Words(STATUS_LINES, "What is being done, and how long it still takes")
        self.status.setObjectName("metasr_proof_status")
        self.verdict = parts.Words(VERDICT_LINES, "What was found on this scan")
        self.verdict.setObjectName("metasr_proof_verdict")
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.picture = FittingPicture("Share of lesions that are seen, against their diameter")
        self.picture.hide()
        self.open = QPushButton("Open report")
        self.open.setToolTip("Show the whole report in a browser")
        self.save = QPushButton("Save report…")
        self.save.setToolTip("Write the report as a page (HTML) or PDF; it names no patient")

    def _lay_out(self) -> None:
        body, column = docks.column(spacing=5)
        column.addLayout(
            docks.form(
                [
                    ("Source", [self.source], 1),
                    ("Model", [self.model], 1),
                    ("Try", [self.scope], 1),
                    ("Lesions", [self.contrast, QLabel("brighter")], 1),
                ]
            )
        )
        column.addLayout(parts.row([self.start, self.cancel], first=2))
        column.addWidget(self.progress)
        column.addWidget(self.status)
        column.addWidget(parts.line())
        column.addWidget(self.verdict)
        column.addWidget(self.picture)
        column.addLayout(parts.row([self.open, self.save]))
        column.addStretch(1)
        column.addWidget(parts.research_use())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(docks.scrolled(body))

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(self.source_chosen)
        self.start.clicked.connect(lambda: self.start_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())
        self.open.clicked.connect(lambda: self.open_requested.emit())
        self.save.clicked.connect(lambda: self.save_requested.emit())

    @property
    def settings(self) -> ProofSettings:
        """What is set.

        Raises
        ------
        ValueError
            If the lesions have no contrast.
        """
        return ProofSettings(contrast=self.contrast.value() / 100)

    @property
    def tried(self) -> ProofScope:
        """What is tried of the scan."""
        return ProofScope(self.scope.currentText())

    def show_sources(self, names: Sequence[str], current: int) -> None:
        """List the images; emits nothing."""
        parts.fill(self.source, names, current)

    def show_state(self, *, can_start: bool, is_running: bool, has_report: bool) -> None:
        """Enable the controls that apply."""
        for control in (self.source, self.model, self.scope, self.contrast):
            control.setEnabled(not is_running)
        self.start.setEnabled(can_start and not is_running and self.model.count() > 0)
        self.cancel.setEnabled(is_running)
        self.progress.setVisible(is_running)
        self.open.setEnabled(has_report)
        self.save.setEnabled(has_report)

    def show_progress(self, text: str, share: float) -> None:
        """Say how far the work is."""
        self.progress.setValue(round(STEPS * share))
        self.show_status(text)

    def show_status(self, text: str) -> None:
        """Say what is being done."""
        self.status.setText(text)

    def show_verdict(self, sentences: Sequence[str], png: bytes | None, words: str = "") -> None:
        """Show what was found, with the picture of the curves."""
        self.verdict.setText("\n\n".join(sentences))
        self.picture.show_png(png, words)
