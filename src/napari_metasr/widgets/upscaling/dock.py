"""The panel for whole volumes: controls, and signals when they are used; it knows no viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel
from superqt.utils import signals_blocked

from napari_metasr.volume import Plane
from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.assumed import AssumedControl
from napari_metasr.widgets.panels.dock import Dock
from napari_metasr.widgets.panels.model_choice import model_box
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.preview import BeforeAfter
from napari_metasr.widgets.upscaling.settings import (
    FOUND,
    WHOLE,
    NumberType,
    Setting,
    UpscaleSettings,
)
from napari_metasr.widgets.upscaling.target import TargetKind
from napari_metasr.widgets.upscaling.target_control import TargetControl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.widgets.panels.model_choice import ModelChoice
    from napari_metasr.widgets.upscaling.preview import Pair

PLAN_LINES = 7
STEPS = 1000
LEAST_HEIGHT = 420


class UpscaleDock(Dock):
    """All controls of one volume's upscaling: a form that scrolls, and below it what happens.

    Parameters
    ----------
    models, through_plane_models
        To choose from, for slices and for what is between them.
    device
        Which device is chosen at first.

    Signals
    -------
    settings_changed(Setting)
        A control was used.
    """

    source_chosen = Signal(int)
    settings_changed = Signal(Setting)
    kind_chosen = Signal(TargetKind)
    isotropic_requested = Signal()
    browse_requested = Signal()
    start_requested = Signal()
    resume_requested = Signal()
    discard_requested = Signal()
    cancel_requested = Signal()

    def __init__(
        self,
        models: Sequence[ModelChoice],
        through_plane_models: Sequence[ModelChoice],
        device: str = "auto",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            "metasr_upscale_dock",
            size=(330, 680),
            minimum=(docks.MINIMUM_WIDTH, LEAST_HEIGHT),
            parent=parent,
        )
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
        self.model = model_box(models, "The network that upscales the slices of the plane")
        self.through_plane_model = model_box(
            through_plane_models, "The network that makes what is between the slices"
        )
        self.within = parts.combo_box(
            "What is super-resolved: everything, or boxes around lesions alone, with cubic\n"
            "interpolation around them. Lesions are detected first, or are those of a labels\n"
            "layer or of a result of the dock “Detect tumour”."
        )
        self.output = QLineEdit()
        self.output.setPlaceholderText(words.PLACEHOLDER)
        self.browse = QPushButton("…")
        self.browse.setFixedWidth(28)
        self.browse.setToolTip("Choose where to write the output")

    def _build_more(self, device: str) -> None:
        self.assumed = AssumedControl()
        self.thickness = QDoubleSpinBox()
        self.thickness.setRange(0, 100)
        self.thickness.setSpecialValueText("auto")
        self.thickness.setSuffix(" mm")
        self.thickness.setSingleStep(0.5)
        self.thickness.setKeyboardTracking(False)
        self.thickness.setToolTip(
            "Thickness of the slices, where there are gaps between them or they overlap;\n"
            "auto: as the header says, or else they touch"
        )
        self.dtype = parts.enum_box(NumberType, "The output's number type")
        self.device = parts.combo_box("Where networks run; auto takes the fastest there is")
        parts.list_devices(self.device)
        self.device.setCurrentIndex(max(self.device.findData(device), 0))
        self.opens = QCheckBox("Show the output as a layer")
        self.opens.setChecked(True)
        self.opens.setToolTip("Without it the output is written and not read")
        self.labels = QCheckBox("Segmentations come along")
        self.labels.setChecked(True)
        self.labels.setToolTip(
            "Write the labels layers on the volume's grid on the new grid too, beside the output,\n"
            "with smooth outlines"
        )

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
        self.progress.setToolTip("Progress of the whole work")
        self.start = QPushButton("Start")
        self.resume = QPushButton("Resume")
        self.resume.setToolTip(
            "Continue the unfinished work on this output, with the same settings"
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
            docks.form(
                [
                    ("Source", [self.source], 1),
                    ("Plane", [self.plane], 1),
                    ("Target", [self.target], 1),
                    ("In slices", [self.model], 1),
                    ("Across", [self.through_plane_model], 1),
                    ("Region", [self.within], 1),
                    ("Output", [self.output, self.browse], 1),
                ]
            )
        )
        more = QWidget()
        rows = QVBoxLayout(more)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addLayout(
            docks.form(
                [
                    ("Scan", [self.assumed], 1),
                    ("Thickness", [self.thickness], 1),
                    ("Type", [self.dtype], 1),
                    ("Device", [self.device], 1),
                ]
            )
        )
        rows.addWidget(self.labels)
        rows.addWidget(self.opens)
        self.more = parts.collapsible("More", more)
        column.addWidget(self.more)
        body, rows = docks.column(spacing=5)
        rows.addWidget(self.form)
        rows.addWidget(parts.line())
        rows.addWidget(self.plan)
        rows.addStretch(1)
        work = QVBoxLayout()
        work.setContentsMargins(6, 0, 6, 4)
        work.setSpacing(4)
        work.addWidget(self.preview)
        work.addWidget(self.status)
        work.addWidget(self.progress)
        work.addLayout(parts.row([self.resume, self.start, self.discard, self.cancel]))
        work.addWidget(parts.research_use())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        outer.addWidget(docks.scrolled(body), 1)
        outer.addLayout(work)

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(self.source_chosen)
        for combo, setting in (
            (self.plane, Setting.PLANE),
            (self.model, Setting.MODEL),
            (self.through_plane_model, Setting.THROUGH_PLANE_MODEL),
            (self.within, Setting.WITHIN),
            (self.dtype, Setting.DTYPE),
            (self.device, Setting.DEVICE),
        ):
            combo.currentIndexChanged.connect(
                lambda _, setting=setting: self.settings_changed.emit(setting)
            )
        self.assumed.changed.connect(lambda: self.settings_changed.emit(Setting.ASSUMED))
        self.target.edited.connect(lambda: self.settings_changed.emit(Setting.TARGET))
        self.target.kind_chosen.connect(self.kind_chosen)
        self.target.isotropic_requested.connect(self.isotropic_requested)
        self.thickness.valueChanged.connect(lambda _: self.settings_changed.emit(Setting.THICKNESS))
        self.labels.toggled.connect(lambda _: self.settings_changed.emit(Setting.LABELS))
        self.output.textEdited.connect(lambda _: self.settings_changed.emit(Setting.OUTPUT))
        self.browse.clicked.connect(lambda: self.browse_requested.emit())
        self.start.clicked.connect(lambda: self.start_requested.emit())
        self.resume.clicked.connect(lambda: self.resume_requested.emit())
        self.discard.clicked.connect(lambda: self.discard_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())

    @property
    def settings(self) -> UpscaleSettings:
        """What is set now."""
        return UpscaleSettings(
            plane=self.plane.currentData(),
            target=self.target.target,
            model=self.model.currentData() or "",
            through_plane_model=self.through_plane_model.currentData() or "",
            device=self.device.currentData(),
            assumed=self.assumed.words,
            within=max(self.within.currentIndex(), WHOLE),
            thickness=self.thickness.value() or None,
            dtype=self.dtype.currentEnum() or NumberType.SOURCE,
            output=self.output.text(),
            opens=self.opens.isChecked(),
            labels=self.labels.isChecked(),
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

    def show_plan(
        self,
        text: str,
        *,
        in_plane: bool = True,
        through_plane: bool = True,
        can_be_told: bool = False,
    ) -> None:
        """Say what is going to be done, and let that be chosen that it takes.

        Parameters
        ----------
        in_plane, through_plane
            Whether each of the models runs.
        can_be_told
            Whether that of slices in plane can be told how they were acquired.
        """
        self.assumed.offer(acquisition=can_be_told, noise=can_be_told)
        if self.plan.text() != text:
            self.plan.setText(text)
        self.model.setEnabled(in_plane)
        self.through_plane_model.setEnabled(through_plane)

    def show_idle(self, *, can_start: bool, unfinished: bool = False) -> None:
        """Show that nothing is being done."""
        self.form.setEnabled(True)
        self.start.setText("Start over" if unfinished else "Start")
        self.start.setToolTip(
            "Discard the unfinished work, and start" if unfinished else "Make the volume finer"
        )
        self.start.setVisible(True)
        self.start.setEnabled(can_start)
        self.resume.setVisible(unfinished)
        self.resume.setEnabled(can_start)
        self.discard.setVisible(unfinished)
        self.cancel.setVisible(not unfinished)
        self.cancel.setEnabled(False)

    def show_working(self) -> None:
        """Show that something is being done; nothing can be set meanwhile."""
        self.form.setEnabled(False)
        for button in (self.resume, self.discard):
            button.setVisible(False)
        self.start.setVisible(True)
        self.start.setEnabled(False)
        self.start.setText("Start")
        self.cancel.setVisible(True)
        self.cancel.setEnabled(True)
        self.progress.setValue(0)
        self.preview.show_pair(None)

    def show_stopping(self) -> None:
        """Show that it has been asked to stop."""
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
