"""How long the window does not react at the worst moment of what a user does at first.

In a real window (under Xvfb: ``xvfb-run -a python benchmarks/gaps.py``), beside what napari alone
needs to change its layers and grid. Stop background work first: on few cores it makes every
figure several times worse.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import napari
from event_loop import WINDOW_SIZE, Heart, settle, settled
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_metasr.io.layers import layer_data
from napari_metasr.samples.samples import phantom
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.napari_versions import grid_of
from napari_metasr.widgets.viewer.open_docks import open_dock
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

DRAG_STEPS = 60

Action = tuple[str, "Callable[[], object]"]


def measured(actions: list[Action], docks: list[Any]) -> list[tuple[str, float, float]]:
    """Act one after the other; return each action's worst gap and how long it took."""
    found, heart = [], Heart()
    for name, act in actions:
        started = time.perf_counter()
        heart.start()
        act()
        settled(docks)
        found.append((name, heart.stop(), time.perf_counter() - started - 0.4))
    return found


def opened_viewer() -> tuple[napari.Viewer, dict[str, Any], np.ndarray, np.ndarray]:
    """Open a volume; return where others of its grid belong, its voxels and a segmentation."""
    volume, mask = phantom()
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*WINDOW_SIZE)
    viewer.add_layer(Layer.create(*layer_data(volume, name="T1c")))
    settle(1)
    place = {"scale": volume.spacing, "translate": volume.affine[2::-1, 3], "units": "mm"}
    return viewer, place, volume.data, mask.astype(int)


def measure_floor_gaps() -> list[tuple[str, float, float]]:
    """Do in napari alone what the actions of `measure_gaps` cannot do without."""
    viewer, place, data, mask = opened_viewer()
    grid = grid_of(viewer)

    def compare() -> None:
        for name in ("a", "b"):
            layer = viewer.add_image(data, name=name, **place)
            layer.name_overlay.visible = True
        viewer.layers["T1c"].visible = False
        grid.enabled = True

    actions: list[Action] = [
        ("napari alone: show two more images as a grid", compare),
        ("napari alone: leave the grid", lambda: setattr(grid, "enabled", False)),
        ("napari alone: show the grid again", lambda: setattr(grid, "enabled", True)),
        ("napari alone: open a segmentation", lambda: viewer.add_labels(mask, **place)),
        ("napari alone: open an image", lambda: viewer.add_image(data, name="T2", **place)),
        ("napari alone: remove an image", lambda: viewer.layers.remove("T2")),
    ]
    found = measured(actions, [])
    viewer.close()
    return found


def measure_gaps() -> list[tuple[str, float, float]]:
    """Do what a user does at first; return each action's worst gap and how long it took."""
    viewer, place, data, mask = opened_viewer()
    docks: list[Any] = []

    def opened(command: str) -> None:
        docks.append(open_dock(viewer, command))

    def choose(compare: Compare) -> None:
        docks[0].comparison.setCurrentEnum(compare)

    def tick() -> None:
        docks[0].contrasts.item(0).setCheckState(Qt.CheckState.Checked)

    actions: list[Action] = [
        ("open the zoom dock", lambda: opened("napari-metasr.zoom")),
        ("scroll to another slice", lambda: viewer.dims.set_current_step(0, 60)),
        ("turn to coronal", lambda: docks[0].planes[Plane.CORONAL].click()),
        ("turn to axial", lambda: docks[0].planes[Plane.AXIAL].click()),
        *((f"compare: {compare}", lambda compare=compare: choose(compare)) for compare in Compare),
        ("compare side by side again", lambda: choose(Compare.SIDE_BY_SIDE)),
        ("open a segmentation", lambda: viewer.add_labels(mask, name="seg", **place)),
        ("open a second contrast", lambda: viewer.add_image(data, name="T2", **place)),
        ("tick the contrast", tick),
        ("keep the region", lambda: docks[0].keep.click()),
        ("open the detection dock", lambda: opened("napari-metasr.detect")),
        ("detect in the slice", lambda: docks[1].detect.click()),
        ("click a row of the table", lambda: docks[1].table.cellClicked.emit(0, 0)),
        ("open the upscale dock", lambda: opened("napari-metasr.upscale")),
    ]
    found = measured(actions, docks)
    viewer.close()
    return found


def measure_planes_gaps() -> list[tuple[str, float, float]]:
    """Open the three planes, and drag their cross-hair over slices that are not encoded yet."""
    viewer, *_ = opened_viewer()
    docks: list[Any] = []

    def drag() -> None:
        pane = docks[0].panes[Plane.AXIAL]
        middle, left = pane.rect().center(), Qt.MouseButton.LeftButton
        QTest.mousePress(pane, left, pos=middle)
        for step in range(DRAG_STEPS):
            QTest.mouseMove(pane, middle + QPoint(step, step // 2))
            settle(0.016)
        QTest.mouseRelease(pane, left, pos=middle)

    actions: list[Action] = [
        ("open the three planes", lambda: docks.append(open_dock(viewer, "napari-metasr.planes"))),
        ("drag the cross-hair of the planes", drag),
    ]
    found = measured(actions, docks)
    viewer.close()
    return found


def main() -> None:
    """Measure and print the worst gap of each action, and of what napari itself needs for it."""
    found = measure_floor_gaps() + measure_gaps() + measure_planes_gaps()
    for name, gap, seconds in found:
        print(f"{name:<46} worst gap {gap * 1e3:7.0f} ms, done after {seconds:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
