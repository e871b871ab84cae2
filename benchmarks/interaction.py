"""How quickly a slider event reaches the screen, beside the least that napari needs.

In one run, in a real window (under Xvfb: ``xvfb-run -a python benchmarks/interaction.py``):

- *floor*: two new arrays of the same size are assigned to two layers and drawn;
- *slider*: a slider event renders both results and is drawn;
- *marks*: the same with marks where the result may be wrong, and what encoding a slice takes for
  the image and for the error head;
- *consistent*: the same with results that are made consistent with the scan;
- *told*: what a model that can be told is told is changed, until the new result is drawn; beside it
  what encoding its slice takes (with ``--told MODEL``);
- *burst*: 200 slider events, one a millisecond;
- *loupe*: a movement of the mouse under the loupe, until both halves are painted.

Stop background work first: on few cores it makes every figure several times worse.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import TYPE_CHECKING

import napari
import numpy as np
from event_loop import WINDOW_SIZE, Heart, settle, settled
from napari.layers import Layer
from qtpy.QtCore import (
    Q_ARG,
    QEvent,
    QEventLoop,
    QMetaObject,
    QObject,
    QPoint,
    QPointF,
    Qt,
)
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QSlider, QWidget

from napari_metasr.io.layers import layer_data
from napari_metasr.samples.samples import phantom
from napari_metasr.trust.told import Words
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.loupe.loupe import loupe_of
from napari_metasr.widgets.viewer.napari_versions import canvas_size, canvas_widget
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.scale_control import STEPS

if TYPE_CHECKING:
    from napari.layers import Image

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


def measure_told(dock: MetaSRZoomWidget, drawn: Drawn, repeats: int) -> tuple[list, list]:
    """Change what the model is told, until the new result is drawn; and its encodings of that."""
    times, encodings = [], []
    layer = dock.coordinator.presenter.stage.pairs[0].layers[1]
    for number in range(repeats):
        settled([dock])
        image, before, started = layer.data, drawn.count, time.perf_counter()
        dock.assumed.set_words(Words("box", round(1e-5 * (number + 1), 5)))
        while layer.data is image:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
            before = drawn.count if layer.data is image else before
        drawn.wait(before)
        times.append(time.perf_counter() - started)
        encodings.append(_milliseconds(dock.readout.values["encode"].text()))
    return times, encodings


def _milliseconds(text: str) -> float:
    return float(text.removesuffix(" ms")) / 1000


def measure_encoding(image: np.ndarray, repeats: int = 5) -> tuple[list[float], list[float]]:
    """Encode a whole slice by the model, and by its error head."""
    from napari_metasr.trust.risk import load_risk_model
    from napari_metasr.zoom.loading import load_model

    found = []
    for model in (load_model(), load_risk_model()):
        times = []
        for _ in range(repeats + 1):
            started = time.perf_counter()
            model.encode(image).prepare()
            times.append(time.perf_counter() - started)
        found.append(times[1:])
    return found[0], found[1]


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
    renders, heart = 0, Heart()
    show = dock.coordinator.presenter.show

    def counted(*args: object, **keywords: object) -> None:
        nonlocal renders
        renders += 1
        show(*args, **keywords)

    dock.coordinator.presenter.show = counted
    source = Events(np.linspace(0, STEPS, events).astype(int), dock.scale.slider)
    started = time.perf_counter()
    heart.start()
    source.start()
    while source.is_alive() or dock.coordinator.is_waiting:
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
    total = time.perf_counter() - started
    stall = heart.stop()
    dock.coordinator.presenter.show = show
    return total, renders, stall


class Painted(QObject):
    """Counts paintings of a widget."""

    def __init__(self, widget: QObject) -> None:
        super().__init__()
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Count, and let the event pass."""
        self.count += event is not None and event.type() == QEvent.Type.Paint
        return False


def point_at(canvas: QWidget, place: QPoint) -> None:
    """Move the mouse over the canvas."""
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    there = QPointF(canvas.mapToGlobal(place))
    move = QMouseEvent(QEvent.Type.MouseMove, QPointF(place), there, none, none, keys)
    QApplication.sendEvent(canvas, move)


def measure_loupe(repeats: int) -> tuple[list[float], list[float]]:
    """Seconds from a movement of the mouse to the painted loupe, and those in the loupe's code."""
    volume, _ = phantom()
    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(*WINDOW_SIZE)
    viewer.add_layer(Layer.create(*layer_data(volume, name="T1c")))
    settle(1)
    loupe, canvas = loupe_of(viewer), canvas_widget(viewer)
    if loupe is None or canvas is None:
        raise RuntimeError("the viewer has no window")
    loupe.open()
    middle = canvas.rect().center()
    point_at(canvas, middle)
    settle(0.2)
    while loupe.is_waiting:
        settle(0.1)
    if loupe.pane is None:
        raise RuntimeError("the loupe was closed")
    painted, times, own = Painted(loupe.pane), [], []
    update = loupe.updates.update

    def timed() -> None:
        began = time.perf_counter()
        update()
        own.append(time.perf_counter() - began)

    loupe.updates.update = timed
    for number in range(repeats):
        settle(0.02)
        before, started = painted.count, time.perf_counter()
        point_at(canvas, middle + QPoint(3 * (number % 20), number % 7))
        while painted.count == before and time.perf_counter() - started < 1:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        times.append(time.perf_counter() - started)
    viewer.close()
    return times, own


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--scale", type=float, default=4.0)
    parser.add_argument("--told", metavar="MODEL", help="a model that can be told of the scan")
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
    print(f"results of {sizes} pixels, canvas {canvas_size(viewer)}")
    slider = measure_slider(dock, drawn, options.repeats, around)
    floor = measure_floor(viewer, drawn, list(pair.layers), options.repeats)
    print(line("floor: assign two arrays and draw", floor))
    print(line("slider event to drawn canvas", slider))
    for name, box in (("with marks", dock.risk), ("consistent", dock.consistent)):
        box.setChecked(True)
        settled([dock])
        times = measure_slider(dock, drawn, options.repeats, around)
        print(line(f"slider event to drawn canvas, {name}", times))
        print(f"{'':<42} {np.median(times) / np.median(slider):.2f} times as long")
        box.setChecked(False)
        settled([dock])
    if options.told:
        dock.model.setCurrentIndex(dock.model.findData(options.told))
        settled([dock])
        times, encodings = measure_told(dock, drawn, options.repeats)
        print(line("what is told changed, to drawn canvas", times[1:]))
        print(line("the network's encodings of that", encodings[1:]))
    image = brain_like(np.random.default_rng(0))[0]
    for name, times in zip(("image", "error head"), measure_encoding(image), strict=True):
        print(line(f"encoding a slice for the {name}", times))
    own = np.median(slider) - np.median(floor)
    print(f"{'the plugin itself':<42} median {own * 1e3:7.1f} ms")
    total, renders, stall = measure_burst(dock, 200)
    print(
        f"burst of 200 slider events: {total * 1e3:.0f} ms, {renders} renderings, "
        f"longest stall of the event loop {stall * 1e3:.0f} ms"
    )
    viewer.close()
    times, own = measure_loupe(options.repeats)
    print(line("mouse move to painted loupe", times))
    print(line("the loupe's own code of that", own))


if __name__ == "__main__":
    main()
