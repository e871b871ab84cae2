"""Choices whose names are cut in the middle, between words, where there is no room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip
from superqt import QEnumComboBox

if TYPE_CHECKING:
    from qtpy.QtGui import QFontMetrics, QHelpEvent, QPaintEvent

SCROLL_BAR = 24
"""Pixels beside the names in the list."""

BRIEF = Qt.ItemDataRole.UserRole + 1
"""Role of an item's shorter name, which is shown where there is no room for the whole one."""

if TYPE_CHECKING:
    Base = QComboBox
else:
    Base = object  # Qt's classes are inherited from once


class Middle(Base):
    """Shows the beginning and the end of a long name, or a shorter one; the tip shows all of it."""

    @property
    def shown_text(self) -> str:
        """What is seen of the chosen name."""
        option = self._option()
        return str(option.currentText)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the name as far as there is room."""
        painter, option = QStylePainter(self), self._option()
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent | None) -> bool:
        """Begin the tip with the whole name where that is cut."""
        if event is not None and event.type() == QEvent.Type.ToolTip:
            name = self.currentText()
            tip = self.toolTip() if self.shown_text == name else f"{name}\n{self.toolTip()}"
            help_event: QHelpEvent = event  # type: ignore[assignment]
            QToolTip.showText(help_event.globalPos(), tip, self)
            return True
        return super().event(event)

    def showPopup(self) -> None:
        """Make the list as wide as its names, as far as the window has room."""
        view, window = self.view(), self.window()
        if view is not None and window is not None:
            wide = view.sizeHintForColumn(0) + SCROLL_BAR
            view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
            view.setMinimumWidth(max(self.width(), min(wide, window.width())))
        super().showPopup()

    def _option(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        style = self.style()
        if style is not None:
            room = style.subControlRect(
                QStyle.ComplexControl.CC_ComboBox,
                option,
                QStyle.SubControl.SC_ComboBoxEditField,
                self,
            )
            metrics, name = self.fontMetrics(), option.currentText or ""
            if metrics.horizontalAdvance(name) > room.width():
                name = self.itemData(self.currentIndex(), BRIEF) or name
            option.currentText = _between_words(name, metrics, room.width())
        return option


def _between_words(name: str, metrics: QFontMetrics, room: int) -> str:
    """Return what of a name there is room for: its first and its last words, if any are whole."""
    if metrics.horizontalAdvance(name) <= room:
        return name
    words = name.split(" ")
    for left_out in range(1, len(words) - 1):
        first = (len(words) - left_out) // 2
        begin, end = " ".join(words[:first]).rstrip(","), " ".join(words[first + left_out :])
        if metrics.horizontalAdvance(f"{begin}… {end}") <= room:
            return f"{begin}… {end}"
    return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, room)


class Eliding(Middle, QComboBox):
    """A choice among names."""


class ElidingEnum(Middle, QEnumComboBox):
    """A choice among the members of an enumeration."""
