"""What tests of the window share: a network that works at once and says what it was asked."""

from __future__ import annotations

import sys
import threading

import numpy as np

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.weights import ModelCard
from napari_metasr.widgets.panels.dialogs import with_ending
from napari_metasr.zoom.baselines import interpolate_pixels

CARD = ModelCard(
    name="fake",
    title="Fake-SR",
    network="none",
    parameters=0,
    sha256="0" * 64,
    trained_scales=(1.1, 4.0),
    trained_contrasts=("T1c",),
    degradations=(),
    intensity="as it is",
    updates=0,
    loss="none",
    schedule="none",
    data=(),
    licence="CC0-1.0",
    intended_use="tests",
    limitations="all",
    citation="none",
)
SHIFT = 10.0
SECONDS_PER_PIXEL = 1e-5
PATIENCE_MS = 120_000
"""After this a test takes what it waits for to hang.

The first dock of a process imports and compiles, for which a busy machine takes half a minute.
"""
SHAPE = (6, 24, 32)
"""Of the volume in the fixture `viewer`."""


def begin_session(monkeypatch, config=None):
    """Have preferences read and written beside a settings file of napari, none yet being known.

    What has not been imported has nothing to forget.
    """
    names = {
        "napari.settings": ("_PLUGIN_SETTINGS", "_CFG_PATH"),
        "napari_metasr.widgets.viewer.plugin_settings": ("_KEPT", "_CFG_PATH"),
    }
    for module, (kept, path) in names.items():
        if hasattr(sys.modules.get(module), kept):
            monkeypatch.setattr(sys.modules[module], kept, {})
            if config is not None:
                monkeypatch.setattr(sys.modules[module], path, str(config))


def resize_canvas(viewer, size):
    """Give a viewer without a window a canvas of another size, (height, width)."""
    from napari_metasr.widgets.viewer.napari_versions import HAS_CANVAS, canvas_resized

    if HAS_CANVAS:
        viewer.canvas.size = size
    else:
        viewer._canvas_size = size
        canvas_resized(viewer)()


def settle(qtbot, *docks):
    """Wait until the docks have nothing left to do."""
    qtbot.waitUntil(lambda: not any(d.coordinator.is_waiting for d in docks), timeout=PATIENCE_MS)


def results(dock):
    """The bicubic and the super-resolved layer of the source."""
    return dock.coordinator.presenter.stage.pairs[0].layers


def overlay_of(layer, name):
    """What is drawn over a layer under that name, if it is seen."""
    from napari_metasr.widgets.viewer.napari_versions import layer_overlays

    overlay = layer_overlays(layer).get(name)
    return overlay if overlay is not None and overlay.visible else None


class FakeEncoded:
    """Ready where it has been prepared."""

    def __init__(self, engine, image, value_range):
        self.engine, self.image, self.value_range = engine, image, value_range
        self.source = image
        self.shape = image.shape
        self.nbytes = 1000
        self.encode_seconds = 0.0
        self.encoded_pixels = 0
        self.needed_pixels = image.size
        self._ready = []

    def is_ready(self, window):
        return any(
            w[0] <= window[0] and w[1] <= window[1] and w[2] >= window[2] and w[3] >= window[3]
            for w in self._ready
        )

    def prepare(self, window):
        self.engine.gate.wait(20)
        if self.engine.error is not None:
            raise self.engine.error
        top, left, bottom, right = window
        self.encoded_pixels += round((bottom - top) * (right - left))
        self.encode_seconds += SECONDS_PER_PIXEL * (bottom - top) * (right - left)
        self._ready.append((-1e9, -1e9, 1e9, 1e9))


class FakeEngine:
    """Nearest neighbour plus a constant: known, and unlike bicubic."""

    device = "cpu"
    card = CARD
    assumed = ""
    fixed_scales = ()
    upscaler = None

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        self.encoded = []
        self.rendered = []
        self.loads = []
        self.codes = []

    def told(self, code, title=""):
        self.codes.append(code)
        return self

    def factory(self, model, *, device):
        self.loads.append((model, device))
        return self

    def encode(self, image, intensity_range=None, value_range=None):
        encoded = FakeEncoded(self, np.array(image), value_range)
        self.encoded.append(encoded)
        return encoded

    def render(self, encoded, scale, window=None):
        grid = OutputGrid.at_scale(encoded.image.shape, scale)
        return self.render_pixels(encoded, grid, grid.pixel_range(window))

    def render_pixels(self, encoded, grid, pixels):
        self.rendered.append((grid.true_scale, window_of(grid, pixels)))
        out = interpolate_pixels(encoded.image, grid, pixels, "nearest")
        return out + np.float32(SHIFT)


def window_of(grid, pixels):
    """The edges, in low-resolution pixels, of a range of output pixels."""
    i0, j0, i1, j1 = pixels
    rows, columns = float(grid.rows.step), float(grid.columns.step)
    return i0 * rows, j0 * columns, i1 * rows, j1 * columns


class FakeDialogs:
    """Answers at once, and remembers what it was asked."""

    def __init__(self, path=None, kind=None, *, yes=True, size=None):
        self.answer, self.kind, self.yes = path, kind, yes
        self.suggestions = []
        self.size, self.sizes = size, []
        self.asked = []

    def path(self, parent, title, suggestion, kinds):
        self.suggestions.append(suggestion)
        if self.answer is None:
            return None
        kind = self.kind or next(iter(kinds))
        return with_ending(self.answer, kinds[kind]), kind

    def print_size(self, parent, size, *, has_dpi, has_width):
        self.sizes.append((size, has_dpi, has_width))
        return self.size or size

    def may_replace(self, parent, existing):
        self.asked.append(existing)
        return self.yes

    def confirm(self, parent, title, text):
        self.asked.append(text)
        return self.yes
