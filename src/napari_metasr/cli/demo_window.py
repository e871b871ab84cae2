"""Open the demonstration's window, or photograph it on a virtual screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict

from napari_metasr.cli.demo_scene import Scene, read_sample
from napari_metasr.files import replacing
from napari_metasr.geometry.affines import napari_from_edges
from napari_metasr.geometry.windows import Window
from napari_metasr.io.layers import layer_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari import Viewer
    from napari.layers import Image as ImageLayer

    from napari_metasr.widgets import MetaSRZoomWidget

WINDOW_SIZE = (1500, 820)
SCALES = (1.5, 2.0, 3.0, 3.7)
PATIENCE_SECONDS = 180.0
SETTLE_SECONDS = 0.2
SCREEN = {
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "NAPARI_CONFIG": "",
    "QT_QPA_PLATFORM": "xcb",
}


class Shot(BaseModel):
    """The task of the process on the virtual screen."""

    model_config = ConfigDict(extra="forbid")

    volume: Path | None
    index: int
    window: tuple[float, float, float, float]
    model: str
    device: str
    output: Path


def open_window(scene: Scene) -> None:
    """Open napari on the scene with the dock, until it is closed."""
    import napari

    viewer, layer, dock = _opened(scene)
    _choose_region(viewer, layer, dock, scene)
    napari.run()


def photograph(scene: Scene, path: Path) -> Path:
    """Open it on a virtual screen, move the slider, and save a picture of the window.

    Raises
    ------
    FileNotFoundError
        If there is no ``xvfb-run``.
    OSError
        If the window could not be opened, or no result came.
    """
    runner = shutil.which("xvfb-run")
    if runner is None:
        raise FileNotFoundError(
            "a picture of the window needs a virtual screen: xvfb-run, of Debian's package xvfb, "
            "was not found; the other pictures are there"
        )
    shot = Shot(
        volume=scene.path,
        index=scene.index,
        window=scene.region,
        model=scene.model,
        device=scene.device,
        output=path,
    )
    done = subprocess.run(
        [
            runner, "-a", "-s", "-screen 0 1600x1000x24",
            sys.executable, "-m", __name__, shot.model_dump_json(),
        ],
        env=os.environ | SCREEN,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise OSError(f"the window on the virtual screen failed: {lines[-1]}")
    return path


def take(shot: Shot) -> None:
    """Open the window, drive the dock's slider through the scales, photograph the last one."""
    from napari_metasr.widgets.viewer.preferences import remember

    remember(tour_offered=True)  # its notice would lie over the picture
    region = Window(*shot.window)
    volume = read_sample(shot.volume)
    scene = Scene(volume, shot.volume, shot.index, region, shot.model, shot.device)
    viewer, layer, dock = _opened(scene)
    try:
        _choose_region(viewer, layer, dock, scene)
        for scale in SCALES:
            _slide_to(dock, scale)
            _wait_for(lambda: _is_shown(viewer, dock), f"a result at scale {scale:g}")
        picture = viewer.screenshot(canvas_only=False, flash=False)
        with replacing(shot.output, overwrite=True) as temporary:
            Image.fromarray(np.asarray(picture)[..., :3]).save(temporary)
    finally:
        viewer.close()


def _opened(scene: Scene) -> tuple[Viewer, ImageLayer, MetaSRZoomWidget]:
    import napari
    from napari.layers import Layer

    from napari_metasr.widgets.viewer.open_docks import open_dock

    viewer = napari.Viewer(title="Meta-SR Zoom")
    viewer.window.resize(*WINDOW_SIZE)
    layer: Any = viewer.add_layer(Layer.create(*layer_data(scene.volume)))
    position = scene.index * layer.scale[-3] + layer.translate[-3]
    viewer.dims.set_point(layer.ndim - 3, position)
    dock: Any = open_dock(viewer, "napari-metasr.zoom")
    dock.model.setCurrentIndex(dock.model.findData(scene.model))
    dock.device.setCurrentIndex(dock.device.findData(scene.device))
    _settle()
    return viewer, layer, dock


def _choose_region(viewer: Viewer, layer: ImageLayer, dock: MetaSRZoomWidget, scene: Scene) -> None:
    """Draw the region as a user does: press Draw, lay the rectangle, press Done."""
    dock.region.setCurrentText("Rectangle")
    dock.draw.click()
    _settle()
    top, left, bottom, right = scene.region
    rows, columns = (
        [napari_from_edges(edge, layer.scale[axis], layer.translate[axis]) for edge in edges]
        for axis, edges in ((-2, (top, bottom)), (-1, (left, right)))
    )
    normal = viewer.dims.point[:-2]
    corners = [(*normal, row, column) for row in rows for column in columns]
    viewer.layers.selection.active.add_rectangles(np.array(corners)[[0, 1, 3, 2]])
    _settle()
    if dock.draw.isChecked():
        dock.draw.click()
    _settle()


def _slide_to(dock: MetaSRZoomWidget, scale: float) -> None:
    """Move the slider step by step as its keys do, then write the exact number beside it."""
    from qtpy.QtWidgets import QApplication

    slider = dock.scale.slider
    while dock.scale.scale < scale and slider.value() < slider.maximum():
        slider.triggerAction(slider.SliderAction.SliderSingleStepAdd)
        QApplication.processEvents()
    dock.scale.number.setValue(scale)
    _settle()


def _is_shown(viewer: Viewer, dock: MetaSRZoomWidget) -> bool:
    """Return whether the network's result is on the screen and nothing is being computed."""
    shown = any("super-resolved" in layer.name and layer.visible for layer in viewer.layers)
    return shown and not dock.busy.isVisibleTo(dock)


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS:g} s in vain for {what}")
        _settle()


def _settle() -> None:
    """Let Qt process its events, and draw."""
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    take(Shot.model_validate_json(sys.argv[1]))
