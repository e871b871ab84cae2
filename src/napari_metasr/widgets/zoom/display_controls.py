"""How images are displayed: contrast limits, and which side is left."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.viewer.window_level import Preset

PRESETS = {
    Preset.BRAIN: "those of the middle of the head, without scalp and fat",
    Preset.ROBUST: "all but a few of the darkest and brightest voxels",
    Preset.FULL: "from the smallest to the largest value",
}


class DisplayControls(QWidget):
    """Buttons for contrast limits and orientation, and the one that resets the dock.

    Signals
    -------
    window_level_toggled(bool)
        Whether dragging on the image changes the contrast limits.
    preset_chosen(Preset)
        Contrast limits were chosen.
    convention_chosen(DisplayConvention)
        On which side the patient's left is to be.
    """

    window_level_toggled = Signal(bool)
    preset_chosen = Signal(Preset)
    convention_chosen = Signal(DisplayConvention)

    def __init__(self) -> None:
        super().__init__()
        self.window_level = QPushButton("Window/level")
        self.window_level.setCheckable(True)
        self.window_level.setToolTip(
            "Drag on the image: right widens the intensity window, up raises its level\n"
            "(intensity units). Shift and drag does so without this button."
        )
        self.presets: dict[Preset, QPushButton] = {}
        for preset, tip in PRESETS.items():
            self.presets[preset] = QPushButton(preset.value)
            self.presets[preset].setToolTip(f"Contrast limits: {tip}")
        self.convention = parts.combo_box(
            "Radiological: the patient's left is on the right of the screen.\n"
            "Neurological: it is on the left."
        )
        for convention in DisplayConvention:
            self.convention.addItem(convention.label, convention)
        self.reset = QPushButton("Reset")
        self.reset.setMaximumWidth(64)
        self.reset.setToolTip(
            "Set all controls but the source and its contrast back to what they were at first"
        )
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addLayout(parts.row([self.window_level, *self.presets.values()], first=2))
        rows.addLayout(parts.row([QLabel("Orientation"), self.convention, self.reset]))
        self.window_level.toggled.connect(self.window_level_toggled)
        for preset, button in self.presets.items():
            button.clicked.connect(lambda _=False, preset=preset: self.preset_chosen.emit(preset))
        self.convention.currentIndexChanged.connect(
            lambda _: self.convention_chosen.emit(DisplayConvention(self.convention.currentData()))
        )
