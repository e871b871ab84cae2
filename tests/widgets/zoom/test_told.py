"""What the zoom dock tells a model that can be told, and what is shown meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model
from fakes.widgets import results, settle
from napari.components import ViewerModel

from napari_metasr.acquisition import acquisition_code
from napari_metasr.degradations import named_reduction
from napari_metasr.weights import model_card
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.settings import Compare
from napari_metasr.zoom.engine import load_model


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return {"told": told_model(tmp_path_factory.mktemp("models")), "plain": "meta-srgan"}


@pytest.fixture(scope="module")
def models(paths):
    return {name: load_model(path, device="cpu") for name, path in paths.items()}


@pytest.fixture
def volume():
    return np.stack([texture(seed, (40, 44)) for seed in range(3)]).astype(np.float32)


@pytest.fixture
def dock(qtbot, paths, models, volume):
    viewer = ViewerModel()
    viewer.add_image(volume, name="T1c", scale=(3, 1, 1))
    cards = {name: model_card(path) for name, path in paths.items()}
    dock = MetaSRZoomWidget(viewer, lambda name, *, device: models[name], cards)
    qtbot.addWidget(dock)
    dock.model.setCurrentIndex(dock.model.findData("told"))
    dock.comparison.setCurrentEnum(Compare.SINGLE)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.scale.set_scale(2)
    dock.acquisition.setCurrentText("bilinear")
    dock.noise.setValue(1.0)
    settle(qtbot, dock)
    yield dock
    dock.coordinator.close()


def shown(dock):
    return np.squeeze(results(dock)[1].data)


def expected(models, volume, name, noise):
    told = models["told"].told(acquisition_code((named_reduction(name),) * 2, noise))
    encoded = told.encode(
        volume[1],
        intensity_range=tuple(np.percentile(volume, (0.1, 99.9))),
        value_range=(float(volume.min()), float(volume.max())),
    )
    return told.render(encoded, 2)


def test_it_is_told_what_is_set_and_the_readout_says_so(qtbot, dock, models, volume):
    np.testing.assert_allclose(shown(dock), expected(models, volume, "bilinear", 0.01), atol=0.5)
    assert dock.readout.values["told"].text() == "bilinear; noise 1 %"
    dock.acquisition.setCurrentText("k-space")
    dock.noise.setValue(2.0)
    settle(qtbot, dock)
    np.testing.assert_allclose(shown(dock), expected(models, volume, "k-space", 0.02), atol=0.5)
    assert dock.readout.values["told"].text() == "k-space; noise 2 %"


def test_the_picture_stays_while_it_is_encoded_anew(qtbot, dock):
    before = shown(dock).copy()
    name = results(dock)[1].name
    dock.acquisition.setCurrentText("k-space-hamming")
    dock.coordinator._update()
    np.testing.assert_array_equal(shown(dock), before)
    assert results(dock)[1].name == name
    settle(qtbot, dock)
    assert np.abs(shown(dock) - before).max() > 0.1


def test_auto_says_what_was_found(qtbot, dock):
    dock.acquisition.setCurrentText("auto")
    dock.noise.setValue(dock.noise.minimum())
    settle(qtbot, dock)
    assert dock.settings.words.noise is None
    assert "estimated" in dock.readout.values["told"].text()


def test_a_model_without_a_code_says_why_nothing_can_be_set(qtbot, dock):
    assert dock.noise.isEnabled()
    dock.model.setCurrentIndex(dock.model.findData("plain"))
    settle(qtbot, dock)
    assert not dock.noise.isEnabled()
    assert dock.noise.toolTip() == "Meta-SRGAN cannot be told how a scan was acquired"
    assert dock.readout.values["told"].text() == "–"
