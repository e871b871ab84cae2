"""The dock *How far can I zoom?* in a viewer model."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.detector import box
from fakes.trust import Interpolator, Oracle, error_card, head
from fakes.widgets import FakeDialogs
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_metasr.figures.report.document import Table
from napari_metasr.geometry.windows import Window
from napari_metasr.io.layers import METADATA_KEY, layer_data
from napari_metasr.lesions import Lesion
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.volume import Plane
from napari_metasr.weights import model_card
from napari_metasr.widgets.proof import messages as words
from napari_metasr.widgets.proof.scope import ProofScope
from napari_metasr.widgets.proof.widget import ProofWidget
from napari_metasr.widgets.viewer.focus import lesion_focus
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.zoom.region_layer import RegionLayer

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer():
    """A viewer with a scan whose name is a patient's."""
    viewer = ViewerModel()
    data, keywords, _ = layer_data(head(size=64, count=3, name="Mustermann"))
    viewer.add_image(data, **keywords)
    viewer.dims.set_current_step(0, 1)
    return viewer


@pytest.fixture
def make(qtbot):
    docks = []

    def make(viewer, factory=lambda model, *, device: Interpolator(), risk_factory=None):
        cards = {"meta-srgan": model_card("meta-srgan")}
        dock = ProofWidget(viewer, factory, cards, risk_factory)
        dock.scope.setCurrentEnum(ProofScope.SLICE)
        qtbot.addWidget(dock)
        docks.append(dock)
        return dock

    yield make
    for dock in docks:
        dock.coordinator.close()


def settle(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.coordinator.worker.is_running, timeout=60_000)


def tried(qtbot, dock):
    qtbot.mouseClick(dock.start, LEFT)
    assert not dock.start.isEnabled()
    assert dock.cancel.isEnabled()
    settle(qtbot, dock)
    return dock


def test_a_slice_is_tried_and_the_verdict_is_shown(qtbot, make, viewer):
    dock = make(viewer)
    assert not dock.save.isEnabled()
    tried(qtbot, dock)
    assert "At ×2 a lesion 30% brighter than its surroundings" in dock.verdict.text()
    assert "1 slice" in dock.verdict.text()
    assert not dock.picture.isHidden()
    assert dock.status.text() == words.DONE.format(name=viewer.layers[0].name)
    assert dock.start.isEnabled()
    assert dock.save.isEnabled()
    assert not dock.cancel.isEnabled()


def test_the_marks_of_a_network_with_an_error_head_are_tried_as_well(qtbot, make, viewer):
    oracle = Oracle(viewer.layers[0].metadata[METADATA_KEY], error_card())
    dock = tried(qtbot, make(viewer, risk_factory=lambda model, *, device: oracle))
    assert "At ×2 the risk marks cover" in dock.verdict.text()


def regions_tried(dock):
    """Which slice and region the report is about."""
    (settings,) = (
        dict(block.rows)
        for block in dock.coordinator.report.document.blocks
        if isinstance(block, Table) and block.columns[0] == "Setting"
    )
    return settings["Plane and slices"], settings["Region"]


def test_the_chosen_lesion_is_tried_where_the_slider_is_or_in_its_middle(
    qtbot, make, viewer, notes
):
    dock = make(viewer)
    dock.scope.setCurrentEnum(ProofScope.LESION)
    qtbot.mouseClick(dock.start, LEFT)
    assert any("choose a lesion" in note for note in notes)
    lesion = Lesion(Plane.AXIAL, {0: box(20, 22, 20, 18, 0.9), 1: box(24, 20, 16, 20, 0.8)})
    lesion_focus(viewer).choose(viewer.layers[0], lesion)
    tried(qtbot, dock)
    assert regions_tried(dock) == ("axial: 1", "rows 24 to 40, columns 20 to 40")
    viewer.dims.set_current_step(0, 2)  # beyond the lesion
    tried(qtbot, dock)
    middle = lesion.detections[lesion.middle].region
    assert regions_tried(dock) == (
        f"axial: {lesion.middle}",
        f"rows {middle.top:g} to {middle.bottom:g}, columns {middle.left:g} to {middle.right:g}",
    )


def test_the_rectangle_that_was_drawn_to_zoom_is_tried(qtbot, make, viewer, notes):
    dock = make(viewer)
    dock.scope.setCurrentEnum(ProofScope.REGION)
    qtbot.mouseClick(dock.start, LEFT)
    assert any("draw a rectangle" in note for note in notes)
    source = layer_source(viewer.layers[0])
    region = RegionLayer(viewer, lambda: None, lambda: None)
    region.set_window(source, source.view(viewer.dims), Window(18, 20, 40, 46))
    tried(qtbot, dock)
    assert regions_tried(dock) == ("axial: 1", "rows 18 to 40, columns 20 to 46")
    region.set_window(source, source.view(viewer.dims), Window(18, 20, 20.5, 46))
    dock.contrast.setValue(10)
    assert regions_tried(tried(qtbot, dock))[1] == "rows 18 to 20.5, columns 20 to 46"
    region.forget(source.token)
    qtbot.mouseClick(dock.start, LEFT)
    assert notes[-1].count("draw a rectangle") == 1


