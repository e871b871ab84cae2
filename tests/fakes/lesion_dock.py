"""What is done to the detection dock, and read from it."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt

from fakes.widgets import settle
from napari_metasr.widgets.lesions.dock import SearchScope

LEFT = Qt.MouseButton.LeftButton


def search(qtbot, dock, scope=SearchScope.SLICE):
    dock.scope.setCurrentEnum(scope)
    qtbot.mouseClick(dock.detect, LEFT)
    settle(qtbot, dock)


def rows(dock):
    return [
        tuple(dock.table.item(row, column).text() for column in range(4))
        for row in range(dock.table.rowCount())
    ]


def box_layers(viewer):
    return [layer for layer in viewer.layers if layer.name.startswith("tumour regions")]


def square(index, row, column, size=6.0):
    """Corners of a square of a slice."""
    return np.array(
        [
            [*index, r, c]
            for r, c in (
                (row, column),
                (row, column + size),
                (row + size, column + size),
                (row + size, column),
            )
        ],
        float,
    )
