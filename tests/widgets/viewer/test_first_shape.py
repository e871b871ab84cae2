"""What napari compiles and imports for its first shape never falls to the window's thread."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_metasr.widgets.lesions import detection
from napari_metasr.widgets.lesions.detection import Scope, SearchResult, take_labels
from napari_metasr.widgets.viewer import first_shape

SHOWN = """
import sys
import threading
import numpy as np
from napari.layers import Image
from numba.core.dispatcher import Dispatcher
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Lesion
from napari_metasr.lesions.detection import Detection
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions.layer import LesionLayer
from napari_metasr.widgets.viewer.first_shape import await_shapes
from napari_metasr.widgets.viewer.layer_source import layer_source

threads = []
compiled = Dispatcher.compile

def watched(self, signature):
    threads.append(threading.current_thread() is threading.main_thread())
    return compiled(self, signature)

Dispatcher.compile = watched
if "ready" in sys.argv:
    await_shapes()
source = layer_source(Image(np.zeros((4, 32, 32))))
found = Lesion(Plane.AXIAL, {1: Detection(Window.at(4, 4, 8, 8), 0.9)})
drawn = np.array([[1, 0, 0], [1, 0, 5], [1, 5, 5], [1, 5, 0]], dtype=float)
for lesions in ([found], []):
    LesionLayer(source, lesions, (), print).layer.add_rectangles([drawn])
print(sum(threads), len(threads) - sum(threads))
"""


@pytest.mark.parametrize("ready", [True, False])
def test_lesions_are_shown_without_compiling_once_shapes_are_ready(ready):
    command = [sys.executable, "-c", SHOWN, *(["ready"] if ready else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    in_the_window, elsewhere = map(int, done.stdout.split()[-2:])
    if ready:
        assert in_the_window == 0
        assert elsewhere > 0
    else:
        assert in_the_window > 0, "napari compiles nothing for shapes: nothing needs to be prepared"


def test_shapes_are_made_ready_once(monkeypatch):
    made = []
    monkeypatch.setattr(first_shape, "_make_shapes", lambda: made.append(1))
    first_shape._preparation.cache_clear()
    try:
        for _ in range(3):
            first_shape.prepare_shapes()
            first_shape.await_shapes()
    finally:
        first_shape._preparation.cache_clear()
    assert made == [1]


def test_regions_are_told_when_shapes_are_ready(monkeypatch):
    waited = []
    monkeypatch.setattr(detection, "await_shapes", lambda: waited.append(1))
    monkeypatch.setattr(detection, "lesions_in", lambda *_: ())
    scope = Scope(None, None, None, ())
    for step in take_labels(scope, None, "labels"):
        assert bool(waited) == isinstance(step, SearchResult)
