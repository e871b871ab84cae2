"""What is assumed of a scan's acquisition: its sharpness and its noise, as a person chooses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox, QWidget
from superqt.utils import signals_blocked

from napari_metasr.acquisition.code import LARGEST_NOISE
from napari_metasr.trust.assumption import AUTO, NOTHING
from napari_metasr.trust.told import CHOICES, Words
from napari_metasr.widgets.panels import parts

if TYPE_CHECKING:
    from napari_metasr.trust.told import Told

STEP = 0.1
"""Percent of the intensity range; one step below none is the scan's own noise."""

TIP = (
    "How the scan is assumed to have been acquired, from sharp to blurry, as the model is told\n"
    "it; with “?” it is what the scan itself shows"
)
NOISE_TIP = (
    "Noise of the scan, in percent of the intensity range, as the model is told it:\n"
    "more is smoothed away; with “?” it is what the scan itself shows"
)
NOT_TOLD = "The chosen model cannot be told how a scan was acquired, nor how noisy it is"
ESTIMATED = ", estimated"


class NoiseBox(QDoubleSpinBox):
    """Noise in percent of the intensity range, or the scan's own."""

    def __init__(self) -> None:
        super().__init__()
        self.setDecimals(1)
        self.setRange(-STEP, 100 * LARGEST_NOISE)
        self.setSingleStep(STEP)
        self.setAccelerated(True)
        self.setKeyboardTracking(False)
        self.setSuffix("%")
        self.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)  # the wheel and keys step too
        self.setMinimumWidth(1)
        self.setValue(-STEP)
        self._found: float | None = None
        self.show_found(None)

    @property
    def share(self) -> float | None:
        """What is set, as a share of the intensity range; None for the scan's own."""
        return None if self.value() < 0 else round(self.value() / 100, 5)

    def set_share(self, share: float | None) -> None:
        """Set it; None for the scan's own."""
        self.setValue(-STEP if share is None else 100 * share)

    def show_found(self, share: float | None) -> None:
        """Show what is estimated of the scan."""
        self._found = share
        text = AUTO if share is None else f"{100 * share:.1f}%?"
        if self.specialValueText() != text:
            self.setSpecialValueText(text)

    def stepBy(self, steps: int) -> None:
        """Step from what is estimated where nothing is set."""
        if self.value() < 0 and self._found is not None and steps > 0:
            with signals_blocked(self):
                self.setValue(100 * self._found)
        super().stepBy(steps)


class AssumedControl(QWidget):
    """A choice of the acquisition, from sharp to blurry, and of the noise.

    Parameters
    ----------
    tip
        What the acquisition is for.

    Signals
    -------
    changed
        Something was chosen.

    Attributes
    ----------
    told
        What the model was told of what is shown, in words, if anything; the tip says it.
    """

    changed = Signal()

    def __init__(self, tip: str = TIP) -> None:
        super().__init__()
        self._tip, self.told = tip, ""
        self.acquisition = parts.combo_box(tip)
        for name in CHOICES:
            self.acquisition.addItem(name, name)
        self.acquisition.insertSeparator(CHOICES.index(NOTHING) + 1)
        self.acquisition.setMinimumWidth(1)  # the row gives it what there is
        self.noise = NoiseBox()
        row = parts.row([self.acquisition, self.noise], first=2)
        row.setContentsMargins(0, 0, 0, 0)
        self.setLayout(row)
        self.offer(noise=False)
        self.acquisition.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.noise.valueChanged.connect(lambda _: self.changed.emit())

    @property
    def words(self) -> Words:
        """What is chosen."""
        return Words(self.acquisition.currentData(), self.noise.share)

    def set_words(self, words: Words) -> None:
        """Choose something; one change at most is told."""
        if words == self.words:
            return
        with signals_blocked(self):
            self.acquisition.setCurrentIndex(self.acquisition.findData(words.acquisition))
            self.noise.set_share(words.noise)
        self.changed.emit()

    def offer(self, *, noise: bool, acquisition: bool = True) -> None:
        """Let the noise be chosen where the model can be told of it, and the acquisition alike."""
        self.acquisition.setEnabled(acquisition)
        tip = f"{self._tip}.\nThe model was told: {self.told}" if self.told else self._tip
        self.acquisition.setToolTip(tip if acquisition else NOT_TOLD)
        self.noise.setEnabled(noise)
        self.noise.setToolTip(NOISE_TIP if noise else NOT_TOLD)

    def show_found(self, found: Told | None) -> None:
        """Show what is estimated of the scan, beside what stands for it; emits nothing."""
        text = AUTO
        if found is not None:
            name, _, _ = found.acquisition.partition(" (")  # the reason is said where there is room
            text = f"{name.removesuffix(ESTIMATED)}?"
        if self.acquisition.itemText(0) != text:
            self.acquisition.setItemText(0, text)
        self.noise.show_found(None if found is None else found.noise)
