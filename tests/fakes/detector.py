"""What tests of the detection dock share: a detector that finds what it is told."""

from __future__ import annotations

import threading

from fakes.widgets import CARD
from napari_metasr.geometry.windows import Window
from napari_metasr.lesions import Detection
from napari_metasr.weights import OperatingPoint

POINT = OperatingPoint(threshold=0.5, level=0.5, margin=0.0)
DETECTOR_CARDS = {
    name: CARD.model_copy(
        update={"name": name, "title": title, "network": network, "detection": POINT}
    )
    for name, title, network in (
        ("ld", "LD", "lesion-detector"),
        ("ld-plus", "LD+", "lesion-segmenter"),
    )
}


def box(top, left, height, width, score):
    return Detection(Window.at(top, left, height, width), score)


class FakeDetector:
    """Finds the same rectangles in every image it is asked about; waits at the gate."""

    point = POINT
    name = "ld-plus"
    title = "LD+"
    sha256 = "0" * 64

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.error = None
        self.slices = {}
        self.everywhere = ()
        self.loads = []

    def factory(self, model, *, device):
        self.loads.append((model, device))
        return self

    def detect(self, image, intensity_range=None, *, spacing=(1.0, 1.0), point=None):
        self._wait()
        return self.everywhere

    def detect_slices(self, volume, plane, time=0, *, point=None):
        for index in range(volume.slice_count(plane)):
            self._wait()
            yield index, self.slices.get(index, ())

    def _wait(self):
        self.gate.wait(20)
        if self.error is not None:
            raise self.error
