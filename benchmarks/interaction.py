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

import threading
import time
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
from qtpy.QtCore import Q_ARG, QEvent, QMetaObject, QObject, QPoint, Qt

from common.command_line import parser_of
from common.event_loop import Heart, run_until, settle, settled
from common.timing import run_times
from common.windows import close_viewer, mouse, new_viewer, smooth_volume, viewer_of
from napari_metasr.samples.samples import phantom
from napari_metasr.trust.risk import load_risk_model
from napari_metasr.trust.told import Words
from napari_metasr.weights import model_cards
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.loupe.loupe import loupe_of
from napari_metasr.widgets.viewer.napari_versions import canvas_size, canvas_widget
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.scale_control import STEPS
from napari_metasr.zoom.loading import load_model

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QSlider

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
        run_until(lambda: self.count != before, seconds)


def line(name: str, seconds: list[float]) -> str:
    """Median and 95th percentile in ms."""
    median, high = np.percentile(np.array(seconds) * 1e3, (50, 95))
    return f"{name:<42} median {median:7.1f} ms   95th percentile {high:7.1f} ms"


def measure_floor(drawn: Drawn, pair: list[Image], repeats: int) -> list[float]:
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


def measure_slider(dock: MetaSRZoomWidget, drawn: Drawn, repeats: int, around: int) -> list[float]:
    """Move the slider and draw; scales stay close, so that sizes do."""
    times = []
    for number in range(repeats):
        settle(0.02)
        before, started = drawn.count, time.perf_counter()
        dock.scale.slider.setValue(around + 5 * (number % 7 - 3))
        drawn.wait(before)
        times.append(time.perf_counter() - started)
    return times


def measure_told(
    dock: MetaSRZoomWidget, drawn: Drawn, repeats: int
) -> tuple[list[float], list[float]]:
    """Change what the model is told, until the new result is drawn; and its encodings of that."""
    times, encodings = [], []
    layer = dock.coordinator.presenter.stage.pairs[0].layers[1]
    for number in range(repeats):
        settled([dock])
        image, before, started = layer.data, drawn.count, time.perf_counter()
        dock.assumed.set_words(Words("box", round(1e-5 * (number + 1), 5)))
        while layer.data is image:
            before = drawn.count
            settle(0.001)
        drawn.wait(before)
        times.append(time.perf_counter() - started)
        encodings.append(float(dock.readout.values["encode"].text().removesuffix(" ms")) / 1000)
    return times, encodings


def measure_encoding(image: NDArray[np.int16], repeats: int = 5) -> dict[str, list[float]]:
    """Encode a whole slice by the model, and by its error head."""
    model, head = load_model(), load_risk_model()
    return {
        "image": run_times(lambda: model.encode(image).prepare(), repeats),
        "error head": run_times(lambda: head.encode(image).prepare(), repeats),
    }


def told_names() -> list[str]:
    """List the models that can be told how a scan was acquired."""
    return [name for name, card in model_cards().items() if card.can_be_told]


class Events(threading.Thread):
    """Posts slider events one a millisecond, however busy the window is."""

    def __init__(self, steps: NDArray[np.int64], slider: QSlider) -> None:
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
    heart, coordinator = Heart(), dock.coordinator
    source = Events(np.linspace(0, STEPS, events).astype(np.int64), dock.scale.slider)
    presenter = coordinator.presenter
    with mock.patch.object(presenter, "show", wraps=presenter.show) as show:
        started = time.perf_counter()
        heart.start()
        source.start()
        run_until(lambda: not (source.is_alive() or coordinator.is_waiting))
        total = time.perf_counter() - started
        return total, show.call_count, heart.stop()


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


