"""Film the loupe in a real window for the README; without a display, under ``xvfb-run -a``.

The scan is the simulated glioma phantom, reduced to 2 mm in plane as by a scanner (truncation in
k-space), so that there is something to super-resolve. Usage::

    python scripts/film_loupe.py docs/images/loupe.gif
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
from napari.layers import Layer
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QImage, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_metasr.degradations import degrade
from napari_metasr.geometry.affines import resampled_affine
from napari_metasr.io.layers import layer_data
from napari_metasr.samples.samples import phantom
from napari_metasr.widgets.loupe.loupe import Loupe, loupe_of
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.napari_versions import canvas_widget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtpy.QtWidgets import QWidget

    from napari_metasr.volume import Volume

WINDOW = (1000, 780)
REDUCTION = 2
PLACES = ((0.36, 0.30), (0.44, 0.45), (0.36, 0.52), (0.60, 0.40))
"""Where the mouse goes, as fractions of the canvas: right and down."""
STEPS = 12
NOTCHES = 3
FRAME_MS = 90
WIDTH = 560
COLOURS = 64
PATIENCE_SECONDS = 120


def main() -> None:
    """Move the mouse over the tumour, turn the wheel, and write what the canvas shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    output: Path = parser.parse_args().output
    volume, mask = phantom()
    index = int(np.argmax((mask > 0).sum(axis=(1, 2))))
    viewer = napari.Viewer()
    viewer.window.resize(*WINDOW)
    viewer.window._qt_viewer.dockLayerList.hide()
    viewer.window._qt_viewer.dockLayerControls.hide()
    viewer.add_layer(Layer.create(*layer_data(reduced(volume), name="2 mm scan")))
    anatomical_view(viewer).hold("film")
    viewer.dims.set_current_step(0, index)
    wait(1)
    viewer.reset_view()
    loupe = loupe_of(viewer)
    if loupe is None:
        raise SystemExit("the viewer has no window")
    loupe.open()
    frames = list(film(viewer, loupe))
    frames[0].save(
        output, save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0, optimize=True
    )
    viewer.close()
    print(f"{output}: {len(frames)} frames, {output.stat().st_size / 1e6:.2f} MB")


def reduced(volume: Volume) -> Volume:
    """Return the volume as a scanner with coarser pixels would give it."""
    slices, rows, columns = volume.data.shape
    shape = rows // REDUCTION, columns // REDUCTION
    data = degrade(volume.data, shape, "k-space")
    affine = resampled_affine(volume.affine, volume.data.shape[::-1], (*shape[::-1], slices))
    z, y, x = volume.spacing
    spacing = (z, y * rows / shape[0], x * columns / shape[1])
    return replace(volume, data=data, affine=affine, spacing=spacing)


def film(viewer: napari.Viewer, loupe: Loupe) -> Iterator[Image.Image]:
    """Yield a frame for each step of the mouse and each notch of the wheel."""
    canvas = canvas_widget(viewer)
    if canvas is None:
        raise RuntimeError("the viewer has no window")
    corners = [QPointF(right * canvas.width(), down * canvas.height()) for right, down in PLACES]
    move(canvas, corners[0])
    settle(loupe)
    for start, stop in itertools.pairwise(corners):
        for step in range(STEPS):
            move(canvas, start + (stop - start) * (step / STEPS))
            settle(loupe)
            yield frame(canvas)
        if stop is corners[1]:
            for notches in (*[1] * NOTCHES, *[-1] * NOTCHES):
                turn(canvas, stop, notches)
                settle(loupe)
                yield frame(canvas)


def move(canvas: QWidget, place: QPointF) -> None:
    """Move the mouse over the canvas."""
    at = QPointF(round(place.x()), round(place.y()))
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    there = QPointF(canvas.mapToGlobal(at.toPoint()))
    event = QMouseEvent(QEvent.Type.MouseMove, at, there, none, none, keys)
    QApplication.sendEvent(canvas, event)


def turn(canvas: QWidget, place: QPointF, notches: int) -> None:
    """Turn the wheel over the canvas."""
    there = QPointF(canvas.mapToGlobal(place.toPoint()))
    event = QWheelEvent(
        place, there, QPoint(0, 0), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def settle(loupe: Loupe) -> None:
    """Wait until the loupe shows what it is to show."""
    until = time.monotonic() + PATIENCE_SECONDS
    wait(0.05)
    while loupe.is_waiting:
        if time.monotonic() > until:
            raise TimeoutError("waited in vain for the loupe")
        wait(0.02)


def frame(canvas: QWidget) -> Image.Image:
    """Return what the canvas and the loupe over it show, with the mouse pointer's place marked."""
    shown = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    size = shown.height() * shown.bytesPerLine()
    pixels = np.frombuffer(shown.bits().asstring(size), np.uint8)
    pixels = pixels.reshape(shown.height(), -1, 4)[:, : shown.width(), :3]
    picture = Image.fromarray(pixels)
    height = round(picture.height * WIDTH / picture.width)
    small = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    return small.quantize(COLOURS, dither=Image.Dither.NONE)


def wait(seconds: float) -> None:
    """Let Qt process its events, and draw."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    main()
