"""Whether the docks give back what they take, in a long session in a real window.

Run under Xvfb (``xvfb-run -a python benchmarks/soak.py``). Four phases, each in the same window:

- *slices*: a new slice is scrolled to; every second one is left while it is being encoded;
- *slider*: the scale slider is moved;
- *layers*: the layer that is magnified is removed while another one comes;
- *docks*: every dock is closed and opened again.

After every tenth of a phase the live objects of each class are counted (after a garbage
collection), and the resident memory is read. The table shows a phase's start, its warm-up (the
first half) and its end; memory is flat where it grows by less than 5 % after the warm-up.
"""

from __future__ import annotations

import gc
import math
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication
from superqt.utils import GeneratorWorker

from common.command_line import parser_of
from common.event_loop import run_until, settle
from common.memory import resident_mib
from common.windows import close_docks, new_viewer, smooth_volume
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.lesions.coordinator import LesionCoordinator
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.rating.widget import RatingWidget
from napari_metasr.widgets.upscaling.coordinator import UpscaleCoordinator
from napari_metasr.widgets.upscaling.widget import UpscaleWidget
from napari_metasr.widgets.zoom.coordinator import Coordinator
from napari_metasr.widgets.zoom.scale_control import STEPS
from napari_metasr.zoom.encoded import EncodedSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtpy.QtWidgets import QWidget

WINDOW_SIZE = (1100, 700)
DOCKS: tuple[type[QWidget], ...] = (MetaSRZoomWidget, LesionWidget, UpscaleWidget, RatingWidget)
COUNTED = {
    "encoded slices": (EncodedSlice,),
    "workers": (GeneratorWorker,),
    "coordinators": (Coordinator, LesionCoordinator, UpscaleCoordinator),
    "docks": DOCKS,
    "layers": (napari.layers.Layer,),
}
SAMPLES = 10
FLAT = 1.05
PATIENCE = 120.0
GLANCE = 0.2
"""Seconds that a slice is looked at which is left before it is encoded."""


def live() -> Counter[str]:
    """Live objects by class, and threads, once the garbage has been collected."""
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()
        gc.collect()
    counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    for one in gc.get_objects():
        for name, classes in COUNTED.items():
            if issubclass(type(one), classes):
                counts[name] += 1
    counts["threads"] = threading.active_count()
    return counts


class Soak:
    """A window with the zoom dock, and what happens in it."""

    def __init__(self, slices: int, size: int) -> None:
        self.data = smooth_volume(max(slices, 2), size)
        self.viewer = new_viewer(WINDOW_SIZE)
        self.viewer.add_image(self.data, name="T1c")
        self._zoom: MetaSRZoomWidget | None = None
        self.open_docks((MetaSRZoomWidget,))

    @property
    def zoom(self) -> MetaSRZoomWidget:
        """The zoom dock that is open."""
        if self._zoom is None:
            raise RuntimeError("expected an open zoom dock, found none")
        return self._zoom

    def settle(self) -> None:
        """Run the event loop until the zoom dock has nothing left to do."""
        QApplication.processEvents()
        if not run_until(lambda: not self.zoom.coordinator.is_waiting, PATIENCE):
            raise TimeoutError(f"the dock has been busy for {PATIENCE:.0f} s")

    def open_docks(self, kinds: tuple[type[QWidget], ...]) -> None:
        """Dock a widget of each kind."""
        for kind in kinds:
            dock = kind(self.viewer)
            self.viewer.window.add_dock_widget(dock, name=kind.__name__, tabify=True)
            if isinstance(dock, MetaSRZoomWidget):
                self._zoom = dock
        self.settle()

    def close_docks(self) -> None:
        """Take all docks out of the window."""
        self._zoom = None
        close_docks(self.viewer)

    def scroll(self, number: int) -> None:
        """Go to another slice; leave every second one while it is being encoded."""
        self.viewer.dims.set_current_step(0, number % len(self.data))
        if number % 2:
            settle(GLANCE)
        else:
            self.settle()

    def slide(self, number: int) -> None:
        """Move the scale slider."""
        self.zoom.scale.slider.setValue(round(STEPS * (0.25 + 0.2 * math.sin(number / 7))))
        QApplication.processEvents()

    def remove_layer(self, number: int) -> None:
        """Open the next volume and remove the one that is magnified."""
        before = self.viewer.layers[0]
        self.viewer.add_image(self.data + np.int16(number), name=f"T1c {number}")
        self.viewer.layers.remove(before)
        self.settle()

    def reopen(self, number: int) -> None:
        """Close all docks and open one of each kind."""
        self.close_docks()
        self.open_docks(DOCKS)


def soaked(act: Callable[[int], None], count: int) -> Iterator[tuple[int, float, Counter[str]]]:
    """Do something many times; yields (times done, MiB, live objects) a few times on the way."""
    yield 0, resident_mib(), live()
    done = 0
    for sample in range(1, SAMPLES + 1):
        until = round(count * sample / SAMPLES)
        if until == done:
            continue
        for number in range(done, until):
            act(number)
        done = until
        counts = live()
        yield done, resident_mib(), counts


def report(name: str, rows: list[tuple[int, float, Counter[str]]]) -> bool:
    """Print a phase; whether memory stayed flat after the warm-up."""
    start, warm, end = rows[0], rows[len(rows) // 2], rows[-1]
    print(f"\n{name}: {end[0]} times")
    print(f"{'':>16}" + "".join(f"{title:>12}" for title in ("start", "warmed up", "end")))
    for title in (*COUNTED, "threads"):
        print(f"{title:>16}" + "".join(f"{row[2][title]:>12}" for row in (start, warm, end)))
    print(f"{'memory (MiB)':>16}" + "".join(f"{row[1]:>12.0f}" for row in (start, warm, end)))
    growth = end[1] / warm[1]
    flat = growth < FLAT
    print(f"memory {'is flat' if flat else 'GROWS'}: {100 * (growth - 1):+.1f} % after warm-up")
    return flat


def main() -> None:
    """Soak and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--slices", type=int, default=160, help="slices scrolled")
    parser.add_argument("--events", type=int, default=10_000, help="slider events")
    parser.add_argument("--removals", type=int, default=200, help="layers removed")
    parser.add_argument("--openings", type=int, default=50, help="openings of every dock")
    parser.add_argument("--size", type=int, default=128, help="rows and columns of a slice")
    parser.add_argument("--cache", type=int, default=256, help="MiB that encoded slices may take")
    options = parser.parse_args()
    soak = Soak(options.slices, options.size)
    budget = options.cache << 20
    soak.zoom.coordinator.slices.session.byte_budget = budget
    phases = {
        "slices": (soak.scroll, options.slices),
        "slider": (soak.slide, options.events),
        "layers": (soak.remove_layer, options.removals),
        "docks": (soak.reopen, options.openings),
    }
    started = time.perf_counter()
    flat = [
        report(name, list(soaked(act, count))) for name, (act, count) in phases.items() if count
    ]
    soak.close_docks()
    soak.viewer.layers.clear()
    left = live()
    print("\nafter closing everything: " + ", ".join(f"{left[name]} {name}" for name in left))
    print(f"memory {resident_mib():.0f} MiB, {time.perf_counter() - started:.0f} s")
    print("flat within 5 %: " + ("yes" if all(flat) else "NO"))
    soak.viewer.close()


if __name__ == "__main__":
    main()