def test_the_contrast_that_is_set_is_that_of_the_lesions(qtbot, make, viewer):
    dock = make(viewer)
    dock.contrast.setValue(-40)
    tried(qtbot, dock)
    assert "40% darker" in dock.verdict.text()


def test_the_report_is_saved_as_a_page_and_as_a_pdf_under_a_name_that_tells_nothing(
    qtbot, make, viewer, tmp_path, notes
):
    dock = tried(qtbot, make(viewer))
    for name, kind in (("r.html", "Page"), ("r.pdf", "PDF")):
        dialogs = dock.coordinator.dialogs = FakeDialogs(tmp_path / name, kind)
        qtbot.mouseClick(dock.save, LEFT)
        settle(qtbot, dock)
        content = (tmp_path / name).read_bytes()
        assert len(content) > 20_000
        assert b"Mustermann" not in content
        assert dialogs.suggestions == ["zoom-report.html"]
    assert RESEARCH_USE_SENTENCE in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert any("Saved" in note for note in notes)


def test_a_report_that_exists_is_replaced_only_if_the_user_says_so(qtbot, make, viewer, tmp_path):
    dock = tried(qtbot, make(viewer))
    path = tmp_path / "r.html"
    path.write_text("mine")
    dock.coordinator.dialogs = FakeDialogs(path, yes=False)
    qtbot.mouseClick(dock.save, LEFT)
    settle(qtbot, dock)
    assert path.read_text() == "mine"
    dock.coordinator.dialogs = FakeDialogs(path, yes=True)
    qtbot.mouseClick(dock.save, LEFT)
    settle(qtbot, dock)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_report_is_opened_and_goes_with_the_dock(qtbot, make, viewer):
    dock = tried(qtbot, make(viewer))
    shown = []
    dock.coordinator.show_page = shown.append
    qtbot.mouseClick(dock.open, LEFT)
    settle(qtbot, dock)
    assert shown[0].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    dock.coordinator.close()
    assert not shown[0].exists()


def test_it_is_stopped_in_the_middle_and_keeps_nothing(qtbot, make, viewer):
    dock = make(viewer)
    dock.scope.setCurrentEnum(ProofScope.VOLUME)
    qtbot.mouseClick(dock.start, LEFT)
    qtbot.waitUntil(lambda: dock.progress.value() > 0, timeout=60_000)
    qtbot.mouseClick(dock.cancel, LEFT)
    settle(qtbot, dock)
    assert dock.status.text() == words.CANCELLED
    assert not dock.save.isEnabled()
    assert dock.verdict.text() == ""


def test_what_cannot_be_tried_is_told_as_a_notification(qtbot, make, notes):
    viewer = ViewerModel()
    dock = make(viewer)
    assert not dock.start.isEnabled()
    assert dock.status.text() == words.NO_IMAGE
    viewer.add_image(np.zeros((3, 64, 64), np.float32))
    tried(qtbot, dock)
    assert any("is empty" in note for note in notes)
    assert dock.status.text() == words.FAILED
    dock.contrast.setValue(0)
    qtbot.mouseClick(dock.start, LEFT)
    assert "contrast: expected a contrast other than 0, found 0" in notes[-1]
    assert "\n" not in notes[-1]


def test_a_verdict_says_of_which_image_it_is_whatever_is_chosen_next(qtbot, make, viewer):
    dock = tried(qtbot, make(viewer))
    data, keywords, _ = layer_data(head(size=64, count=3, name="another"))
    viewer.add_image(data, **keywords)
    dock.source.setCurrentIndex(1)
    assert dock.source.currentText() == "another"
    assert "“Mustermann”" in dock.status.text()
    del viewer.layers["Mustermann"]
    assert "“Mustermann”" in dock.status.text()
    dock.scope.setCurrentEnum(ProofScope.SLICE)
    tried(qtbot, dock)
    assert "“another”" in dock.status.text()


def test_a_network_that_cannot_be_loaded_is_told(qtbot, make, viewer, notes):
    def broken(model, *, device):
        raise ValueError(f"{model}: damaged")

    dock = tried(qtbot, make(viewer, broken))
    assert any("meta-srgan: damaged" in note for note in notes)
    assert dock.start.isEnabled()


def test_3d_has_no_current_slice_but_the_whole_scan_can_be_tried(qtbot, make, viewer, notes):
    dock = make(viewer)
    viewer.dims.ndisplay = 3
    qtbot.mouseClick(dock.start, LEFT)
    assert any(words.IN_3D in note for note in notes)
    assert not dock.coordinator.worker.is_running


def test_closing_stops_the_work_and_tells_nothing_more(qtbot, make, viewer):
    dock = make(viewer)
    qtbot.mouseClick(dock.start, LEFT)
    dock.coordinator.close()
    dock.coordinator.close()
    assert not dock.coordinator.worker.is_running
