"""The dock *How far can I zoom this scan?* in a viewer model."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.trust import Interpolator, head
from fakes.widgets import FakeDialogs
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_metasr.io.layers import layer_data
from napari_metasr.purpose import RESEARCH_USE_SENTENCE
from napari_metasr.weights import model_card
from napari_metasr.widgets.proof import messages as words
from napari_metasr.widgets.proof.dock import ProofScope
from napari_metasr.widgets.proof.widget import ProofWidget

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

    def make(viewer, factory=lambda model, *, device: Interpolator()):
        dock = ProofWidget(viewer, factory, {"meta-srgan": model_card("meta-srgan")})
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
    assert dock.status.text() == words.DONE
    assert dock.start.isEnabled()
    assert dock.save.isEnabled()
    assert not dock.cancel.isEnabled()


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
    assert any("a contrast other than 0" in note for note in notes)


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
