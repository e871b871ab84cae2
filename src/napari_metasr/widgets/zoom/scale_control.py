"""A continuous slider of scales, finer where scales are small, with the trained range marked."""

from __future__ import annotations

import math

from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_metasr.zoom.scales import LARGEST_SCALE

SMALLEST_SCALE = 1.0
STEPS = 1000
STARTING_SCALE = 2.0
PRESETS = (1.5, 2.0, 3.0, 4.0, 8.0)
TICKS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
TRAINED_COLOR = QColor(76, 175, 80)
OUTSIDE_COLOR = QColor(255, 167, 38)
MARK_WIDTH = 4
BAND_HEIGHT = 4
TICKS_HEIGHT = 20
HANDLE_MARGIN = 7


def scale_of_step(step: int) -> float:
    """Return the scale at a position of the slider, logarithmic from 1 to 8."""
    return SMALLEST_SCALE * (LARGEST_SCALE / SMALLEST_SCALE) ** (step / STEPS)


def step_of_scale(scale: float) -> int:
    """Return the position of the slider nearest to a scale."""
    share = math.log(scale / SMALLEST_SCALE) / math.log(LARGEST_SCALE / SMALLEST_SCALE)
    return round(STEPS * share)


class TrainedRangeSlider(QSlider):
    """A horizontal slider with a band below that shows where the model was trained."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, STEPS)
        self.setPageStep(STEPS // 12)
        self.setSingleStep(STEPS // 100)
        self.trained = [(SMALLEST_SCALE, LARGEST_SCALE)]
        self.setMinimumHeight(22 + TICKS_HEIGHT)
        self.setStyleSheet(f"QSlider {{ padding-bottom: {TICKS_HEIGHT - 4}px; }}")

    def sizeHint(self) -> QSize:
        """Ask for room for the band and the numbers."""
        return QSize(160, 22 + TICKS_HEIGHT)

    def set_trained(self, low: float, high: float) -> None:
        """Mark the scales that the model was trained on."""
        self.trained = [(low, high)]
        self.update()

    def set_fixed(self, *scales: float) -> None:
        """Mark the only scales that the model gives."""
        self.trained = [(scale, scale) for scale in scales]
        self.update()

    def _x(self, scale: float) -> float:
        width = self.width() - 2 * HANDLE_MARGIN
        return HANDLE_MARGIN + width * step_of_scale(scale) / STEPS

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the slider, the band and the numbers."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        top = self.height() - TICKS_HEIGHT
        bands = [(SMALLEST_SCALE, LARGEST_SCALE, OUTSIDE_COLOR)]
        bands += [(low, high, TRAINED_COLOR) for low, high in self.trained]
        for low, high, color in bands:
            painter.setBrush(color)
            left, right = (
                self._x(min(max(scale, SMALLEST_SCALE), LARGEST_SCALE)) for scale in (low, high)
            )
            width = max(right - left, MARK_WIDTH)
            centre = (left + right) / 2
            painter.drawRect(QRectF(centre - width / 2, top, width, BAND_HEIGHT))
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        for scale in TICKS:
            box = QRectF(self._x(scale) - 16, top + BAND_HEIGHT, 32, TICKS_HEIGHT - BAND_HEIGHT)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{scale:g}")


class ScaleControl(QWidget):
    """Slider, number and presets of the scale, always in agreement.

    Signals
    -------
    scale_changed(float)
        A new scale was chosen.
    """

    scale_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = TrainedRangeSlider()
        self.slider.setToolTip(
            "Scale: output pixels per input pixel (no unit), 1 to 8.\n"
            "Green: scales the model was trained on. Keys: [ and ], or arrows."
        )
        self.number = QDoubleSpinBox()
        self.number.setRange(SMALLEST_SCALE, LARGEST_SCALE)
        self.number.setDecimals(2)
        self.number.setSingleStep(0.1)
        self.number.setPrefix("×")
        self.number.setKeyboardTracking(False)
        self.number.setToolTip("Scale: output pixels per input pixel (no unit), 1 to 8")
        self.presets: dict[float, QPushButton] = {}
        row = QHBoxLayout()
        row.setSpacing(3)
        group = QButtonGroup(self)
        for scale in PRESETS:
            button = QPushButton(f"×{scale:g}")
            button.setToolTip(f"Set the scale to ×{scale:g}")
            button.setMinimumWidth(30)
            button.clicked.connect(lambda _=False, scale=scale: self.set_scale(scale))
            group.addButton(button)
            row.addWidget(button)
            self.presets[scale] = button
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.slider, 0, 0)
        layout.addWidget(self.number, 0, 1, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(row, 1, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        self._scale = SMALLEST_SCALE
        self.set_scale(STARTING_SCALE)
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(self.set_scale)

    @property
    def scale(self) -> float:
        """The chosen scale, with two decimals."""
        return self._scale

    def set_scale(self, scale: float) -> None:
        """Choose a scale; values beyond the range are brought to its end."""
        scale = round(min(max(scale, SMALLEST_SCALE), LARGEST_SCALE), 2)
        if scale == self._scale == round(self.number.value(), 2):
            return
        self.show_scale(scale)
        self.scale_changed.emit(scale)

    def show_scale(self, scale: float) -> None:
        """Show a scale that was set elsewhere, also beyond the slider's end; emits nothing."""
        scale = round(max(scale, SMALLEST_SCALE), 2)
        self._scale = min(scale, LARGEST_SCALE)
        with signals_blocked(self.slider), signals_blocked(self.number):
            self.slider.setValue(step_of_scale(self._scale))
            self.number.setRange(SMALLEST_SCALE, max(scale, LARGEST_SCALE))
            self.number.setValue(scale)

    def multiply(self, factor: float) -> None:
        """Choose a larger or smaller scale."""
        self.set_scale(self._scale * factor)

    def _on_slider(self, step: int) -> None:
        self.set_scale(scale_of_step(step))
