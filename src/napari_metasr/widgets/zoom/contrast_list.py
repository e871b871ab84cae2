"""The layers on the source's grid that can be super-resolved with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from collections.abc import Sequence


class ContrastList(QListWidget):
    """A list of layers to tick."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip("Layers on the same grid, super-resolved together with the source")
        self.setMaximumHeight(84)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)

    @property
    def checked(self) -> tuple[int, ...]:
        """The rows that are ticked."""
        return tuple(
            row
            for row, item in enumerate(self._items)
            if item.checkState() == Qt.CheckState.Checked
        )

    def set_names(self, names: Sequence[str], checked: Sequence[int] = ()) -> None:
        """List layers; emits nothing."""
        with signals_blocked(self):
            self.clear()
            for row, name in enumerate(names):
                item = QListWidgetItem(name)
                item.setToolTip(name)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                state = Qt.CheckState.Checked if row in checked else Qt.CheckState.Unchecked
                item.setCheckState(state)
                self.addItem(item)

    def uncheck(self) -> None:
        """Tick none."""
        for item in self._items:
            item.setCheckState(Qt.CheckState.Unchecked)

    @property
    def _items(self) -> list[QListWidgetItem]:
        items = (self.item(row) for row in range(self.count()))
        return [item for item in items if item is not None]
