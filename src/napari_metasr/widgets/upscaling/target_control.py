"""How fine the output is to be: a scale or a spacing, the same along all axes or not."""

from __future__ import annotations

from qtpy.QtCore import QLocale, Signal
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.upscaling.target import DECIMALS, Target, TargetKind

DIRECTIONS = {"x": "left–right", "y": "posterior–anterior", "z": "inferior–superior"}


class NumberBox(QDoubleSpinBox):
    """A number without needless zeros."""

    def __init__(self, axis: str) -> None:
        super().__init__()
        self.setLocale(QLocale.c())
        self.setDecimals(DECIMALS)
        self.setSingleStep(0.5)
        self.setPrefix(f"{axis} ")
        self.setKeyboardTracking(False)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setStyleSheet("QDoubleSpinBox { min-width: 44px; }")
        self.setToolTip(f"Along {axis}, {DIRECTIONS[axis]}")

    def textFromValue(self, value: float) -> str:
        """Write the number as short as it can be."""
        return f"{value:g}"


class TargetControl(QWidget):
    """Scale or spacing along x, y and z.

    Signals
    -------
    edited
        A person has changed a number.
    kind_chosen(TargetKind)
        A person wants to give the other kind of number: what is shown is still the old one.
    isotropic_requested
        A person wants cubes of the finest spacing.
    """

    edited = Signal()
    kind_chosen = Signal(TargetKind)
    isotropic_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = parts.combo_box(
            "Scale: output voxels for each input voxel; the field of view stays exactly.\n"
            "Spacing: mm between output voxels, exactly; the field of view stays centred and\n"
            "changes by less than an output voxel."
        )
        for kind in TargetKind:
            self.kind.addItem(kind.label, kind)
        self.same = QCheckBox("Same for all")
        self.same.setToolTip("One number along x, y and z")
        self.boxes = {axis: NumberBox(axis) for axis in DIRECTIONS}
        self.isotropic = QPushButton("Isotropic")
        self.isotropic.setToolTip("Cubes: the volume's finest spacing along all axes")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(parts.row([self.kind, self.same], first=2))
        column.addLayout(parts.row(list(self.boxes.values())))
        column.addWidget(self.isotropic)
        self._target = Target(TargetKind.SCALE, (2.0, 2.0, 2.0), same=True)
        self.show_target(self._target)
        self.kind.currentIndexChanged.connect(
            lambda _: self.kind_chosen.emit(TargetKind(self.kind.currentData()))
        )
        self.same.toggled.connect(self._on_same)
        for axis, box in self.boxes.items():
            box.valueChanged.connect(lambda _, axis=axis: self._on_number(axis))
        self.isotropic.clicked.connect(lambda: self.isotropic_requested.emit())

    @property
    def target(self) -> Target:
        """What is wanted now."""
        return self._target

    def show_target(self, target: Target) -> None:
        """Show a target; emits nothing."""
        self._target = target
        with signals_blocked(self.kind), signals_blocked(self.same):
            self.kind.setCurrentIndex(self.kind.findData(target.kind))
            self.same.setChecked(target.same)
        for box, number in zip(reversed(self.boxes.values()), target.numbers, strict=True):
            with signals_blocked(box):
                box.setRange(*target.kind.limits)
                box.setValue(number)

    def show_finest(self, text: str) -> None:
        """Say what the finest spacing is."""
        self.isotropic.setText(f"Isotropic, {text}" if text else "Isotropic")

    def _on_same(self, same: bool) -> None:
        self._take(self.boxes["x"].value() if same else None)

    def _on_number(self, axis: str) -> None:
        self._take(self.boxes[axis].value() if self.same.isChecked() else None)

    def _take(self, everywhere: float | None) -> None:
        """Take what is shown, or one number for all axes."""
        x, y, z = (box.value() if everywhere is None else everywhere for box in self.boxes.values())
        self.show_target(Target(self._target.kind, (z, y, x), self.same.isChecked()))
        self.edited.emit()
