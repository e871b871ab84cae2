"""Asks how large a figure is to be printed."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QSpinBox,
    QWidget,
)

from napari_metasr.figures.size import DPI_RANGE, WIDTH_RANGE, PrintSize

NATURAL = "as large as its pictures"


class PrintSizeDialog(QDialog):
    """Dots an inch and the width of the page.

    Parameters
    ----------
    size
        What is offered.
    has_dpi, has_width
        Which of the two the figure has.
    """

    def __init__(
        self, size: PrintSize, *, has_dpi: bool, has_width: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Size of the figure")
        self.dpi = QSpinBox()
        self.dpi.setRange(*DPI_RANGE)
        self.dpi.setSuffix(" dpi")
        self.dpi.setToolTip("Dots an inch: journals ask for 300 to 600")
        self.dpi.setValue(size.dpi)
        least, most = WIDTH_RANGE
        self.width_mm = QDoubleSpinBox()
        self.width_mm.setDecimals(0)
        self.width_mm.setRange(least - 1, most)
        self.width_mm.setSuffix(" mm")
        self.width_mm.setSpecialValueText(NATURAL)
        self.width_mm.setToolTip(
            "Width of the page: a column has about 85 mm, a page about 180 mm.\n"
            "Text has at least 6 points then."
        )
        self.width_mm.setValue(size.width_mm or least - 1)
        form = QFormLayout(self)
        if has_dpi:
            form.addRow("Resolution", self.dpi)
        if has_width:
            form.addRow("Width", self.width_mm)
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Ok | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    @property
    def size_chosen(self) -> PrintSize:
        """What is set."""
        width = self.width_mm.value()
        return PrintSize(self.dpi.value(), width if width >= WIDTH_RANGE[0] else None)


def ask_print_size(
    parent: QWidget, size: PrintSize, *, has_dpi: bool, has_width: bool
) -> PrintSize | None:
    """Ask how large a figure is to be; None if the user cancels."""
    dialog = PrintSizeDialog(size, has_dpi=has_dpi, has_width=has_width, parent=parent)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    return dialog.size_chosen if accepted else None
