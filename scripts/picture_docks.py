"""Picture the parts of the window, for the documentation or to look through all of them.

Without a display, under ``xvfb-run -a -s "-screen 0 1700x1100x24"``. Usage::

    python scripts/picture_docks.py SCAN.nii.gz docs/images
    python scripts/picture_docks.py SCAN.nii.gz /tmp/pictures --every

The first takes the pictures that the documentation shows. With ``--every`` each part is taken at
two window sizes and at the scale factor 1.5 of small screens, in napari's dark and light theme,
into a folder for each.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["NAPARI_CONFIG"] = ""  # nothing of the user's is read or changed

import napari
import nibabel as nib
import numpy as np
from napari.layers import Image
from qtpy.QtCore import QEvent, QEventLoop, QPointF, Qt, QThreadPool
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QDialog, QMessageBox, QWidget

from napari_metasr.figures.size import PRINT_SIZE
from napari_metasr.quality.rating import prepare
from napari_metasr.weights import is_own, model_names
from napari_metasr.widgets.loupe.loupe import loupe_of
from napari_metasr.widgets.panels.print_size import PrintSizeDialog
from napari_metasr.widgets.tour.tour import ZOOM_DOCK, start_tour
from napari_metasr.widgets.viewer.key_sheet import show_keys
from napari_metasr.widgets.viewer.napari_versions import canvas_widget
from napari_metasr.widgets.viewer.open_docks import open_dock, open_docks
from napari_metasr.widgets.viewer.preferences import remember
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WINDOW = (1500, 950)
SIZES = ((1600, 900, 1.0), (1024, 700, 1.0), (1024, 700, 1.5))
"""Width and height of the window, and Qt's scale factor."""
THEMES = ("dark", "light")
THICK = 4
"""Slices of the scan that are averaged into a thick one."""

UNDER_WAY, GLIMPSE = 0.35, 0.03
"""Share of the volume that has been upscaled when its picture is taken."""

RATED = 64
"""Rows and columns of the images that are rated."""

CLOSER = 1.6
"""How many times nearer than the whole slice a part of it is looked at."""

TOUR_STEP = 3
PATIENCE_SECONDS = 600
SETTLE_SECONDS = 0.5
PLUGIN = "napari-metasr"


@dataclass
class Scene:
    """What pictures are taken of.

    Attributes
    ----------
    viewer
        With the scan, and no dock.
    scan
        Its path.
    folder
        For files that are needed on the way.
    is_quick
        Whether a slice will do where a volume takes minutes.
    """

    viewer: napari.Viewer
    scan: Path
    folder: Path
    is_quick: bool

    @property
    def window(self) -> QWidget:
        """The window of napari."""
        window: QWidget = self.viewer.window._qt_window
        return window

    def open(self, command: str) -> Any:
        """Open a dock, and wait until it has nothing left to do."""
        dock: Any = open_dock(self.viewer, f"{PLUGIN}.{command}")
        if hasattr(getattr(dock, "coordinator", None), "is_waiting"):
            wait(lambda: not dock.coordinator.is_waiting)
        wait(lambda: False, 0.5)
        return dock


def zoom(scene: Scene) -> QWidget:
    """Zoom in the middle of the view, side by side."""
    scene.open("zoom")
    return scene.window


def finetune(scene: Scene) -> QWidget:
    """Zoom in by the first model of one's own."""
    dock = scene.open("zoom")
    dock.model.setCurrentIndex(dock.model.findData(own_models()[0]))
    scene.viewer.camera.zoom *= CLOSER
    wait(lambda: not dock.coordinator.is_waiting)
    return scene.window


def swipe(scene: Scene) -> QWidget:
    """Compare in one view, with marks."""
    dock = scene.open("zoom")
    dock.comparison.setCurrentText("Swipe")
    dock.risk.setChecked(True)
    wait(lambda: not dock.coordinator.is_waiting)
    return scene.window


