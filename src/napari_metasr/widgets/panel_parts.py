"""Small pieces that panels are put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget
from superqt import QCollapsible
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from collections.abc import Sequence


def combo_box(tip: str) -> QComboBox:
    """A choice that never asks for more room than there is."""
    combo = QComboBox()
    combo.setToolTip(tip)
    combo.setMinimumContentsLength(4)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo


def fill(combo: QComboBox, names: Sequence[str], current: int) -> None:
    """List entries anew; emits nothing."""
    with signals_blocked(combo):
        combo.clear()
        combo.addItems(list(names))
        combo.setCurrentIndex(current)


def row(widgets: Sequence[QWidget], first: int = 1) -> QHBoxLayout:
    """Widgets beside each other; ``first`` is how much more room the first one gets."""
    layout = QHBoxLayout()
    layout.setSpacing(4)
    for place, widget in enumerate(widgets):
        layout.addWidget(widget, 0 if isinstance(widget, QLabel) else 1 if place else first)
    return layout


def line() -> QFrame:
    """A thin line between two groups."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    return line


def collapsible(title: str, content: QWidget) -> QCollapsible:
    """A group that can be folded away."""
    group = QCollapsible(title)
    group.setDuration(0)
    group.toggleButton().setToolTip(f"Show or hide: {title.lower()}")
    group.addWidget(content)
    group.setContentsMargins(0, 0, 0, 0)
    return group
