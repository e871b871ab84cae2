"""Marks over results in the zoom dock, and models that are offered for lesions only."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from fakes.acquisition import texture
from fakes.widgets import CARD, FakeDialogs, overlay_of, results, settle
from napari.components import ViewerModel

from napari_metasr.io import read_volume
from napari_metasr.networks.risk_head import RiskHead
from napari_metasr.trust.marks import COLOURS, drawn
from napari_metasr.trust.risk import DEFAULT_THRESHOLD, RiskModel
from napari_metasr.weights import load_network
from napari_metasr.weights.risk import risk_card
from napari_metasr.widgets.panels.model_choice import choices
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.coordinator import Coordinator
from napari_metasr.widgets.zoom.dock import ZoomDock
from napari_metasr.widgets.zoom.marks import NAME as MARKS
from napari_metasr.widgets.zoom.rendition import FileKind
from napari_metasr.widgets.zoom.settings import Compare, Export
from napari_metasr.zoom.loading import load_model

NAME = "meta-srgan"


@pytest.fixture(scope="module")
def model():
    return load_model(NAME, device="cpu")


@pytest.fixture(scope="module")
def risk_model():
    torch.manual_seed(3)
    head = RiskHead()
    with torch.no_grad():
        head.second.weight.normal_(0, 0.02)
    card = risk_card(NAME).model_copy(update={"calibration": None})
    return RiskModel(*load_network(NAME), head, card, device="cpu")


@pytest.fixture
def volume():
    return np.stack([texture(seed, (40, 44)) for seed in range(3)]).astype(np.float32)


@pytest.fixture
def viewer(qtbot, volume):
    viewer = ViewerModel()
    viewer.add_image(volume, name="T1c", scale=(3, 1, 1))
    return viewer


def made(qtbot, viewer, cards, model, risk_model=None):
    dock = ZoomDock(choices(cards))
    qtbot.addWidget(dock)
    dock.coordinator = Coordinator(
        viewer,
        dock,
        lambda name, *, device: model,
        cards,
        byte_budget=1 << 30,
        risk_factory=lambda name, *, device: risk_model,
    )
    dock.comparison.setCurrentEnum(Compare.SINGLE)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.scale.set_scale(2)
    settle(qtbot, dock)
    return dock


@pytest.fixture
def dock(qtbot, viewer, model, risk_model):
    dock = made(qtbot, viewer, {NAME: model.card}, model, risk_model)
    yield dock
    dock.coordinator.close()


def expected(dock, risk_model, volume):
    """The marks of what is shown, made here."""
    shown = dock.coordinator._shown
    source, view, plan = shown.source, shown.view, shown.plan
    encoded = risk_model.encode(volume[view.index[0]], source.intensity_range, source.value_range)
    pixels = plan.grid.pixel_range(plan.window)
    return risk_model.render_pixels(encoded, plan.grid, pixels) >= DEFAULT_THRESHOLD, pixels


def painted(marked, pixels):
    return np.round(255 * np.array(COLOURS)).astype(np.uint8)[drawn(marked, pixels[:2])]


def test_marks_follow_the_slice_and_the_scale_and_leave_with_the_tick(
    qtbot, dock, viewer, risk_model, volume
):
    enhanced = results(dock)[1]
    plain = enhanced.data.copy()
    assert overlay_of(enhanced, MARKS) is None
    dock.risk.setChecked(True)
    settle(qtbot, dock)
    np.testing.assert_array_equal(enhanced.data, plain)
    for act in (lambda: None, lambda: viewer.dims.set_current_step(0, 0), dock_scale(dock, 3.1)):
        act()
        settle(qtbot, dock)
        marked, pixels = expected(dock, risk_model, volume)
        assert 0 < marked.mean() < 1
        np.testing.assert_array_equal(overlay_of(enhanced, MARKS).picture, painted(marked, pixels))
        assert overlay_of(results(dock)[0], MARKS) is None
        assert f"{marked.mean():.1%} of the tissue in view is marked" in dock.notice.text()
        assert "Nothing is guaranteed" in dock.notice.text()
    dock.risk.setChecked(False)
    settle(qtbot, dock)
    assert overlay_of(enhanced, MARKS) is None
    assert "marked" not in dock.notice.text()


def test_a_saved_region_has_its_marks_in_a_second_file(qtbot, dock, tmp_path, risk_model, volume):
    dock.risk.setChecked(True)
    settle(qtbot, dock)
    dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "region")
    dock.save.click()
    settle(qtbot, dock)
    with pytest.warns(UserWarning, match="no orientation"):  # of a plain layer none is known
        marks = read_volume(tmp_path / "region-risk.nii.gz")
    marked, _ = expected(dock, risk_model, volume)
    np.testing.assert_array_equal(np.squeeze(marks.data), marked)
    record = json.loads((tmp_path / "region.json").read_text())
    assert record["Marks"]["Guaranteed"] is False
    assert record["Marks"]["MarkedShare"] == pytest.approx(marked.mean(), abs=1e-6)


def test_a_page_has_no_marks_and_asks_for_them_to_be_switched_off(qtbot, dock, tmp_path, notes):
    dock.risk.setChecked(True)
    settle(qtbot, dock)
    dock.coordinator.exports.dialogs = FakeDialogs(tmp_path / "page.html", FileKind.PAGE)
    dock.exports[Export.PAGE].trigger()
    settle(qtbot, dock)
    assert "page.html shows the network alone: switch “Risk” off first" in notes[-1]
    assert list(tmp_path.iterdir()) == []


def dock_scale(dock, scale):
    return lambda: dock.scale.set_scale(scale)


def test_a_model_without_an_error_head_offers_no_marks(qtbot, viewer, model):
    card = CARD.model_copy(update={"name": "fake"})
    dock = made(qtbot, viewer, {"fake": card}, model)
    assert not dock.risk.isEnabled()
    dock.coordinator.close()


def test_a_model_below_bicubic_is_shown_for_marked_regions_only_and_says_why(qtbot, viewer, model):
    poor = CARD.model_copy(update={"results": {"psnr_gain_over_bicubic": {"a": 0.5, "b": -1.5}}})
    dock = made(qtbot, viewer, {"fake": poor}, model)
    assert dock.model.itemText(0).endswith("lesions only")
    assert "bicubic" in results(dock)[1].name
    assert "0.5 dB below bicubic on whole slices" in dock.notice.text()
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.RECTANGLE))
    settle(qtbot, dock)
    assert "super-resolved" in results(dock)[1].name
    assert "below bicubic" not in dock.notice.text()
    assert "Nothing is guaranteed of the details that" in dock.notice.text()
    dock.coordinator.close()
