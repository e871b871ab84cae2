"""How quickly a slider event reaches the screen, beside the least that napari needs.

In one run, in a real window (under Xvfb: ``xvfb-run -a python benchmarks/interaction.py``):

- *floor*: two new arrays of the same size are assigned to two layers and drawn;
- *slider*: a slider event renders both results and is drawn;
- *burst*: 200 slider events, one a millisecond.

Stop background work first: on few cores it makes every figure several times worse.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtCore import Q_ARG, QEventLoop, QMetaObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QSlider

from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.scale_control import STEPS

if TYPE_CHECKING:
    from napari.layers import Image

WINDOW_SIZE = (1500, 950)
IMAGE_SIZE = 128
SLICES = 8


class Drawn:
    """Counts drawings of the canvas."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self.count = 0
        canvas = viewer.window._qt_viewer.canvas
        canvas._scene_canvas.events.draw.connect(self._on_draw, position="last")

    def _on_draw(self, event: object) -> None:
        self.count += 1

    def wait(self, before: int, seconds: float = 5.0) -> None:
        """Run the event loop until the canvas has been drawn once more."""
        app, end = QApplication.instance(), time.perf_counter() + seconds
        while self.count == before and time.perf_counter() < end:
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)


def settle(seconds: float = 0.3) -> None:
    """Run the event loop for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)


def line(name: str, seconds: list[float]) -> str:
    """Median and 95th percentile in ms."""
    median, high = np.percentile(np.array(seconds) * 1e3, (50, 95))
    return f"{name:<42} median {median:7.1f} ms   95th percentile {high:7.1f} ms"


def brain_like(rng: np.random.Generator) -> np.ndarray:
    """Make a smooth volume with structure, 16 bit."""
    from scipy.ndimage import gaussian_filter

    noise = rng.normal(size=(SLICES, IMAGE_SIZE, IMAGE_SIZE))
    smooth = sum(gaussian_filter(noise, (0, s, s)) * s for s in (1, 3, 9))
    return ((smooth - smooth.min()) / np.ptp(smooth) * 4000).astype(np.int16)


def measure_floor(viewer: napari.Viewer, drawn: Drawn, pair: list[Image], repeats: int) -> list:
    """Assign two new arrays of the same sizes and draw."""
    rng, times = np.random.default_rng(1), []
    arrays = [[rng.random(layer.data.shape, np.float32) * 4000 for layer in pair] for _ in range(4)]
    for number in range(repeats):
        settle(0.02)
        before, started = drawn.count, time.perf_counter()
        for layer, data in zip(pair, arrays[number % 4], strict=True):
            layer.data = data
        drawn.wait(before)
        times.append(time.perf_counter() - started)
    return times


def measure_slider(dock: MetaSRZoomWidget, drawn: Drawn, repeats: int, around: int) -> list:
    """Move the slider and draw; scales stay close, so that sizes do."""
    times = []
    for number in range(repeats):
        settle(0.02)
        before, started = drawn.count, time.perf_counter()
        dock.scale.slider.setValue(around + 5 * (number % 7 - 3))
        drawn.wait(before)
        times.append(time.perf_counter() - started)
    return times


class Events(threading.Thread):
    """Posts slider events one a millisecond, however busy the window is."""

    def __init__(self, steps: np.ndarray, slider: QSlider) -> None:
        super().__init__(daemon=True)
        self._steps, self._slider = steps, slider

    def run(self) -> None:
        """Post them all."""
        for step in self._steps:
            QMetaObject.invokeMethod(
                self._slider,
                "setValue",
                Qt.ConnectionType.QueuedConnection,
                Q_ARG(int, int(step)),
            )
            time.sleep(0.001)


def measure_burst(dock: MetaSRZoomWidget, events: int) -> tuple[float, int, float]:
    """Total time, number of renderings and longest stall of the event loop."""
    renders, stalls, last = 0, [], [time.perf_counter()]
    show = dock.coordinator.presenter.show

    def counted(*args: object, **keywords: object) -> None:
        nonlocal renders
        renders += 1
        show(*args, **keywords)

    def beat() -> None:
        now = time.perf_counter()
        stalls.append(now - last[0])
        last[0] = now

    dock.coordinator.presenter.show = counted
    heart = QTimer()
    heart.timeout.connect(beat)
    heart.start(1)
    source = Events(np.linspace(0, STEPS, events).astype(int), dock.scale.slider)
    started = time.perf_counter()
    last[0] = started
    source.start()
    while source.is_alive() or dock.coordinator.is_waiting:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
    total = time.perf_counter() - started
    heart.stop()
    dock.coordinator.presenter.show = show
    return total, renders, max(stalls)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--scale", type=float, default=4.0)
    options = parser.parse_args()
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*WINDOW_SIZE)
    viewer.add_image(brain_like(np.random.default_rng(0)), name="T1c")
    dock = MetaSRZoomWidget(viewer)
    viewer.window.add_dock_widget(dock, name="Meta-SR Zoom", area="right")
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    settle(1)
    coordinator = dock.coordinator
    while coordinator.is_waiting:
        settle(0.1)
    dock.scale.set_scale(options.scale)
    settle(1)
    around = dock.scale.slider.value()
    pair = coordinator.presenter.stage.pairs[0]
    drawn = Drawn(viewer)
    sizes = " and ".join("x".join(map(str, layer.data.shape[-2:])) for layer in pair.layers)
    print(f"results of {sizes} pixels, canvas {viewer.canvas.size}")
    slider = measure_slider(dock, drawn, options.repeats, around)
    floor = measure_floor(viewer, drawn, list(pair.layers), options.repeats)
    print(line("floor: assign two arrays and draw", floor))
    print(line("slider event to drawn canvas", slider))
    own = np.median(slider) - np.median(floor)
    print(f"{'the plugin itself':<42} median {own * 1e3:7.1f} ms")
    total, renders, stall = measure_burst(dock, 200)
    print(
        f"burst of 200 slider events: {total * 1e3:.0f} ms, {renders} renderings, "
        f"longest stall of the event loop {stall * 1e3:.0f} ms"
    )
    viewer.close()


if __name__ == "__main__":
    main()
