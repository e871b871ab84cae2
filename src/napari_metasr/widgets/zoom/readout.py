"""What is shown now, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from superqt import QElidingLabel

from napari_metasr.acquisition.description import UNKNOWN

if TYPE_CHECKING:
    from napari_metasr.acquisition import AxisAcquisition
    from napari_metasr.zoom.cost import Saving

NOTHING = "–"


@dataclass(frozen=True)
class Reading:
    """What the dock says of the result on the screen.

    Attributes
    ----------
    scale
        True scale of rows and columns, output pixels per input pixel.
    spacing
        Output pixel spacing of rows and columns, in ``unit``.
    unit
        The world's unit.
    resampled_from
        The scale that the network gave, where its image is resampled to this one.
    encode_seconds, render_seconds
        How long the network and the last rendering of both results took.
    device
        Where the network runs.
    saving
        What running the network on a part of the slice saves.
    acquired
        What rows and columns were acquired with; None where the layer is not looked at.
    residual
        How far the result, reduced again, is from the scan; empty where that was not asked for.
    """

    scale: tuple[float, float] | None = None
    spacing: tuple[float, float] | None = None
    unit: str = "mm"
    resampled_from: int | None = None
    encode_seconds: float | None = None
    render_seconds: float | None = None
    device: str = ""
    saving: Saving | None = None
    acquired: tuple[AxisAcquisition, AxisAcquisition] | None = None
    residual: str = ""


FIELDS = {
    "scale": (
        "Scale",
        (
            "True scale: output pixels per input pixel, rows × columns (no unit); "
            "“from ×4” where the network super-resolves by 4 and its image is resampled"
        ),
    ),
    "spacing": ("Spacing", "Distance between output pixels, rows × columns, in world units"),
    "acquired": (
        "Acquired",
        (
            "Pixels that the scan was acquired with, rows × columns, from its spectrum or header;\n"
            "behind the colon the true scale of each, counted from these: scanners store more\n"
            "pixels than they acquire"
        ),
    ),
    "encode": ("Network", "Time the network took for this slice, in ms: once per slice"),
    "render": ("Render", "Time both results took at this scale, in ms"),
    "saving": (
        "Ran on",
        (
            "Part of the slice that the network ran on, its margins included (more than all of it\n"
            "where parts overlap), the time saved beside the whole slice (≈: estimated), and the\n"
            "device"
        ),
    ),
    "residual": (
        "Residual",
        (
            "How far the result, reduced again under the assumed acquisition, is from the scan:\n"
            "root mean square, in standard deviations of the scan's noise, or in its intensities"
        ),
    ),
    "beyond": (
        "Beyond",
        (
            "Beyond the local range: share of the result's pixels inside the head that are\n"
            "brighter or darker than every scan pixel around them, by more than 2% of the\n"
            "tissue's median: detail that the scan does not show, or overshoot"
        ),
    ),
    "cursor": ("Cursor", "World position under the mouse, in mm towards Right, Anterior, Superior"),
}
WIDE = ("scale", "spacing", "acquired", "saving", "cursor")


class Readout(QWidget):
    """A small table; every value has its place whether known or not, so nothing jumps."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(5)
        layout.setVerticalSpacing(1)
        self.values: dict[str, QLabel] = {}
        place = 0
        for name, (title, tip) in FIELDS.items():
            label, value = QLabel(title), QElidingLabel(NOTHING)
            value.setElideMode(Qt.TextElideMode.ElideRight)
            value.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            for widget in (label, value):
                widget.setToolTip(tip)
            wide = name in WIDE
            place += place % 2 if wide else 0
            row, column = divmod(place, 2)
            layout.addWidget(label, row, 2 * column)
            layout.addWidget(value, row, 2 * column + 1, 1, 3 if wide else 1)
            place += 2 if wide else 1
            self.values[name] = value
        layout.setColumnStretch(1, 1)
        layout.setColumnStretch(3, 1)

    def show_reading(self, reading: Reading) -> None:
        """Show the numbers of a result."""
        texts = {
            "scale": _pair(reading.scale, "×{:.3f}", _source(reading.resampled_from)),
            "spacing": _pair(reading.spacing, "{:.3f}", f" {reading.unit}"),
            "acquired": _acquired(reading),
            "encode": _milliseconds(reading.encode_seconds),
            "render": _milliseconds(reading.render_seconds),
            "saving": ", ".join(filter(None, (_saving(reading.saving), reading.device))) or NOTHING,
            "residual": reading.residual or NOTHING,
        }
        for name, text in texts.items():
            self._set(name, text)

    def show_beyond(self, share: float | None) -> None:
        """Show how much of the result lies beyond the local range of the scan."""
        self._set("beyond", NOTHING if share is None else f"{100 * share:.1f}%")

    def show_cursor(self, text: str) -> None:
        """Show where the mouse is."""
        self._set("cursor", text or NOTHING)

    def _set(self, name: str, text: str) -> None:
        value = self.values[name]
        if value.text() != text:
            value.setText(text)
            tip = FIELDS[name][1]
            value.setToolTip(tip if text == NOTHING else f"{text}\n{tip}")  # it may be cut


def _pair(values: tuple[float, float] | None, form: str, unit: str = "") -> str:
    if values is None:
        return NOTHING
    texts = dict.fromkeys(form.format(value) for value in values)
    return " · ".join(texts) + unit


def _acquired(reading: Reading) -> str:
    """Write acquired pixels, and the true scale where they are fewer than the stored ones."""
    axes = reading.acquired
    if axes is None or reading.scale is None:
        return NOTHING
    if all(axis.acquired is None for axis in axes):
        return UNKNOWN
    pixels = " × ".join(str(axis.acquired or "?") for axis in axes)
    if not any(axis.interpolated for axis in axes):
        return f"{pixels}, as stored"
    scales = zip(axes, reading.scale, strict=True)
    truly = " · ".join(f"×{axis.true_scale(scale):.2f}" for axis, scale in scales)
    return f"≈ {pixels}: {truly}"


def _source(scale: int | None) -> str:
    return "" if scale is None else f", from ×{scale}"


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    return f"{1000 * seconds:.1f} ms" if seconds < 0.1 else f"{1000 * seconds:.0f} ms"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


def _saving(saving: Saving | None) -> str:
    if saving is None:
        return ""
    ran = f"{100 * saving.share:.0f}% of slice"
    if saving.share > 1:
        ran = f"{saving.share:.1f} × the slice"
    if saving.share >= 1 or saving.seconds <= 0:
        return ran
    about = "" if saving.is_measured else "≈ "
    return f"{ran}, saves {about}{_duration(saving.seconds)}"
