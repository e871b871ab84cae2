"""The panel for whole volumes: controls, and signals when they are used; it knows no viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel
from superqt.utils import signals_blocked

from napari_metasr.volume import Plane
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.preview import BeforeAfter
from napari_metasr.widgets.upscaling.target_control import TargetControl, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.widgets.panels.model_choice import ModelChoice
    from napari_metasr.widgets.upscaling.preview import Pair

PLAN_LINES = 7
STEPS = 1000
LEAST_HEIGHT = 420
WHOLE, FOUND = range(2)
"""Entries of where networks work; layers with regions come after them."""


@dataclass(frozen=True)
class UpscaleSettings:
    """What is set in the dock.

    Attributes
    ----------
    plane
        Of the slices as they were acquired.
    wanted
        How fine the output is to be.
    model, through_plane_model, device
        By name.
    within
        ``WHOLE``, ``FOUND``, or the place of a layer after them.
    thickness
        Of slices, in mm, where they do not touch.
    dtype
        Of the output.
    output
        The file; empty where it is to be asked for.
    opens
        Whether the output becomes a layer.
    """

    plane: Plane
    wanted: Wanted
    model: str
    through_plane_model: str
    device: str
    within: int
    thickness: float | None
    dtype: Literal["source", "float32"]
    output: str
    opens: bool


class UpscaleDock(QWidget):
    """All controls of one volume's enlargement: a form that scrolls, and below it what happens.

    Parameters
    ----------
    models, through_plane_models
        To choose from, for slices and for what is between them.
    device
        Which device is chosen at first.
    """

    source_chosen = Signal(int)
    settings_changed = Signal(str)
    kind_chosen = Signal(str)
    isotropic_requested = Signal()
    browse_requested = Signal()
    start_requested = Signal()
    go_on_requested = Signal()
    discard_requested = Signal()
    cancel_requested = Signal()
    closed = Signal()

    def __init__(
        self,
        models: Sequence[ModelChoice],
        through_plane_models: Sequence[ModelChoice],
        device: str = "auto",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("metasr_upscale_dock")
        self._build_form(models, through_plane_models)
        self._build_more(device)
        self._build_work()
        self._lay_out()
        self._connect()
        self.show_regions([], -1)
        self.show_idle(can_start=False)

    def _build_form(
        self, models: Sequence[ModelChoice], through_plane_models: Sequence[ModelChoice]
    ) -> None:
        self.source = parts.combo_box("The volume that is made finer")
        self.plane = parts.combo_box("The anatomical plane in which the slices were acquired")
        for plane in Plane:
            self.plane.addItem(plane.capitalize(), plane)
        self.target = TargetControl()
        self.model = _models(models, "The network that enlarges the slices of the plane")
        self.through_plane_model = _models(
            through_plane_models, "The network that makes what is between the slices"
        )
        self.within = parts.combo_box(
            "Where networks work: everywhere, or in the boxes round lesions alone, with cubic\n"
            "interpolation around them. Lesions are found first, or are those of a labels layer\n"
            "or of a result of the dock “Detect tumour”."
        )
        self.output = QLineEdit()
        self.output.setPlaceholderText(words.PLACEHOLDER)
        self.browse = QPushButton("…")
        self.browse.setFixedWidth(28)
        self.browse.setToolTip("Choose where to write the output")

    def _build_more(self, device: str) -> None:
        self.thickness = QDoubleSpinBox()
        self.thickness.setRange(0, 100)
        self.thickness.setSpecialValueText("slices touch")
        self.thickness.setSuffix(" mm")
        self.thickness.setSingleStep(0.5)
        self.thickness.setKeyboardTracking(False)
        self.thickness.setToolTip(
            "Of the slices, where there are gaps between them or they overlap"
        )
        self.dtype = parts.combo_box("The output's number type")
        self.dtype.addItem("The source's, rounded and clipped", "source")
        self.dtype.addItem("32-bit real numbers", "float32")
        self.device = parts.combo_box("Where networks run; auto takes the fastest there is")
        parts.list_devices(self.device)
        self.device.setCurrentIndex(max(self.device.findData(device), 0))
        self.opens = QCheckBox("Show the output as a layer")
        self.opens.setChecked(True)
        self.opens.setToolTip("Without it the output is written and not read")

    def _build_work(self) -> None:
        self.plan = parts.Words(PLAN_LINES, "What is going to be done")
        self.plan.setObjectName("metasr_upscale_plan")
        self.plan.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.preview = BeforeAfter()
        self.status = QElidingLabel("")
        self.status.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.status.setObjectName("metasr_upscale_status")
        self.progress = QProgressBar()
        self.progress.setRange(0, STEPS)
        self.progress.setToolTip("Of the whole work")
        self.start = QPushButton("Start")
        self.go_on = QPushButton("Go on")
        self.go_on.setToolTip(
            "Go on with the unfinished work on this output, with the same settings"
        )
        self.discard = QPushButton("Discard")
        self.discard.setToolTip("Remove the unfinished work from the disk")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop; what is done is kept beside the output, to go on with later")

    def _lay_out(self) -> None:
        self.form = QWidget()
        column = QVBoxLayout(self.form)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(
            _form(
                [
                    ("Source", [self.source]),
                    ("Plane", [self.plane]),
                    ("Target", [self.target]),
                    ("Slices", [self.model]),
                    ("Between", [self.through_plane_model]),
                    ("Within", [self.within]),
                    ("Output", [self.output, self.browse]),
                ]
            )
        )
        more = QWidget()
        rows = QVBoxLayout(more)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addLayout(
            _form(
                [
                    ("Thickness", [self.thickness]),
                    ("Numbers", [self.dtype]),
                    ("Device", [self.device]),
                ]
            )
        )
        rows.addWidget(self.opens)
        self.more = parts.collapsible("More", more)
        column.addWidget(self.more)
        body = QWidget()
        rows = QVBoxLayout(body)
        rows.setContentsMargins(6, 4, 6, 4)
        rows.setSpacing(5)
        rows.addWidget(self.form)
        rows.addWidget(parts.line())
        rows.addWidget(self.plan)
        rows.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        work = QVBoxLayout()
        work.setContentsMargins(6, 0, 6, 4)
        work.setSpacing(4)
        work.addWidget(self.preview)
        work.addWidget(self.status)
        work.addWidget(self.progress)
        work.addLayout(parts.row([self.go_on, self.start, self.discard, self.cancel]))
        work.addWidget(parts.research_use())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        outer.addWidget(scroll, 1)
        outer.addLayout(work)
        self.setMinimumSize(290, LEAST_HEIGHT)

    def sizeHint(self) -> QSize:
        """A narrow column."""
        return QSize(330, 680)

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(self.source_chosen)
        for name in ("plane", "model", "through_plane_model", "within", "dtype", "device"):
            combo: QComboBox = getattr(self, name)
            combo.currentIndexChanged.connect(lambda _, name=name: self.settings_changed.emit(name))
        self.target.edited.connect(lambda: self.settings_changed.emit("target"))
        self.target.kind_chosen.connect(self.kind_chosen)
        self.target.isotropic_requested.connect(self.isotropic_requested)
        self.thickness.valueChanged.connect(lambda _: self.settings_changed.emit("thickness"))
        self.output.textEdited.connect(lambda _: self.settings_changed.emit("output"))
        self.browse.clicked.connect(lambda: self.browse_requested.emit())
        self.start.clicked.connect(lambda: self.start_requested.emit())
        self.go_on.clicked.connect(lambda: self.go_on_requested.emit())
        self.discard.clicked.connect(lambda: self.discard_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())

    @property
    def settings(self) -> UpscaleSettings:
        """What is set now."""
        return UpscaleSettings(
            plane=self.plane.currentData(),
            wanted=self.target.wanted,
            model=self.model.currentData() or "",
            through_plane_model=self.through_plane_model.currentData() or "",
            device=self.device.currentData(),
            within=max(self.within.currentIndex(), WHOLE),
            thickness=self.thickness.value() or None,
            dtype=self.dtype.currentData(),
            output=self.output.text(),
            opens=self.opens.isChecked(),
        )

    def show_sources(self, names: Sequence[str], current: int) -> None:
        """List the images; emits nothing."""
        parts.fill(self.source, names, current)

    def show_regions(self, names: Sequence[str], current: int) -> None:
        """List the layers with regions, after what there always is; emits nothing.

        Parameters
        ----------
        current
            The chosen layer; without one the choice stays what it was.
        """
        before = self.within.currentIndex()
        place = before if before in {WHOLE, FOUND} else WHOLE
        if before > FOUND and current >= 0:
            place = FOUND + 1 + current
        parts.fill(self.within, [words.WHOLE, words.FOUND, *names], place)

    def show_plane(self, plane: Plane) -> None:
        """Show a plane; emits nothing."""
        with signals_blocked(self.plane):
            self.plane.setCurrentIndex(self.plane.findData(plane))

    def show_output(self, path: str) -> None:
        """Show where the output goes; emits nothing."""
        if self.output.text() != path:
            self.output.setText(path)
        self.output.setToolTip(path or words.PLACEHOLDER.capitalize())
        if not self.output.hasFocus():
            self.output.end(False)

    def show_plan(self, text: str, *, in_plane: bool = True, through_plane: bool = True) -> None:
        """Say what is going to be done, and let the models be chosen that it takes."""
        if self.plan.text() != text:
            self.plan.setText(text)
        self.model.setEnabled(in_plane)
        self.through_plane_model.setEnabled(through_plane)

    def show_idle(self, *, can_start: bool, unfinished: bool = False) -> None:
        """Nothing is being done."""
        self.form.setEnabled(True)
        self.start.setText("Start anew" if unfinished else "Start")
        self.start.setToolTip(
            "Discard the unfinished work, and start" if unfinished else "Make the volume finer"
        )
        self.start.setVisible(True)
        self.start.setEnabled(can_start)
        self.go_on.setVisible(unfinished)
        self.go_on.setEnabled(can_start)
        self.discard.setVisible(unfinished)
        self.cancel.setVisible(not unfinished)
        self.cancel.setEnabled(False)

    def show_working(self) -> None:
        """Something is being done; nothing can be set meanwhile."""
        self.form.setEnabled(False)
        for button in (self.go_on, self.discard):
            button.setVisible(False)
        self.start.setVisible(True)
        self.start.setEnabled(False)
        self.start.setText("Start")
        self.cancel.setVisible(True)
        self.cancel.setEnabled(True)
        self.progress.setValue(0)
        self.preview.show_pair(None)

    def show_stopping(self) -> None:
        """It has been asked to stop, and will."""
        self.cancel.setEnabled(False)
        self.show_status(words.STOPPING)

    def show_overall(self, overall: float) -> None:
        """Say how far all of the work is, 0 to 1."""
        self.progress.setValue(round(STEPS * overall))

    def show_status(self, text: str) -> None:
        """Say what is being done, or what came of it."""
        if self.status.text() != text:
            self.status.setText(text)
            self.status.setToolTip(text)

    def show_pair(self, pair: Pair) -> None:
        """Show a slice before and after."""
        self.preview.show_pair(pair)

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


def _models(models: Sequence[ModelChoice], tip: str) -> QComboBox:
    combo = parts.combo_box(tip)
    for model in models:
        combo.addItem(model.text, model.name)
        combo.setItemData(combo.count() - 1, model.tip, Qt.ItemDataRole.ToolTipRole)
    return combo


def _form(lines: Sequence[tuple[str, Sequence[QWidget]]]) -> QGridLayout:
    """Controls under each other, with their names."""
    form = QGridLayout()
    form.setHorizontalSpacing(6)
    form.setVerticalSpacing(4)
    form.setColumnStretch(1, 1)
    for number, (title, widgets) in enumerate(lines):
        label = QLabel(title)
        label.setBuddy(widgets[0])
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        form.addWidget(label, number, 0)
        form.addLayout(parts.row(widgets), number, 1)
    return form
