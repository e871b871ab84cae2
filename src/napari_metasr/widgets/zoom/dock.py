"""The dock's panel: controls, and signals when they are used; it knows no viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel
from superqt.utils import signals_blocked

from napari_metasr.volume import Plane
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.readout import Readout
from napari_metasr.widgets.zoom.scale_control import ScaleControl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent

    from napari_metasr.widgets.panels.model_choice import ModelChoice

LESION = "Lesion"
LESION_MISSING = "Lesion (detect tumour first)"
SHORTCUT_STEP = 1.1


@dataclass(frozen=True)
class ZoomSettings:
    """What is set in the dock.

    Attributes
    ----------
    source
        Which of the listed layers; -1 for none.
    region
        What is magnified.
    scale
        Output pixels per input pixel, 1 to 8.
    move_camera, follow_camera
        Whether the slider moves the camera, and whether the camera sets region and scale.
    contrasts
        Which further layers are magnified too, as places in the list of contrasts.
    model, device, comparison
        By name.
    """

    source: int
    region: RegionMode
    scale: float
    move_camera: bool
    follow_camera: bool
    contrasts: tuple[int, ...]
    model: str
    device: str
    comparison: str


class ZoomDock(QWidget):
    """All controls of the zoom in one compact column.

    Parameters
    ----------
    models
        The models to choose from.
    comparisons
        Titles of the comparison modes.
    """

    settings_changed = Signal(str)
    plane_chosen = Signal(str)
    draw_toggled = Signal(bool)
    swipe_moved = Signal(float)
    window_level_toggled = Signal(bool)
    window_level_reset = Signal()
    convention_chosen = Signal(str)
    keep_requested = Signal()
    save_requested = Signal()
    cancel_requested = Signal()
    closed = Signal()

    def __init__(
        self,
        models: Sequence[ModelChoice],
        comparisons: Sequence[str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("metasr_zoom_dock")
        self._build_choices(models, comparisons)
        self._build_display()
        self._build_actions()
        self._lay_out()
        self._connect()

    def _build_choices(self, models: Sequence[ModelChoice], comparisons: Sequence[str]) -> None:
        self.source = parts.combo_box("The image layer that is magnified")
        self.planes: dict[Plane, QPushButton] = {}
        self._plane_group = QButtonGroup(self)
        for plane in Plane:
            button = QPushButton(plane.capitalize())
            button.setCheckable(True)
            button.setToolTip(f"Show {plane} slices")
            self._plane_group.addButton(button)
            self.planes[plane] = button
        self.region = parts.combo_box(
            "What is magnified: the slice, a rectangle, the middle of the view, or the lesion\n"
            "that was found or drawn in the dock “Detect tumour”: the network runs on it alone"
        )
        for mode in RegionMode:
            self.region.addItem(str(mode).capitalize(), mode)
        self.region.setCurrentIndex(self.region.findData(RegionMode.CENTRE))
        self.draw = QPushButton("Draw…")
        self.draw.setCheckable(True)
        self.draw.setToolTip("Draw the rectangle on the image, or drag the one there is")
        self.scale = ScaleControl()
        self.notice = parts.Words(2, "What to know about the result that is shown")
        self.notice.setObjectName("metasr_notice")
        self.move_camera = QCheckBox("Move the camera")
        self.move_camera.setChecked(True)
        self.move_camera.setToolTip("The slider moves the camera so that the region fills the view")
        self.follow_camera = QCheckBox("Follow the camera")
        self.follow_camera.setToolTip(
            "Mouse wheel and pan set region and scale: what is visible is rendered at the\n"
            "screen's resolution (screen pixels per voxel)"
        )
        self.contrasts = QListWidget()
        self.contrasts.setToolTip("Layers on the same grid, magnified together with the source")
        self.contrasts.setMaximumHeight(84)
        self.model = parts.combo_box("The network that super-resolves")
        for before, model in zip([None, *models], models, strict=False):
            if before is not None and model.is_fixed and not before.is_fixed:
                self.model.insertSeparator(self.model.count())
            self.model.addItem(model.text, model.name)
            self.model.setItemData(self.model.count() - 1, model.tip, Qt.ItemDataRole.ToolTipRole)
        self.device = parts.combo_box("Where the network runs; auto takes the fastest there is")
        parts.list_devices(self.device)
        self.comparison = parts.combo_box("How bicubic and super-resolved are shown (key: C)")
        self.comparison.addItems(list(comparisons))
        self.swipe = QSlider(Qt.Orientation.Horizontal)
        self.swipe.setRange(0, 100)
        self.swipe.setValue(50)
        self.swipe.setVisible(False)
        self.swipe.setToolTip("Where the swipe line is, in % from the left; or drag the line")

    def _build_display(self) -> None:
        self.window_level = QPushButton("Window/level")
        self.window_level.setCheckable(True)
        self.window_level.setToolTip(
            "Drag on the image: right widens the intensity window, up raises its level\n"
            "(intensity units). Shift and drag does so without this button."
        )
        self.window_level_default = QPushButton("Reset")
        self.window_level_default.setToolTip("Robust contrast limits, in intensity units")
        self.convention = parts.combo_box(
            "Radiological: the patient's left is on the right of the screen.\n"
            "Neurological: it is on the left."
        )
        self.convention.addItem("Radiological", "radiological")
        self.convention.addItem("Neurological", "neurological")

    def _build_actions(self) -> None:
        self.readout = Readout()
        self.status = QElidingLabel("")
        self.status.setToolTip("What the dock is doing")
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(4)
        policy = self.busy.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.busy.setSizePolicy(policy)
        self.busy.hide()
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop encoding; bicubic stays")
        self.cancel.setEnabled(False)
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Add the super-resolved region as a layer of its own (key: K)")
        self.save = QPushButton("Save…")
        self.save.setToolTip("Write the magnified region as NIfTI (mm), or a figure as PNG or PDF")

    def _lay_out(self) -> None:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(6, 4, 6, 4)
        column.setSpacing(4)
        form = QGridLayout()
        form.setHorizontalSpacing(6)
        form.setVerticalSpacing(3)
        form.setColumnStretch(1, 1)
        lines: list[tuple[str, list[QWidget], int]] = [
            ("Source", [self.source], 1),
            ("Plane", [*self.planes.values()], 1),
            ("Region", [self.region, self.draw], 2),
            ("Compare", [self.comparison, self.swipe], 2),
            ("Model", [self.model], 1),
            ("Device", [self.device], 1),
        ]
        for row, (title, widgets, first) in enumerate(lines):
            label = QLabel(title)
            label.setBuddy(widgets[0])
            form.addWidget(label, row, 0)
            form.addLayout(parts.row(widgets, first=first), row, 1)
        column.addLayout(form)
        column.addWidget(parts.line())
        column.addWidget(self.scale)
        column.addLayout(parts.row([self.move_camera, self.follow_camera]))
        column.addWidget(self.notice)
        column.addWidget(parts.line())
        column.addWidget(self.readout)
        column.addWidget(self.busy)
        column.addLayout(parts.row([self.status, self.cancel]))
        column.addLayout(parts.row([self.keep, self.save]))
        self.more_contrasts = parts.collapsible("More contrasts", self.contrasts)
        display = QWidget()
        rows = QVBoxLayout(display)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addLayout(parts.row([self.window_level, self.window_level_default]))
        rows.addLayout(parts.row([QLabel("Orientation"), self.convention]))
        self.display = parts.collapsible("Display", display)
        self.display.expand(animate=False)
        column.addWidget(self.more_contrasts)
        column.addWidget(self.display)
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
        self.setMinimumWidth(290)

    def sizeHint(self) -> QSize:
        """A narrow column."""
        return QSize(320, 640)

    def _connect(self) -> None:
        for name in ("source", "region", "model", "device", "comparison"):
            combo: QComboBox = getattr(self, name)
            combo.currentIndexChanged.connect(lambda _, name=name: self.settings_changed.emit(name))
        for plane, button in self.planes.items():
            button.clicked.connect(lambda _=False, plane=plane: self.plane_chosen.emit(plane))
        self.scale.scale_changed.connect(lambda _: self.settings_changed.emit("scale"))
        for name in ("move_camera", "follow_camera"):
            box: QCheckBox = getattr(self, name)
            box.toggled.connect(lambda _, name=name: self.settings_changed.emit(name))
        self.contrasts.itemChanged.connect(lambda _: self.settings_changed.emit("contrasts"))
        self.comparison.currentTextChanged.connect(
            lambda title: self.swipe.setVisible(title == "Swipe")
        )
        self.swipe.valueChanged.connect(lambda value: self.swipe_moved.emit(value / 100))
        self.draw.toggled.connect(self._on_draw)
        self.window_level.toggled.connect(self.window_level_toggled)
        self.window_level_default.clicked.connect(lambda: self.window_level_reset.emit())
        self.convention.currentIndexChanged.connect(
            lambda _: self.convention_chosen.emit(self.convention.currentData())
        )
        self.keep.clicked.connect(lambda: self.keep_requested.emit())
        self.save.clicked.connect(lambda: self.save_requested.emit())
        self.cancel.clicked.connect(lambda: self.cancel_requested.emit())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Keys that no control has used: ] + [ - for the scale, C for the comparison, K to keep."""
        actions = {
            "]": lambda: self.scale.multiply(SHORTCUT_STEP),
            "+": lambda: self.scale.multiply(SHORTCUT_STEP),
            "[": lambda: self.scale.multiply(1 / SHORTCUT_STEP),
            "-": lambda: self.scale.multiply(1 / SHORTCUT_STEP),
            "c": self.next_comparison,
            "k": self.keep.click,
        }
        action = actions.get(event.text().lower()) if event is not None else None
        if action is not None:
            action()
        else:
            super().keyPressEvent(event)

    @property
    def settings(self) -> ZoomSettings:
        """What is set now."""
        contrasts = tuple(
            row
            for row in range(self.contrasts.count())
            if self._item(row).checkState() == Qt.CheckState.Checked
        )
        return ZoomSettings(
            source=self.source.currentIndex(),
            region=self.region.currentData(),
            scale=self.scale.scale,
            move_camera=self.move_camera.isChecked(),
            follow_camera=self.follow_camera.isChecked(),
            contrasts=contrasts,
            model=self.model.currentData() or "",
            device=self.device.currentData(),
            comparison=self.comparison.currentText(),
        )

    def next_comparison(self) -> None:
        """Take the next comparison mode."""
        count = self.comparison.count()
        self.comparison.setCurrentIndex((self.comparison.currentIndex() + 1) % count)

    def set_sources(self, names: Sequence[str], current: int) -> None:
        """List the layers to choose from; emits nothing."""
        parts.fill(self.source, names, current)

    def set_contrasts(self, names: Sequence[str], checked: Sequence[int] = ()) -> None:
        """List the further layers on the source's grid; emits nothing."""
        with signals_blocked(self.contrasts):
            self.contrasts.clear()
            for row, name in enumerate(names):
                item = QListWidgetItem(name)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                state = Qt.CheckState.Checked if row in checked else Qt.CheckState.Unchecked
                item.setCheckState(state)
                self.contrasts.addItem(item)
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
        """Choose an entry without telling anybody."""
        with signals_blocked(combo):
            combo.setCurrentIndex(max(combo.findData(data), 0))

    def show_busy(self, text: str, busy: bool) -> None:
        """Say what is being done."""
        if self.status.text() != text:
            self.status.setText(text)
        if self.busy.isVisibleTo(self) != busy:
            self.busy.setVisible(busy)
            self.cancel.setEnabled(busy)

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

    def _on_draw(self, drawing: bool) -> None:
        self.draw.setText("Done" if drawing else "Draw…")
        self.draw_toggled.emit(drawing)

    def _item(self, row: int) -> QListWidgetItem:
        item = self.contrasts.item(row)
        if item is None:
            raise IndexError(f"there is no contrast {row}")
        return item
