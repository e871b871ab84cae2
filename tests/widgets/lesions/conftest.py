"""The detection dock over a volume, with a detector that finds what it is told."""

from __future__ import annotations

import pytest
from fakes.detector import DETECTOR_CARDS, FakeDetector, box

from napari_metasr.widgets.lesions import detection as lesion_worker
from napari_metasr.widgets.lesions.widget import LesionWidget


@pytest.fixture
def _no_head_is_needed(monkeypatch):
    """For images of noise that are looked through: they are nothing like a head."""
    monkeypatch.setattr(lesion_worker, "concerns", lambda *_, **__: ("A doubt.", "Another one."))


@pytest.fixture
def detector():
    detector = FakeDetector()
    detector.everywhere = (box(4, 6, 8, 10, 0.93), box(14, 2, 4, 6, 0.61))
    detector.slices = {k: (box(4, 6, 8 + k, 10, 0.9),) for k in range(1, 5)}
    return detector


@pytest.fixture
def make_lesion_dock(qtbot, detector):
    docks = []

    def make(viewer, **options):
        options = {"cards": DETECTOR_CARDS, "open_zoom": lambda: None} | options
        dock = LesionWidget(viewer, detector.factory, **options)
        qtbot.addWidget(dock)
        docks.append(dock)
        return dock

    yield make
    detector.gate.set()
    for dock in docks:
        dock.coordinator.close()


@pytest.fixture
def lesion_dock(make_lesion_dock, viewer):
    viewer.dims.set_current_step(0, 2)
    return make_lesion_dock(viewer)
