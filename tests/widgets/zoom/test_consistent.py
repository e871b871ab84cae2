"""Results made consistent with the scan in the zoom dock, and what of them is inferred."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.widgets import CARD, FakeDialogs, results, settle
from napari.components import ViewerModel

from napari_metasr.degradations import named_reduction
from napari_metasr.trust.assumption import ACQUISITIONS, NOTHING, Assumption
from napari_metasr.trust.correction import Correction
from napari_metasr.trust.told import CHOICES, Words
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.result_layers import is_result
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.settings import Compare
from napari_metasr.zoom.loading import load_model


@pytest.fixture(scope="module")
def model():
    return load_model("meta-srgan", device="cpu")


@pytest.fixture
def volume():
    return np.stack([texture(seed, (40, 44)) for seed in range(3)]).astype(np.float32)


@pytest.fixture
def viewer(qtbot, volume):
    viewer = ViewerModel()
    viewer.add_image(volume, name="T1c", scale=(3, 1, 1))
    return viewer


@pytest.fixture
def dock(qtbot, viewer, model):
    dock = MetaSRZoomWidget(viewer, lambda name, *, device: model, {"fake": CARD})
    qtbot.addWidget(dock)
    dock.assumed.acquisition.setCurrentText("bilinear")
    dock.comparison.setCurrentEnum(Compare.SINGLE)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.scale.set_scale(2)
    settle(qtbot, dock)
    yield dock
    dock.coordinator.close()


def shown(dock):
    """The super-resolved layer's image, its grid's first row and column."""
    layer = results(dock)[1]
    return np.squeeze(layer.data)


def correction(dock, model, volume):
    """Made here, of the slice that is shown."""
    shown = dock.coordinator._shown
    source, view, plan = shown.source, shown.view, shown.plan
    encoded = model.encode(
        volume[view.index[0]],
        intensity_range=source.intensity_range,
        value_range=source.value_range,
    )
    reduction = named_reduction("bilinear")
    made = Correction(model, encoded, plan.grid, Assumption((reduction,) * 2, "bilinear"))
    return encoded, plan, made


def test_ticked_it_shows_the_consistent_slice_and_unticked_the_plain_one(
    qtbot, dock, model, volume
):
    plain = shown(dock).copy()
    assert dock.readout.values["residual"].text() == "–"
    dock.consistent.setChecked(True)
    settle(qtbot, dock)
    encoded, plan, made = correction(dock, model, volume)
    pixels = plan.grid.pixel_range(plan.window)
    expected = model.render_pixels(encoded, plan.grid, pixels, made)
    np.testing.assert_allclose(shown(dock), expected, atol=0.01)
    assert np.abs(expected - plain).max() > 1
    assert "consistent" in results(dock)[1].name
    assert dock.readout.values["residual"].text()[0].isdigit()
    dock.consistent.setChecked(False)
    settle(qtbot, dock)
    np.testing.assert_array_equal(shown(dock), plain)
    assert "consistent" not in results(dock)[1].name


def test_another_slice_and_another_scale_have_corrections_of_their_own(
    qtbot, dock, model, volume, viewer
):
    dock.consistent.setChecked(True)
    settle(qtbot, dock)
    for act in (lambda: viewer.dims.set_current_step(0, 0), lambda: dock.scale.set_scale(3)):
        act()
        settle(qtbot, dock)
        encoded, plan, made = correction(dock, model, volume)
        pixels = plan.grid.pixel_range(plan.window)
        expected = model.render_pixels(encoded, plan.grid, pixels, made)
        np.testing.assert_allclose(shown(dock), expected, atol=0.01)


def test_the_inferred_part_is_shown_in_units_of_noise_with_its_limit(
    qtbot, dock, viewer, model, volume
):
    dock.comparison.setCurrentEnum(Compare.INFERRED)
    settle(qtbot, dock)
    _, plan, made = correction(dock, model, volume)
    layer = next(layer for layer in viewer.layers if is_result(layer) and "inferred" in layer.name)
    noise = dock.coordinator.presenter.stage.pairs[0].inferred.unit
    assert noise > 0
    assert "noise sigmas" in layer.name
    expected = made.inferred(plan.grid.pixel_range(plan.window)) / noise
    np.testing.assert_allclose(np.squeeze(layer.data), expected, atol=0.02)
    assert layer.contrast_limits[1] == -layer.contrast_limits[0] > 0
    assert layer.colorbar.visible
    assert dock.readout.values["residual"].text().endswith(" σ")
    dock.comparison.setCurrentEnum(Compare.SINGLE)
    settle(qtbot, dock)
    assert layer not in viewer.layers


def test_a_scan_that_tells_nothing_says_so_and_is_shown_plain(qtbot, model):
    viewer = ViewerModel()
    flat = np.zeros((3, 24, 24), np.float32)
    flat[:, 4:, :] = 100
    viewer.add_image(flat, name="flat")
    dock = MetaSRZoomWidget(viewer, lambda name, *, device: model, {"fake": CARD})
    qtbot.addWidget(dock)
    dock.consistent.setChecked(True)
    settle(qtbot, dock)
    assert "does not show how it was acquired" in dock.notice.text()
    assert "consistent" not in results(dock)[1].name
    dock.assumed.acquisition.setCurrentText("box")
    settle(qtbot, dock)
    assert "does not show" not in dock.notice.text()
    assert "consistent" in results(dock)[1].name
    dock.coordinator.close()


def test_a_saved_region_is_consistent_and_its_sidecar_says_with_what(
    qtbot, dock, tmp_path, model, volume
):
    dock.consistent.setChecked(True)
    settle(qtbot, dock)
    dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "region")
    dock.save.click()
    settle(qtbot, dock)
    record = json.loads((tmp_path / "region.json").read_text())
    assert record["ConsistentWith"]["Acquisition"] == "bilinear"
    assert "consistent with the scan under bilinear" in record["Description"]


def test_everything_that_can_be_assumed_can_be_chosen(dock):
    combo = dock.assumed.acquisition
    names = [combo.itemData(row) for row in range(combo.count())]
    assert [name for name in names if name] == list(CHOICES)
    assert set(ACQUISITIONS) < set(CHOICES)


def test_where_nothing_is_to_be_assumed_nothing_is_made_consistent(qtbot, dock):
    plain = shown(dock).copy()
    dock.consistent.setChecked(True)
    dock.assumed.set_words(Words(NOTHING))
    settle(qtbot, dock)
    assert "nothing is assumed of how the scan was acquired" in dock.notice.text()
    np.testing.assert_array_equal(shown(dock), plain)
