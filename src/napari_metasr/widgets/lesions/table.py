"""The table of lesions: one row each, clicked to look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget
from superqt.utils import signals_blocked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_metasr.widgets.lesions.messages import LesionRow

HEADINGS = ("#", "Score", "Slices", "Size")
ROWS_SEEN = 5
ROW_HEIGHT = 22
TIP = "Click a region: the view goes there and the zoom super-resolves it"


class LesionTable(QTableWidget):
    """Number, score, slices and size; always as high as a few rows, however many there are."""

    row_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(HEADINGS), parent)
        self.setObjectName("metasr_lesion_table")
        self.setHorizontalHeaderLabels(list(HEADINGS))
        self.setToolTip(TIP)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setShowGrid(False)
        rows, columns = QHeaderView(Qt.Orientation.Vertical), QHeaderView(Qt.Orientation.Horizontal)
        self.setVerticalHeader(rows)
        self.setHorizontalHeader(columns)
        rows.setVisible(False)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        columns.setHighlightSections(False)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns.setSectionResizeMode(len(HEADINGS) - 1, QHeaderView.ResizeMode.Stretch)
        self.setFixedHeight(columns.sizeHint().height() + ROWS_SEEN * ROW_HEIGHT + 4)
        self.cellClicked.connect(lambda row, _: self._choose(row))
        self.cellActivated.connect(lambda row, _: self._choose(row))

    def sizeHint(self) -> QSize:
        """Ask for no more width than the dock has."""
        return QSize(200, self.height())

    def show_rows(self, rows: Sequence[LesionRow], chosen: int | None, unit: str = "mm") -> None:
        """List lesions, one of them marked; emits nothing.

        Parameters
        ----------
        chosen
            The number of the marked one.
        unit
            Unit of sizes.
        """
        self.setHorizontalHeaderLabels([*HEADINGS[:-1], f"{HEADINGS[-1]} ({unit})"])
        with signals_blocked(self):
            self.setRowCount(len(rows))
            for place, row in enumerate(rows):
                for column, text in enumerate((str(row.place), row.score, row.slices, row.size)):
                    item = QTableWidgetItem(text)
                    item.setData(Qt.ItemDataRole.UserRole, row.number)
                    item.setToolTip(TIP)
                    self.setItem(place, column, item)
        self.mark(chosen)

    def mark(self, number: int | None) -> None:
        """Mark a lesion's row; emits nothing."""
        with signals_blocked(self):
            self.clearSelection()
            for row in range(self.rowCount()):
                if self._number(row) == number:
                    self.setCurrentCell(row, 0)

    def _choose(self, row: int) -> None:
        number = self._number(row)
        if number is not None:
            self.row_chosen.emit(number)

    def _number(self, row: int) -> int | None:
        item = self.item(row, 0)
        return int(item.data(Qt.ItemDataRole.UserRole)) if item is not None else None
