"""What a model is told of a scan, chosen in the dock: at the cost of one encoding."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model
from fakes.widgets import CARD, FakeDialogs, begin_session, results, settle
from napari.components import ViewerModel
from scipy.ndimage import gaussian_filter

from napari_metasr.trust.assumption import NOTHING, assume
from napari_metasr.trust.correction import Correction
from napari_metasr.trust.told import Words, tell
from napari_metasr.volume import Plane
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.panels.assumed import NOT_TOLD
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.settings import Compare
from napari_metasr.zoom.loading import load_model


@pytest.fixture
def model(tmp_path):
    return load_model(told_model(tmp_path), device="cpu")


@pytest.fixture
def viewer(qtbot):
    viewer = ViewerModel()
    data = np.stack([texture(seed, (40, 44)) for seed in range(8)]).astype(np.float32)
    blurred = gaussian_filter(data, (0, 0.8, 0.8))  # clearly, so that the estimate is told
    viewer.add_image(blurred, name="T1c", scale=(3, 1, 1))
    return viewer


@pytest.fixture
def opened(qtbot, viewer, model):
    docks = []

    def make(**cards):
        for dock in docks:
            dock.coordinator.close()
        cards = cards or {model.name: model.card}
        dock = MetaSRZoomWidget(viewer, lambda name, *, device: model, cards)
        qtbot.addWidget(dock)
        docks.append(dock)
        dock.comparison.setCurrentEnum(Compare.SINGLE)
        dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
        dock.scale.set_scale(2)
        settle(qtbot, dock)
        return dock

    yield make
    for dock in docks:
        dock.coordinator.close()


def shown(dock):
    return np.squeeze(results(dock)[1].data)


def expected(dock, model, words, consistent=None):
    """The slice that is shown, made here by a model that is told the words."""
    now = dock.coordinator._shown
    source, view, grid = now.source, now.view, now.plan.grid
    volume = layer_volume(source)
    told = model.told(tell(Words.parse(words), volume, Plane.AXIAL).code)
    encoded = told.encode(source.read(view), source.intensity_range, source.value_range)
    extra = ()
    if consistent is not None:
        assumption = assume(consistent, volume, Plane.AXIAL)
        extra = (Correction(told, encoded, grid, assumption),)
    return told.render_pixels(encoded, grid, grid.pixel_range(now.plan.window), *extra)


def said(dock):
    return dock.assumed.told


def test_it_is_told_the_estimate_at_first_and_then_what_is_chosen(qtbot, opened, model):
    dock = opened()
    estimate = expected(dock, model, "auto")
    np.testing.assert_array_equal(shown(dock), estimate)
    assert "estimated; noise" in said(dock)
    for words, text in (
        (Words("box", 0.02), "box; noise 2%"),
        (Words("bilinear", 0.02), "bilinear; noise 2%"),
        (Words(NOTHING), "nothing"),
    ):
        dock.assumed.set_words(words)
        settle(qtbot, dock)
        np.testing.assert_array_equal(shown(dock), expected(dock, model, str(words)))
        assert np.abs(shown(dock) - estimate).max() > 1
        assert said(dock) == text


def test_what_was_found_stands_beside_auto_whatever_is_chosen(qtbot, opened, viewer):
    dock = opened()
    found = tell(Words(), layer_volume(layer_source(viewer.layers[0])), Plane.AXIAL)
    combo, noise = dock.assumed.acquisition, dock.assumed.noise
    assert combo.currentText() == f"{found.acquisition.removesuffix(', estimated')}?"
    assert noise.text() == f"{100 * found.noise:.1f}%?"
    assert f"The model was told: {found.title}" in combo.toolTip()
    noise.stepUp()
    assert noise.share == pytest.approx(found.noise + 0.001, abs=0.0006)
    dock.assumed.set_words(Words("box"))
    settle(qtbot, dock)
    assert combo.itemText(0).endswith("?")


def test_a_change_costs_one_encoding_and_the_old_picture_stays_until_then(qtbot, opened):
    dock = opened()
    before = shown(dock).copy()
    name = results(dock)[1].name
    seen, encodings = [], []
    data = results(dock)[1].events.data
    data.connect(lambda: seen.append(shown(dock).copy()))
    slices = dock.coordinator.slices
    start = slices._task.start
    slices._task.start = lambda *args: (encodings.append(args[1]), start(*args))
    dock.assumed.set_words(Words("box", 0.02))
    settle(qtbot, dock)
    after = shown(dock)
    assert np.abs(after - before).max() > 1
    for image in seen:
        assert np.array_equal(image, before) or np.array_equal(image, after)
    assert results(dock)[1].name == name
    assert [len(jobs) for jobs in encodings] == [1]
    dock.assumed.set_words(Words())
    settle(qtbot, dock)
    np.testing.assert_array_equal(shown(dock), before)
    assert len(encodings) == 1


def test_one_control_serves_what_is_told_and_what_results_are_consistent_with(qtbot, opened, model):
    dock = opened()
    dock.consistent.setChecked(True)
    dock.assumed.set_words(Words("bilinear", 0.01))
    settle(qtbot, dock)
    made = expected(dock, model, "bilinear,1%", consistent="bilinear")
    np.testing.assert_allclose(shown(dock), made, atol=0.01)
    dock.comparison.setCurrentEnum(Compare.INFERRED)
    settle(qtbot, dock)
    assert dock.coordinator.presenter.stage.pairs[0].inferred is not None


@pytest.mark.parametrize("mode", [Compare.SIDE_BY_SIDE, Compare.SWIPE, Compare.DIFFERENCE])
def test_every_comparison_shows_it(qtbot, opened, mode):
    dock = opened()
    dock.comparison.setCurrentEnum(mode)
    settle(qtbot, dock)
    before = shown(dock).copy()
    dock.assumed.set_words(Words("box", 0.0))
    settle(qtbot, dock)
    assert shown(dock).shape == before.shape
    assert np.abs(shown(dock) - before).max() > 1


def test_a_model_that_cannot_be_told_is_not_asked_for_noise_and_says_why(qtbot, opened, model):
    dock = opened(fake=CARD, tiny=model.card)
    assert not dock.assumed.noise.isEnabled()
    assert dock.assumed.noise.toolTip() == NOT_TOLD
    assert not said(dock)
    dock.model.setCurrentIndex(dock.model.findData("tiny"))
    settle(qtbot, dock)
    assert dock.assumed.noise.isEnabled()
    assert dock.assumed.noise.toolTip() != NOT_TOLD


def test_what_is_slow_to_read_is_told_what_is_stated_and_nothing_else(qtbot, opened, viewer):
    import dask.array as da

    lazy = da.from_array(np.asarray(viewer.layers[0].data), chunks=(1, -1, -1))
    viewer.layers.clear()
    viewer.add_image(lazy, name="lazy", scale=(3, 1, 1), contrast_limits=(0, 255))
    dock = opened()
    assert said(dock) == "nothing"
    dock.assumed.set_words(Words("box", 0.02))
    settle(qtbot, dock)
    assert said(dock) == "box; noise 2%"


def test_figures_regions_and_kept_layers_say_what_it_was_told(qtbot, opened, viewer, tmp_path):
    dock = opened()
    dock.assumed.set_words(Words("box", 0.02))
    settle(qtbot, dock)
    dock.keep.click()
    settle(qtbot, dock)
    assert viewer.layers[-1].metadata["told"] == "box; noise 2%"
    dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "region")
    dock.save.click()
    settle(qtbot, dock)
    record = json.loads((tmp_path / "region.json").read_text())
    assert record["Told"] == "box; noise 2%"
    assert "told: box; noise 2%" in record["Description"]


def test_it_is_remembered_and_set_back(qtbot, opened, monkeypatch, tmp_path):
    begin_session(monkeypatch, tmp_path / "settings.yaml")
    dock = opened()
    dock.assumed.set_words(Words("box", 0.015))
    settle(qtbot, dock)
    begin_session(monkeypatch, tmp_path / "settings.yaml")
    again = opened()
    assert again.settings.assumed == Words("box", 0.015)
    again.display.reset.click()
    settle(qtbot, again)
    assert again.settings.assumed == Words()
