"""Picture the docks of lesions and of volumes in a real window, for the documentation.

Without a display, under ``xvfb-run -a``. Usage::

    python scripts/picture_docks.py SCAN.nii.gz docs/images
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
import nibabel as nib
import numpy as np
from qtpy.QtCore import QEventLoop
from qtpy.QtWidgets import QApplication

from napari_metasr.widgets.viewer.open_docks import open_dock

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = (1500, 950)
THICK = 4
"""Slices of the scan that are averaged into a thick one."""

UNDER_WAY = 0.35
"""Share of the volume that has been upscaled when its picture is taken."""

PATIENCE_SECONDS = 300
PLUGIN = "napari-metasr"


def main() -> None:
    """Take both pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scan", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    picture_lesion(options.scan, options.folder / "lesion.png")
    picture_upscale(options.scan, options.folder / "upscale.png")


def opened(path: Path) -> napari.Viewer:
    """Open a scan in a window of its own."""
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(*WINDOW)
    viewer.open(str(path), plugin=PLUGIN)
    wait(lambda: False, 1)
    return viewer


def picture_lesion(scan: Path, output: Path) -> None:
    """Detect tumours in the whole scan and zoom into the best one."""
    viewer = opened(scan)
    detection: Any = open_dock(viewer, f"{PLUGIN}.detect")
    detection.detect.click()
    wait(lambda: not detection.coordinator.is_waiting and detection.table.rowCount() > 0)
    detection.table.cellClicked.emit(0, 0)
    wait(lambda: False, 8)
    viewer.screenshot(str(output), canvas_only=False, flash=False)
    viewer.close()


def picture_upscale(scan: Path, output: Path) -> None:
    """Average slices into thick ones and upscale them back; stop once the picture is taken."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"{scan.name.split('.')[0]}-{THICK}mm.nii.gz")
        write_thick(scan, source)
        viewer = opened(source)
        dock: Any = open_dock(viewer, f"{PLUGIN}.upscale")
        wait(lambda: dock.start.isEnabled())
        viewer.dims.order = (1, 0, 2)
        viewer.dims.set_current_step(1, viewer.dims.nsteps[1] // 2)
        viewer.reset_view()
        dock.start.click()
        share = dock.progress.maximum() * UNDER_WAY
        wait(lambda: dock.progress.value() >= share)
        viewer.screenshot(str(output), canvas_only=False, flash=False)
        dock.cancel.click()
        wait(lambda: not dock.coordinator.is_waiting)
        viewer.close()


def write_thick(scan: Path, output: Path) -> None:
    """Write a scan with each few of its slices averaged into one."""
    image = nib.load(scan)
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
