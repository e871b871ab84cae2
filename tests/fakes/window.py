"""What a user does in a real window, by mouse and keyboard, and what is seen there."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from fakes.mouse import drag_mouse, turn_wheel
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_size, canvas_widget
from napari_metasr.widgets.viewer.shared import real_viewer

LEFT = Qt.MouseButton.LeftButton


def qt_viewer(viewer):
    """napari's own widget: its buttons, its list of layers, its sliders."""
    return real_viewer(viewer).window._qt_viewer


def main_window(viewer):
    """napari's main window, which a plugin's stand-in of the viewer hides."""
    return real_viewer(viewer).window._qt_window


def canvas(viewer):
    """The widget that is drawn on."""
    return canvas_widget(real_viewer(viewer))


def click(widget):
    """Click a button, or the mark of a box that is ticked."""
    place = widget.rect().center()
    if isinstance(widget, QCheckBox):
        option = QStyleOptionButton()
        widget.initStyleOption(option)
        part = QStyle.SubElement.SE_CheckBoxIndicator
        place = widget.style().subElementRect(part, option, widget).center()
    QTest.mouseClick(widget, LEFT, pos=place)


def wheel(viewer, notches):
    """Turn the wheel over the canvas, left of the middle, where boxes of a grid may meet."""
    native = canvas(viewer)
    turn_wheel(native, QPoint(native.width() // 4, native.height() // 2), notches)


def press(viewer, key, modifier=Qt.KeyboardModifier.NoModifier):
    """Press a key over the canvas."""
    native = canvas(viewer)
    native.window().activateWindow()
    native.setFocus()
    QTest.keyClick(native, key, modifier)


def point_of(viewer, vertical, horizontal):
    """Where on the canvas a world position of the shown plane is."""
    camera, (height, width) = camera_of(viewer), canvas_size(viewer)
    down = -1 if camera.orientation2d[0] == "up" else 1
    right = -1 if camera.orientation2d[1] == "left" else 1
    y = height / 2 + down * (vertical - camera.center[-2]) * camera.zoom
    x = width / 2 + right * (horizontal - camera.center[-1]) * camera.zoom
    return QPoint(round(x), round(y))


def drag(viewer, start, stop, steps=6):
    """Drag from one world position of the shown plane to another."""
    first, last = point_of(viewer, *start), point_of(viewer, *stop)
    drag_mouse(canvas(viewer), first, last, steps=steps)


def delete(viewer, *layers):
    """Select layers and press napari's button that deletes them."""
    viewer.layers.selection = set(layers)
    click(qt_viewer(viewer).layerButtons.deleteButton)


def picture(viewer):
    """What the canvas shows, (rows, columns, red green blue), 0 to 255."""
    return np.asarray(viewer.screenshot(canvas_only=True, flash=False))[..., :3].astype(int)
