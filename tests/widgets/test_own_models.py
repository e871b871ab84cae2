"""The user's own models in the docks, beside those of the package."""

from __future__ import annotations

import pytest
from fakes.models import install
from fakes.widgets import FakeEngine
from napari.components import ViewerModel

from napari_metasr.lesions import DEFAULT_DETECTOR
from napari_metasr.networks import build
from napari_metasr.weights import install_model, model_card
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.upscaling.widget import UpscaleWidget


def entries(combo):
    return {combo.itemData(row): combo.itemText(row) for row in range(combo.count())}


@pytest.fixture
def opened(qtbot):
    docks = []

    def open_dock(make):
        dock = make()
        qtbot.addWidget(dock)
        docks.append(dock)
        return dock

    yield open_dock
    for dock in docks:
        dock.coordinator.close()


def test_the_zoom_dock_offers_and_uses_them(qtbot, opened, rng):
    install("my-scanner")
    viewer = ViewerModel()
    viewer.add_image(rng.normal(100, 20, (3, 20, 30)), name="t1c")
    engine = FakeEngine()
    dock = opened(lambda: MetaSRZoomWidget(viewer, engine.factory))
    found = entries(dock.model)
    assert found["my-scanner"] == "Title of my-scanner (yours) · any scale"
    assert found["meta-srgan"] == "Meta-SRGAN · any scale"
    dock.model.setCurrentIndex(dock.model.findData("my-scanner"))
    qtbot.waitUntil(lambda: not dock.coordinator.is_waiting, timeout=20_000)
    assert dock.settings.model == "my-scanner"


def test_the_dock_for_volumes_offers_them_by_what_they_upscale(opened):
    install("my-slices")
    install("my-gaps", axes="one")
    dock = opened(lambda: UpscaleWidget(ViewerModel()))
    assert "my-gaps" not in entries(dock.model)
    assert entries(dock.model)["my-slices"] == "Title of my-slices (yours) · any scale"
    assert entries(dock.through_plane_model)["my-gaps"] == "Title of my-gaps (yours)"


def test_the_dock_for_lesions_offers_them(opened):
    card = model_card(DEFAULT_DETECTOR)
    about = card.model_dump(exclude={"parameters", "sha256"}) | {"name": "my-finder"}
    install_model(build(card.network, **card.options), **about)
    dock = opened(lambda: LesionWidget(ViewerModel()))
    assert entries(dock.detector)["my-finder"] == f"{card.title} (yours)"