def loupe(scene: Scene) -> QWidget:
    """Hold the loupe over the middle."""
    found, canvas = loupe_of(scene.viewer), canvas_widget(scene.viewer)
    if found is None or canvas is None:
        raise RuntimeError("the viewer has no window")
    found.open()
    place = QPointF(canvas.rect().center())
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    there = QPointF(canvas.mapToGlobal(place.toPoint()))
    move = QMouseEvent(QEvent.Type.MouseMove, place, there, none, none, keys)
    QApplication.sendEvent(canvas, move)
    wait(lambda: found.lens is not None, 20)
    wait(lambda: not found.is_waiting)
    return scene.window


def planes(scene: Scene) -> QWidget:
    """Show three planes; the dock alone."""
    dock: QWidget = scene.open("planes")
    return dock


def lesion(scene: Scene) -> QWidget:
    """Detect tumours and zoom into the best one."""
    detection = scene.open("detect")
    detection.scope.setCurrentIndex(int(not scene.is_quick))
    detection.detect.click()
    wait(lambda: not detection.coordinator.is_waiting)
    if detection.table.rowCount():
        detection.table.cellClicked.emit(0, 0)
        docks = open_docks(scene.viewer)
        wait(lambda: docks.get(ZOOM_DOCK) is not None)
        dock: Any = docks.get(ZOOM_DOCK)
        wait(lambda: dock.coordinator.presenter.result is not None)
        wait(lambda: not dock.coordinator.is_waiting)
    return scene.window


