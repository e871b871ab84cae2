"""Small pieces that panels are put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QWidget,
)
from superqt import QCollapsible, QEnumComboBox
from superqt.utils import signals_blocked

from napari_metasr.devices import DEVICES
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.widgets.panels.eliding import Eliding, ElidingEnum

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import Enum

    from qtpy.QtGui import QResizeEvent

Box = TypeVar("Box", bound=QComboBox)
FONT_EVENTS = (QEvent.Type.FontChange, QEvent.Type.StyleChange, QEvent.Type.Polish)


class Words(QLabel):
    """A text over a few lines, whose room is kept whether it is there or not.

    A longer text takes more room, which stays for as long as the label is as wide: what stands
    below does not move up and down as texts come and go.

    Parameters
    ----------
    lines
        How many there is room for before it needs more.
    """

    def __init__(self, lines: int, tip: str) -> None:
        super().__init__()
        self._lines = lines
        self._least = 0
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setToolTip(tip)

    def event(self, event: QEvent | None) -> bool:
        """Keep the room that the lines take in the font that is used."""
        handled = super().event(event)
        if event is not None and event.type() in FONT_EVENTS:
            text = self.text()
            super().setText("\n".join("x" * self._lines))
            self._least = self.sizeHint().height()
            super().setText(text)
            self._fit(self._least)
        return handled

    def setText(self, text: str | None) -> None:
        """Show a text; room that it needs beyond what is kept is kept from now on."""
        super().setText(text)
        self._fit(self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep no more than the text needs in another width."""
        super().resizeEvent(event)
        if event is not None and event.size().width() != event.oldSize().width():
            self._fit(self._least)

    def _fit(self, least: int) -> None:
        self.setMinimumHeight(0)  # which is counted among the height for a width
        self.setMinimumHeight(max(least, self.heightForWidth(self.width())))


def combo_box(tip: str) -> QComboBox:
    """Return a choice that never asks for more room than there is."""
    return _compact(Eliding(), tip)


def _compact(combo: Box, tip: str) -> Box:
    combo.setToolTip(tip)
    combo.setMinimumContentsLength(4)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def enum_box(enum: type[Enum], tip: str) -> QEnumComboBox:
    """Return a choice among the members of an enumeration, called what ``str`` calls them."""
    combo = ElidingEnum(enum_class=enum)
    return _compact(combo, tip)


def fill(combo: QComboBox, names: Sequence[str], current: int) -> None:
    """List entries anew; emits nothing."""
    with signals_blocked(combo):
        combo.clear()
        combo.addItems(list(names))
        combo.setCurrentIndex(current)


def row(widgets: Sequence[QWidget], first: int = 1) -> QHBoxLayout:
    """Put widgets beside each other; ``first`` is how much more room the first one gets."""
    layout = QHBoxLayout()
    layout.setSpacing(4)
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, 0 if isinstance(widget, QLabel) else 1 if place else first)
    return layout


def slim_bar(height: int) -> QProgressBar:
    """Return a hidden bar without text that keeps its room while it is hidden."""
    bar = QProgressBar()
    bar.setTextVisible(False)
    bar.setFixedHeight(height)
    policy = bar.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    bar.setSizePolicy(policy)
    bar.hide()
    return bar


def line() -> QFrame:
    """Return a thin line between two groups."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    return line


def collapsible(title: str, content: QWidget) -> QCollapsible:
    """Return a group that can be folded away."""
    group = QCollapsible(title)
    group.setDuration(0)
    group.toggleButton().setToolTip(f"Show or hide: {title.lower()}")
    group.addWidget(content)
    group.setContentsMargins(0, 0, 0, 0)
    layout = group.layout()
    if layout is not None:
        layout.setContentsMargins(0, 1, 0, 1)
    return group


def list_devices(combo: QComboBox) -> None:
    """List where networks may run."""
    for name in DEVICES:
        combo.addItem(name if name == "auto" else name.upper(), name)


def research_use() -> QLabel:
    """Return what every dock says at its foot."""
    label = QLabel(RESEARCH_USE_SENTENCE)
    label.setObjectName("metasr_research_use")
    return label
