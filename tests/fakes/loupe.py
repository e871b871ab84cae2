"""What tests of the loupe share: a bright voxel, and a mouse to look for it with."""

from __future__ import annotations

import numpy as np
from qtpy.QtTest import QTest

from fakes.mouse import move_mouse
from fakes.widgets import PATIENCE_MS
from napari_metasr.volume import Source, Volume
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_widget
from napari_metasr.widgets.viewer.shared import real_viewer

SHAPE = (20, 28, 24)
SPOT = (9, 17, 8)
BRIGHT = 1000
ZOOM = 8.0
SPACINGS = {"cubes": (1.0, 1.0, 1.0), "thick": (3.0, 1.0, 0.8)}


def bright_voxel(spacing):
    """A volume, obliquely acquired, of which one voxel is bright."""
    data = np.zeros(SHAPE, np.float32)
    data[SPOT] = BRIGHT
    affine = np.diag([*spacing[::-1], 1.0])
    affine[:3, :3] = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]]) @ affine[:3, :3]
    affine[:3, 3] = -11, 7, 30
    return Volume(data, affine, spacing, Source("scan", affine=affine, dtype=data.dtype))


def settle(qtbot, loupe):
    qtbot.waitUntil(lambda: not loupe.is_waiting, timeout=PATIENCE_MS)


def move(qtbot, viewer, loupe, place):
    point_at(viewer, place)
    settle(qtbot, loupe)


def point_at(viewer, place):
    """Move the mouse over the canvas."""
    move_mouse(canvas_widget(real_viewer(viewer)), place)


def middle(viewer):
    return canvas_widget(real_viewer(viewer)).rect().center()


def show_spot(viewer, order):
    """Show the plane of these axes that holds the bright voxel."""
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], SPOT[order[0]])
    viewer.reset_view()
    point_at(viewer, middle(viewer))  # napari's status line may change the canvas' height
    QTest.qWait(150)
    camera_of(viewer).zoom = ZOOM
    QTest.qWait(50)