def upscale(scene: Scene) -> QWidget:
    """Average slices into thick ones and upscale them back; stop once the picture is taken."""
    source = scene.folder / f"{scene.scan.name.split('.')[0]}-{THICK}mm.nii.gz"
    if not source.exists():
        write_thick(scene.scan, source)
    viewer = scene.viewer
    viewer.layers.clear()
    viewer.open(str(source), plugin=PLUGIN)
    dock = scene.open("upscale")
    wait(lambda: dock.start.isEnabled())
    viewer.dims.order = (1, 0, 2)
    viewer.dims.set_current_step(1, viewer.dims.nsteps[1] // 2)
    viewer.reset_view()
    dock.start.click()
    share = dock.progress.maximum() * (GLIMPSE if scene.is_quick else UNDER_WAY)
    wait(lambda: dock.progress.value() >= share)
    return scene.window


def rating(scene: Scene) -> QWidget:
    """Rate the middle of a slice that was reduced and interpolated."""
    study = scene.folder / "study"
    if not study.exists():
        layer = next(layer for layer in scene.viewer.layers if isinstance(layer, Image))
        whole = np.asarray(layer.data[len(layer.data) // 2], np.float32)[::-1, ::-1]
        top, left = ((size - RATED) // 2 for size in whole.shape)
        part = whole[top : top + RATED, left : left + RATED]
        coarse = part.reshape(RATED // 2, 2, RATED // 2, 2).mean(axis=(1, 3))
        prepare({"a": {"truth": part, "bicubic": interpolate(coarse, 2.0)}}, study, seed=1)
    scene.viewer.layers.clear()
    dock = scene.open("rate")
    dock.begin(str(study), "Ann")
    wait(lambda: False, 1)
    dock.grades[2].click()
    dock.flags["S"].click()
    return scene.window


def trust(scene: Scene) -> QWidget:
    """Try the network on the slice on the screen."""
    dock = scene.open("trust")
    dock.scope.setCurrentIndex(1)
    dock.start.click()
    wait(lambda: dock.save.isEnabled())
    return scene.window


def tour(scene: Scene) -> QWidget:
    """Go a few steps of the tour."""
    scene.open("zoom")
    found = start_tour(scene.viewer)
    wait(lambda: False, 1)
    for _ in range(TOUR_STEP):
        found._tooltip._next.click()
        wait(lambda: False, 1)
    return scene.window


def keys(scene: Scene) -> QWidget:
    """List the keys."""
    scene.open("zoom")
    show_keys(scene.window)
    wait(lambda: False, 0.5)
    return next(iter(scene.window.findChildren(QMessageBox, "metasr_keys")))


def figure_size(scene: Scene) -> QWidget:
    """Ask how large a figure is to be."""
    dialog = PrintSizeDialog(PRINT_SIZE, has_dpi=True, has_width=True, parent=scene.window)
    dialog.show()
    wait(lambda: False, 0.5)
    return dialog


PARTS: dict[str, Callable[[Scene], QWidget]] = {
    part.__name__: part
    for part in (
        zoom, finetune, swipe, loupe, planes, lesion, trust, tour, keys, figure_size, upscale,
        rating,
    )
}  # fmt: skip
DOCUMENTED = ("lesion", "upscale", "planes", "rating")


def own_models() -> list[str]:
    """List the models that were fitted on this machine."""
    return [name for name in model_names() if is_own(name)]


def every_part() -> list[str]:
    """List the parts that there is something to show of."""
    return [name for name in PARTS if PARTS[name] is not finetune or own_models()]


def main() -> None:
    """Take the pictures, each setting of the screen in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", action="store_true", help="every part, size and theme")
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="these alone")
    parser.add_argument("--size", nargs=2, type=int, default=WINDOW, help="of the window")
    parser.add_argument("--theme", choices=THEMES, default=THEMES[0])
    parser.add_argument("--quick", action="store_true", help="work on slices, not on volumes")
    options = parser.parse_args()
    if not options.every:
        take(options.scan, options.folder, options.parts or DOCUMENTED, options)
        return
    parts = options.parts or every_part()
    for (width, height, factor), theme in itertools.product(SIZES, THEMES):
        folder = options.folder / f"{width}x{height}-{factor}-{theme}"
        arguments = [__file__, str(options.scan), str(folder), "--theme", theme, "--quick"]
        arguments += ["--size", str(width), str(height), "--parts", *parts]
        environment = {**os.environ, "QT_SCALE_FACTOR": str(factor)}
        subprocess.run([sys.executable, *arguments], check=True, env=environment)


def take(scan: Path, folder: Path, parts: Iterable[str], options: argparse.Namespace) -> None:
    """Take pictures of parts, each in a window of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in parts:
            viewer = napari.Viewer()
            remember(tour_offered=True)
            viewer.theme = options.theme
            viewer.window._qt_window.resize(*options.size)
            viewer.open(str(scan), plugin=PLUGIN)
            wait(lambda: False, 1)
            widget = PARTS[name](Scene(viewer, scan, Path(scratch), options.quick))
            wait(lambda: False, SETTLE_SECONDS)  # for the texts that came last to be laid out
            widget.grab().save(str(folder / f"{name}.png"))
            print(folder / f"{name}.png", flush=True)
            close(viewer, widget)


def close(viewer: napari.Viewer, widget: QWidget) -> None:
    """Close what a picture was taken of, and wait until its work has stopped."""
    window, open_loupe = viewer.window._qt_window, loupe_of(viewer)
    if window._viewer_tour is not None:
        window._viewer_tour.close_tour()
    if open_loupe is not None:
        open_loupe.close()
    if isinstance(widget, QDialog):
        widget.close()
    viewer.window.remove_dock_widget("all")
    pool = QThreadPool.globalInstance()
    wait(lambda: pool is None or pool.activeThreadCount() == 0)
    viewer.close()


def write_thick(scan: Path, output: Path) -> None:
    """Write a scan with each few of its slices averaged into one."""
    image = nib.Nifti1Image.from_filename(scan)
    voxels = np.asarray(image.dataobj, np.float32)
    depth = voxels.shape[2] // THICK
    thick = voxels[..., : depth * THICK].reshape(*voxels.shape[:2], depth, THICK).mean(axis=3)
    affine = image.affine @ np.diag([1, 1, THICK, 1])
    affine[:3, 3] += image.affine[:3, 2] * (THICK - 1) / 2
    nib.save(nib.Nifti1Image(thick, affine), output)


def wait(done: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Let the window work until something holds, or for so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)


if __name__ == "__main__":
    main()
