"""Windows that are measured: what is open in them, and the mouse over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import napari
import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget
from scipy.ndimage import gaussian_filter

from common.event_loop import settle
from napari_metasr.io.layers import layer_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.volume import Volume

WINDOW_SIZE = (1500, 950)
NO_BUTTON = Qt.MouseButton.NoButton


def new_viewer(size: tuple[int, int] = WINDOW_SIZE) -> napari.Viewer:
    """Show an empty viewer in a window of this width and height."""
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*size)
    return viewer


def viewer_of(volume: Volume) -> napari.Viewer:
    """Show a volume, as the reader of files opens it."""
    viewer = new_viewer()
    viewer.add_layer(Layer.create(*layer_data(volume, name="T1c")))
    settle(1)
    return viewer


def close_docks(viewer: napari.Viewer) -> None:
    """Take all docks out of a window, so that they stop their work."""
    viewer.window.remove_dock_widget("all")
    QApplication.processEvents()


def close_viewer(viewer: napari.Viewer) -> None:
    """Close a window, its docks first: napari deletes those that are open without closing them."""
    close_docks(viewer)
    viewer.close()


def smooth_volume(slices: int, size: int) -> NDArray[np.int16]:
    """Make a volume (slices, size, size) with structure of several sizes, 0 to 4000."""
    noise = np.random.default_rng(0).normal(size=(slices, size, size))
    smooth = sum(gaussian_filter(noise, (0, sigma, sigma)) * sigma for sigma in (1, 3, 9))
    return ((smooth - smooth.min()) / np.ptp(smooth) * 4000).astype(np.int16)


def mouse(
    widget: QWidget,
    kind: QEvent.Type,
    place: QPoint,
    button: Qt.MouseButton = NO_BUTTON,
    held: Qt.MouseButton = NO_BUTTON,
) -> None:
    """Press, move or release the mouse at a place of a widget, while a button is held."""
    there = QPointF(widget.mapToGlobal(place))
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(place), there, button, held, none))
