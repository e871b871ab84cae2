"""The dock's panel: controls, and signals when they are used; it knows no viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QMenu,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel
from superqt.utils import signals_blocked

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.io.contrast import CONTRASTS
from napari_metasr.trust.told import Words
from napari_metasr.volume import Plane
from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.assumed import AssumedControl
from napari_metasr.widgets.panels.dock import Dock
from napari_metasr.widgets.panels.model_choice import model_box
from napari_metasr.widgets.viewer.key_sheet import show_keys
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.contrast_list import ContrastList
from napari_metasr.widgets.zoom.contrasts import OTHER
from napari_metasr.widgets.zoom.display_controls import DisplayControls
from napari_metasr.widgets.zoom.readout import Readout
from napari_metasr.widgets.zoom.scale_control import ScaleControl
from napari_metasr.widgets.zoom.settings import Compare, Export, Setting, ZoomSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.widgets.panels.model_choice import ModelChoice

NOTICE_LINES = 4
LESION = "Lesion"
LESION_MISSING = "Lesion (detect tumour first)"


class ZoomDock(Dock):
    """All controls of the zoom in one compact column.

    Parameters
    ----------
    models
        The models to choose from.

    Signals
    -------
    settings_changed(Setting, ZoomSettings)
        A control was used; all that is set by now.
    export_requested(Export)
        An entry of the menu *Export* was chosen.
    """

    settings_changed = Signal(Setting, ZoomSettings)
    plane_chosen = Signal(str)
    draw_toggled = Signal(bool)
    swipe_moved = Signal(float)
    contrast_chosen = Signal(str)
    keep_requested = Signal()
    save_requested = Signal()
    export_requested = Signal(Export)
    cancel_requested = Signal()

    def __init__(self, models: Sequence[ModelChoice], parent: QWidget | None = None) -> None:
        super().__init__("metasr_zoom_dock", size=(320, 640), parent=parent)
        self._build_choices(models)
        self._build_display()
        self._build_actions()
        self._lay_out()
        self._initial = self.settings
        self._doing: dict[object, str] = {}
        self._outcome = ""
        self._connect()

    def _build_choices(self, models: Sequence[ModelChoice]) -> None:
        self.source = parts.combo_box("The image layer that is super-resolved")
        self.planes: dict[Plane, QPushButton] = {}
        self._plane_group = QButtonGroup(self)
        for plane in Plane:
            button = QPushButton(plane.capitalize())
            button.setCheckable(True)
            button.setToolTip(f"Show {plane} slices")
            self._plane_group.addButton(button)
            self.planes[plane] = button
        self.region = parts.combo_box(
            "Super-resolve the slice, a rectangle, the middle of the view, or the lesion\n"
            "that was found or drawn in the dock “Detect tumour”: the network runs on it alone"
        )
        for mode in RegionMode:
            self.region.addItem(str(mode).capitalize(), mode)
        self.region.setCurrentIndex(self.region.findData(RegionMode.CENTRE))
        self.draw = QPushButton("Draw…")
        self.draw.setCheckable(True)
        self.draw.setToolTip("Draw the rectangle on the image, or drag the one there is")
        self.scale = ScaleControl()
        self.notice = parts.Words(NOTICE_LINES, "What to know about the result that is shown")
        self.notice.setObjectName("metasr_notice")
        self.move_camera = QCheckBox("Move the camera")
        self.move_camera.setChecked(True)
        self.move_camera.setToolTip("The slider moves the camera so that the region fills the view")
        self.follow_camera = QCheckBox("Follow the camera")
        self.follow_camera.setToolTip(
            "Mouse wheel and pan set region and scale, and the scale moves the camera: what is\n"
            "visible is rendered at the screen's resolution (screen pixels per voxel)"
        )
        self.contrasts = ContrastList()
        self.model = model_box(models, "The network that super-resolves")
        self.device = parts.combo_box("Where the network runs; auto takes the fastest there is")
        parts.list_devices(self.device)
        self.comparison = parts.enum_box(
            Compare, "How bicubic and super-resolved are shown (key: N)"
        )
        self.consistent = QCheckBox("Consistent")
        self.consistent.setToolTip(
            "Make the result consistent with the scan: reduced again, it is the scan.\n"
            "What the network changed of the measured part is taken back; what it inferred stays.\n"
            "For this it runs on the whole slice"
        )
        self.risk = QCheckBox("Risk")
        self.risk.setToolTip(
            "Mark where the result may be wrong; what is guaranteed about the marks is told below"
        )
        self.assumed = AssumedControl(
            "How the scan is assumed to have been acquired, from sharp to blurry:\n"
            "for “Consistent” and “Inferred part”, and for models that can be told of it.\n"
            "With “?” it is what the scan itself shows"
        )
        self.swipe = QSlider(Qt.Orientation.Horizontal)
        self.swipe.setRange(0, 100)
        self.swipe.setValue(50)
        self.swipe.setVisible(False)
        self.swipe.setToolTip("Where the swipe line is, in % from the left; or drag the line")

    def _build_display(self) -> None:
        self.display = DisplayControls()
        self.contrast = parts.combo_box(
            "Which MRI contrast the source shows; with “?” that is what its name tells.\n"
            "Correct it here: networks are trained on some contrasts only"
        )
        self.contrast.addItem("unknown", "")
        for contrast in (*CONTRASTS, OTHER):
            self.contrast.addItem(contrast, contrast)

    def _build_actions(self) -> None:
        self.readout = Readout()
        self.status = QElidingLabel("")
        self.status.setToolTip("What the dock is doing")
        self.busy = parts.slim_bar(4)
        self.busy.setRange(0, 0)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop encoding; bicubic stays")
        self.cancel.setEnabled(False)
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Add the super-resolved region as a layer of its own (key: K)")
        self.keys = QPushButton("?")
        self.keys.setFixedWidth(28)
        self.keys.setToolTip("All keys, and how to change them (key: ?)")
        self.save = QPushButton("Save…")
        self.save.setToolTip(
            "Write the super-resolved region as NIfTI (mm), or a figure as PNG or PDF"
        )

        self.export = QPushButton("Export")
        self.export.setToolTip("Figures and pages of what is shown")
        menu = QMenu(self.export)
        self.exports = {export: menu.addAction(str(export)) for export in Export}
        self.export.setMenu(menu)

    def _lay_out(self) -> None:
        body, column = docks.column(spacing=1)
        lines: list[tuple[str, list[QWidget], int]] = [
            ("Source", [self.source, self.contrast], 1),
            ("Plane", [*self.planes.values()], 1),
            ("Region", [self.region, self.draw], 2),
            ("Compare", [self.comparison, self.swipe], 2),
            ("Model", [self.model], 1),
            ("Runs on", [self.device], 1),
            ("Scan", [self.assumed], 1),
            ("Result", [self.consistent, self.risk], 1),
        ]
        column.addLayout(docks.form(lines, spacing=1))
        column.addWidget(self.scale)
        column.addLayout(parts.row([self.move_camera, self.follow_camera]))
        column.addWidget(self.notice)
        column.addWidget(self.readout)
        column.addWidget(self.busy)
        column.addLayout(parts.row([self.status, self.cancel]))
        column.addLayout(parts.row([self.keep, self.save, self.export, self.keys]))
        self.more_contrasts = parts.collapsible("More contrasts", self.contrasts)
        display = parts.collapsible("Display", self.display)
        display.expand(animate=False)
        column.addWidget(self.more_contrasts)
        column.addWidget(display)
        column.addStretch(1)
        column.addWidget(parts.research_use())
        self.scroll_area = docks.scrolled(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.scroll_area)

    def _connect(self) -> None:
        for box, setting in (
            (self.source, Setting.SOURCE),
            (self.region, Setting.REGION),
            (self.model, Setting.MODEL),
            (self.device, Setting.DEVICE),
            (self.comparison, Setting.COMPARISON),
        ):
            box.currentIndexChanged.connect(lambda _, setting=setting: self._tell(setting))
        for plane, button in self.planes.items():
            button.clicked.connect(lambda _=False, plane=plane: self.plane_chosen.emit(plane))
        self.scale.scale_changed.connect(lambda _: self._tell(Setting.SCALE))
        self.risk.toggled.connect(lambda _: self._tell(Setting.RISK))
        self.assumed.changed.connect(lambda: self._tell(Setting.ASSUMED))
        self.consistent.toggled.connect(lambda _: self._tell(Setting.CONSISTENT))
        self.move_camera.toggled.connect(lambda _: self._tell(Setting.MOVE_CAMERA))
        self.follow_camera.toggled.connect(self._on_follow)
        self.contrasts.itemChanged.connect(lambda _: self._tell(Setting.CONTRASTS))
        self.comparison.currentEnumChanged.connect(
            lambda mode: self.swipe.setVisible(mode is Compare.SWIPE)
        )
        self.swipe.valueChanged.connect(lambda value: self.swipe_moved.emit(value / 100))
        self.draw.toggled.connect(self._on_draw)
        self.contrast.currentIndexChanged.connect(
            lambda _: self.contrast_chosen.emit(self.contrast.currentData())
        )
        self.keep.clicked.connect(lambda: self.keep_requested.emit())
        self.keys.clicked.connect(lambda: show_keys(self))
        self.display.reset.clicked.connect(lambda: self.set_back())
        self.save.clicked.connect(lambda: self.save_requested.emit())
        for export, action in self.exports.items():
            if action is not None:
                action.triggered.connect(
                    lambda _=False, export=export: self.export_requested.emit(export)
                )
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())

    @property
    def settings(self) -> ZoomSettings:
        """What is set now."""
        return ZoomSettings(
            source=self.source.currentIndex(),
            region=self.region.currentData(),
            scale=self.scale.scale,
            move_camera=self.move_camera.isChecked(),
            follow_camera=self.follow_camera.isChecked(),
            contrasts=self.contrasts.checked,
            model=self.model.currentData() or "",
            device=self.device.currentData(),
            comparison=self.comparison.currentEnum() or Compare.SIDE_BY_SIDE,
            consistent=self.consistent.isChecked(),
            assumed=self.assumed.words,
            risk=self.risk.isChecked() and self.risk.isEnabled(),
        )

    def set_back(self) -> None:
        """Set all controls but the source and its contrast back to what they were at first."""
        first = self._initial
        self.stop_drawing()
        for combo, data in (
            (self.region, first.region),
            (self.model, first.model),
            (self.device, first.device),
            (self.display.convention, DisplayConvention.RADIOLOGICAL),
        ):
            combo.setCurrentIndex(max(combo.findData(data), 0))
        self.comparison.setCurrentEnum(first.comparison)
        self.consistent.setChecked(first.consistent)
        self.risk.setChecked(first.risk)
        self.assumed.set_words(Words())
        self.follow_camera.setChecked(first.follow_camera)
        self.move_camera.setChecked(first.move_camera)
        self.contrasts.uncheck()
        self.display.window_level.setChecked(False)
        self.swipe.setValue(self.swipe.maximum() // 2)
        self.scale.set_scale(first.scale)

    def next_comparison(self) -> None:
        """Take the next comparison mode."""
        count = self.comparison.count()
        self.comparison.setCurrentIndex((self.comparison.currentIndex() + 1) % count)

    def show_sources(self, names: Sequence[str], current: int) -> None:
        """List the layers to choose from; emits nothing."""
        parts.fill(self.source, names, current)

    def show_contrasts(self, names: Sequence[str], checked: Sequence[int] = ()) -> None:
        """List the further layers on the source's grid; emits nothing."""
        self.contrasts.set_names(names, checked)
        self.more_contrasts.setText(f"More contrasts ({len(names)})")

    def set_plane(self, plane: Plane | None, enabled: bool) -> None:
        """Show which plane the viewer shows."""
        self._plane_group.setExclusive(False)
        for each, button in self.planes.items():
            button.setChecked(each == plane)
            button.setEnabled(enabled)
        self._plane_group.setExclusive(plane is not None)

    def offer_lesion(self, found: bool) -> None:
        """Let the lesion be chosen as the region, or say what is to be done first."""
        place = self.region.findData(RegionMode.LESION)
        self.region.setItemText(place, LESION if found else LESION_MISSING)
        self.region.model().item(place).setEnabled(found)  # type: ignore[union-attr]

    def set_quietly(self, combo: QComboBox, data: str) -> None:
        """Choose an entry without emitting a change."""
        with signals_blocked(combo):
            combo.setCurrentIndex(max(combo.findData(data), 0))

    def offer_risk(self, offered: bool) -> None:
        """Let errors be marked, where the model has an error head."""
        self.risk.setEnabled(offered)

    def show_busy(self, holder: object, text: str, busy: bool) -> None:
        """Say what is being done: of several things the newest that has not ended.

        Parameters
        ----------
        holder
            What does it, and says so again when it has ended.
        text
            What it does; at the end what has come of it, if that is to be said.
        busy
            Whether it goes on.
        """
        if busy:
            self._doing[holder], self._outcome = text, ""
        else:
            self._doing.pop(holder, None)
            self._outcome = text or self._outcome
        text, busy = next(reversed(self._doing.values()), self._outcome), bool(self._doing)
        if self.status.text() != text:
            self.status.setText(text)
        if self.busy.isVisibleTo(self) != busy:
            self.busy.setVisible(busy)
            self.cancel.setEnabled(busy)

    def show_contrast(self, chosen: str | None, named: str | None) -> None:
        """Show which contrast the source has; emits nothing."""
        text = f"{named}?" if named else "unknown"
        if self.contrast.itemText(0) != text:
            self.contrast.setItemText(0, text)
        if self.contrast.currentData() != (chosen or ""):
            self.set_quietly(self.contrast, chosen or "")

    def show_scale(self, scale: float) -> None:
        """Show the scale that the camera has set; emits nothing."""
        self.scale.show_scale(scale)

    def show_notice(self, text: str) -> None:
        """Say what to know about the result."""
        if self.notice.text() != text:
            self.notice.setText(text)

    def show_swipe(self, fraction: float) -> None:
        """Show where the swipe line is; emits nothing."""
        with signals_blocked(self.swipe):
            self.swipe.setValue(round(100 * fraction))

    def stop_drawing(self) -> None:
        """Release the draw button."""
        self.draw.setChecked(False)

    def _on_follow(self, follows: bool) -> None:
        self.move_camera.setEnabled(not follows)  # the scale moves the camera in any case
        self._tell(Setting.FOLLOW_CAMERA)

    def _tell(self, setting: Setting) -> None:
        self.settings_changed.emit(setting, self.settings)

    def _on_draw(self, drawing: bool) -> None:
        self.draw.setText("Done" if drawing else "Draw…")
        self.draw_toggled.emit(drawing)
