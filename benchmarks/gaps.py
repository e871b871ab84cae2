"""How long the window does not react at the worst moment of what a user does at first.

In a real window (under Xvfb: ``xvfb-run -a python benchmarks/gaps.py``), beside what napari alone
needs to change its layers and grid. Stop background work first: on few cores it makes every
figure several times worse. With ``--quick`` in a small volume, to try it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QPoint, Qt

from common.command_line import parser_of
from common.event_loop import CALM, Heart, settle, settled
from common.windows import close_viewer, mouse, viewer_of
from napari_metasr.samples.phantom import glioma_phantom
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.napari_versions import grid_of
from napari_metasr.widgets.viewer.open_docks import open_dock
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.volume import Volume

DRAG_STEPS = 60
SMALL = (48, 64, 56)

Action = tuple[str, "Callable[[], object]"]
Gap = tuple[str, float, float]
"""An action, the longest time in which the window did not react, and how long it took."""


def measured(actions: list[Action], docks: list[Any]) -> list[Gap]:
    """Act one after the other; return each action's worst gap and how long it took."""
    found: list[Gap] = []
    heart = Heart()
    for name, act in actions:
        started = time.perf_counter()
        heart.start()
        act()
        settled(docks)
        found.append((name, heart.stop(), time.perf_counter() - started - 2 * CALM))
    return found


def place_of(volume: Volume) -> dict[str, Any]:
    """Return where other layers of a volume's grid belong."""
    return {"scale": volume.spacing, "translate": volume.affine[2::-1, 3], "units": "mm"}


def measure_floor_gaps(volume: Volume, mask: NDArray[np.integer]) -> list[Gap]:
    """Do in napari alone what the actions of `measure_gaps` cannot do without."""
    viewer, place, data = viewer_of(volume), place_of(volume), volume.data
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
    close_viewer(viewer)
    return found


def measure_gaps(volume: Volume, mask: NDArray[np.integer]) -> list[Gap]:
    """Do what a user does at first; return each action's worst gap and how long it took."""
    viewer, place, data = viewer_of(volume), place_of(volume), volume.data
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
    close_viewer(viewer)
    return found


def measure_planes_gaps(volume: Volume) -> list[Gap]:
    """Open the three planes, and drag their cross-hair over slices that are not encoded yet."""
    viewer = viewer_of(volume)
    docks: list[Any] = []

    def drag() -> None:
        pane = docks[0].panes[Plane.AXIAL]
        middle, left = pane.rect().center(), Qt.MouseButton.LeftButton
        mouse(pane, QEvent.Type.MouseButtonPress, middle, left, held=left)
        for step in range(DRAG_STEPS):
            mouse(pane, QEvent.Type.MouseMove, middle + QPoint(step, step // 2), held=left)
            settle(0.016)
        mouse(pane, QEvent.Type.MouseButtonRelease, middle, left)

    actions: list[Action] = [
        ("open the three planes", lambda: docks.append(open_dock(viewer, "napari-metasr.planes"))),
        ("drag the cross-hair of the planes", drag),
    ]
    found = measured(actions, docks)
    close_viewer(viewer)
    return found


def print_gaps(found: list[Gap]) -> None:
    """Print a line of each action."""
    for name, gap, seconds in found:
        print(f"{name:<46} worst gap {gap * 1e3:7.0f} ms, done after {seconds:5.1f} s", flush=True)


def main() -> None:
    """Measure and print the worst gap of each action, and of what napari itself needs for it."""
    parser = parser_of(__doc__)
    parser.add_argument("--quick", action="store_true", help="a small volume, to try it")
    options = parser.parse_args()
    volume, labels = glioma_phantom(SMALL, 3.5) if options.quick else glioma_phantom()
    mask = labels.astype(int)
    print_gaps(measure_floor_gaps(volume, mask))
    print_gaps(measure_gaps(volume, mask))
    print_gaps(measure_planes_gaps(volume))


if __name__ == "__main__":
    main()