def measure_loupe(repeats: int) -> tuple[list[float], list[float]]:
    """Seconds from a movement of the mouse to the painted loupe, and those in the loupe's code."""
    volume, _ = phantom()
    viewer = viewer_of(volume)
    loupe, canvas = loupe_of(viewer), canvas_widget(viewer)
    if loupe is None or canvas is None:
        raise RuntimeError("the viewer has no window")
    loupe.open()
    middle, move = canvas.rect().center(), QEvent.Type.MouseMove
    mouse(canvas, move, middle)
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

    def is_painted() -> bool:
        return painted.count != before

    with mock.patch.object(loupe.updates, "update", timed):
        for number in range(repeats):
            settle(0.02)
            before, started = painted.count, time.perf_counter()
            mouse(canvas, move, middle + QPoint(3 * (number % 20), number % 7))
            run_until(is_painted, 1)
            times.append(time.perf_counter() - started)
    close_viewer(viewer)
    return times, own


def whole_slices_dock(viewer: napari.Viewer) -> MetaSRZoomWidget:
    """Open the zoom dock beside the canvas, set to whole slices."""
    dock = MetaSRZoomWidget(viewer)
    viewer.window.add_dock_widget(dock, name="Meta-SR Zoom", area="right")
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    settle(1)
    while dock.coordinator.is_waiting:
        settle(0.1)
    return dock


def print_slider(
    viewer: napari.Viewer, dock: MetaSRZoomWidget, drawn: Drawn, repeats: int
) -> float:
    """Print what a slider event takes; return the median seconds of it that are the plugin's."""
    around = dock.scale.slider.value()
    layers = dock.coordinator.presenter.stage.pairs[0].layers
    sizes = " and ".join("x".join(map(str, layer.data.shape[-2:])) for layer in layers)
    print(f"results of {sizes} pixels, canvas {canvas_size(viewer)}")
    slider = measure_slider(dock, drawn, repeats, around)
    floor = measure_floor(drawn, list(layers), repeats)
    print(line("floor: assign two arrays and draw", floor))
    print(line("slider event to drawn canvas", slider))
    for name, box in (("with marks", dock.risk), ("consistent", dock.consistent)):
        box.setChecked(True)
        settled([dock])
        times = measure_slider(dock, drawn, repeats, around)
        print(line(f"slider event to drawn canvas, {name}", times))
        print(f"{'':<42} {np.median(times) / np.median(slider):.2f} times as long")
        box.setChecked(False)
        settled([dock])
    return float(np.median(slider) - np.median(floor))


def main() -> None:
    """Print what reaches the screen how quickly."""
    parser = parser_of(__doc__)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--events", type=int, default=200, help="slider events of the burst")
    parser.add_argument("--scale", type=float, default=4.0)
    parser.add_argument(
        "--told", metavar="MODEL", choices=told_names(), help="a model that can be told of the scan"
    )
    options = parser.parse_args()
    viewer, image = new_viewer(), smooth_volume(SLICES, IMAGE_SIZE)
    viewer.add_image(image, name="T1c")
    dock = whole_slices_dock(viewer)
    dock.scale.set_scale(options.scale)
    settle(1)
    drawn = Drawn(viewer)
    own = print_slider(viewer, dock, drawn, options.repeats)
    if options.told:
        dock.model.setCurrentIndex(dock.model.findData(options.told))
        settled([dock])
        times, encodings = measure_told(dock, drawn, options.repeats + 1)
        print(line("what is told changed, to drawn canvas", times[1:]))
        print(line("the network's encodings of that", encodings[1:]))
    for name, times in measure_encoding(image[0]).items():
        print(line(f"encoding a slice for the {name}", times))
    print(f"{'the plugin itself':<42} median {own * 1e3:7.1f} ms")
    total, renders, stall = measure_burst(dock, options.events)
    print(
        f"burst of {options.events} slider events: {total * 1e3:.0f} ms, {renders} renderings, "
        f"longest stall of the event loop {stall * 1e3:.0f} ms"
    )
    close_viewer(viewer)
    painted, code = measure_loupe(options.repeats)
    print(line("mouse move to painted loupe", painted))
    print(line("the loupe's own code of that", code))


if __name__ == "__main__":
    main()
