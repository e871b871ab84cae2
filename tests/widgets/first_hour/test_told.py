"""What is told in the first hour is so; and nothing is told on the console."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from fakes.upscale_dock import PARTS, FakeWork
from fakes.widgets import FakeDialogs, settle
from fakes.window import click, qt_viewer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

import napari_metasr
from napari_metasr.widgets.upscaling.widget import UpscaleWidget
from napari_metasr.widgets.viewer.open_docks import open_dock
from napari_metasr.widgets.zoom.settings import Compare

PACKAGE = str(Path(napari_metasr.__file__).parent)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def work():
    return FakeWork()


@pytest.fixture
def upscaling(viewer, work):
    dock = UpscaleWidget(viewer, work, measure=lambda *_: 1e-8)
    dock.device.setCurrentIndex(dock.device.findData("cpu"))
    viewer.window.add_dock_widget(dock, name="Upscale volume", area="right")
    yield dock
    work.go()


def test_the_bar_stays_where_the_work_was_stopped(qtbot, upscaling, work):
    work.hold(2)
    click(upscaling.start)
    qtbot.waitUntil(lambda: upscaling.progress.value() == 1000 * 2 // PARTS, timeout=20_000)
    click(upscaling.cancel)
    work.go()
    settle(qtbot, upscaling)
    percent = round(upscaling.progress.value() / 10)
    assert percent >= 100 * 2 // PARTS
    assert upscaling.status.text().startswith(f"Stopped at {percent}%")


def test_a_result_is_named_for_what_it_is_whatever_its_file(qtbot, viewer, upscaling, tmp_path):
    upscaling.coordinator.dialogs = FakeDialogs(tmp_path / "o.nii.gz")
    upscaling.coordinator.choice.set_output(tmp_path / "o.nii.gz")
    click(upscaling.start)
    settle(qtbot, upscaling)
    assert viewer.layers[-1].name == "research use · super-resolved · o"
    assert viewer.layers[0].name == "sub-01_T1c"


def test_a_contrast_that_is_guessed_wrongly_is_corrected_in_the_dock(qtbot, viewer, dock):
    viewer.layers["sub-01_T1c"].name = "Pre_Scan_T1"
    settle(qtbot, dock)
    assert dock.contrast.currentText() == "T1?"
    assert "Fake-SR was not trained on T1 (only on T1c)." in dock.notice.text()
    dock.contrast.setFocus()
    dock.contrast.setCurrentIndex(dock.contrast.findData("T1c"))
    settle(qtbot, dock)
    assert "not trained" not in dock.notice.text()


def everything(qtbot, viewer, dock):
    """Use what a user uses in the first hour."""
    for compare in Compare:
        dock.comparison.setCurrentEnum(compare)
        settle(qtbot, dock)
    source = viewer.layers["sub-01_T1c"]
    place = {"scale": source.scale, "translate": source.translate, "units": source.units}
    viewer.add_labels((source.data > 800).astype(int), name="mask", **place)
    viewer.add_image(source.data, name="T2", **place)
    settle(qtbot, dock)
    viewer.dims.set_current_step(0, 5)
    settle(qtbot, dock)
    click(dock.keep)
    settle(qtbot, dock)
    for _ in range(2):
        click(qt_viewer(viewer).viewerButtons.ndisplayButton)
        settle(qtbot, dock)
    open_dock(viewer, "napari-metasr.trust")
    for kind in ("detect", "upscale", "planes"):
        other = open_dock(viewer, f"napari-metasr.{kind}")
        qtbot.wait(50)
        settle(qtbot, other)
    viewer.window.remove_dock_widget("all")
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_nothing_that_napari_gives_up_is_used(qtbot, viewer, dock):
    """Console: no FutureWarning, DeprecationWarning or RuntimeWarning that this package causes."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        everything(qtbot, viewer, dock)
    ours = [
        f"{one.filename}:{one.lineno}: {one.category.__name__}: {one.message}"
        for one in found
        if one.filename.startswith(PACKAGE)
    ]
    assert not ours
