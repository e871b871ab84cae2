"""The dock for whole volumes in napari's own window, on a virtual screen."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.upscale_dock import PARTS, FakeWork
from fakes.widgets import settle
from fakes.window import main_window
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QScrollArea

from napari_metasr.io.reader import read_layers
from napari_metasr.io.writer import write_volume
from napari_metasr.widgets.upscaling.widget import UpscaleWidget

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def work():
    return FakeWork()


@pytest.fixture
def window(make_napari_viewer_proxy, tmp_path, phantom_volume, work):
    """A viewer with a laptop's height, the phantom, and the dock."""
    path = tmp_path / "sub-01_T1w.nii.gz"
    write_volume(path, phantom_volume.data, phantom_volume.affine, phantom_volume.source)
    viewer = make_napari_viewer_proxy(show=True)
    main_window(viewer).resize(1366, 720)
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    dock = UpscaleWidget(viewer, work, measure=lambda *_: 1e-8)
    dock.device.setCurrentIndex(dock.device.findData("cpu"))
    viewer.window.add_dock_widget(dock, name="Upscale volume", area="right")
    yield viewer, dock
    work.go()
    dock.coordinator.close()


def begin(qtbot, dock, work, parts):
    work.hold(parts)
    qtbot.mouseClick(dock.start, LEFT)
    qtbot.waitUntil(lambda: dock.progress.value() == 1000 * parts // PARTS, timeout=20_000)


def test_the_result_covers_its_source_on_the_screen(qtbot, window):
    viewer, dock = window
    qtbot.wait(100)
    before = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
    position = viewer.dims.point
    qtbot.mouseClick(dock.start, LEFT)
    settle(qtbot, dock)
    qtbot.wait(100)
    assert viewer.dims.point == pytest.approx(position)
    assert len(viewer.layers) == 2
    after = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.95


def test_everything_fits_beside_the_canvas_of_a_laptop(qtbot, window):
    _, dock = window
    qtbot.wait(100)
    scroll = dock.findChild(QScrollArea)
    assert scroll.widget().width() <= scroll.viewport().width()
    for button in dock.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.width() >= button.minimumSizeHint().width(), button.text()
    assert dock.window().height() <= 720
    bottom = dock.mapTo(dock.window(), QPoint(0, dock.height())).y()
    assert bottom <= dock.window().height()
    assert dock.start.isVisible()
    assert dock.preview.height() >= 110


def test_closing_the_dock_stops_the_work(qtbot, window, work):
    viewer, dock = window
    begin(qtbot, dock, work, 1)
    viewer.window.remove_dock_widget(dock)
    work.go()
    assert work.ended.wait(10)
    qtbot.wait(50)
    assert work.done[-1] < PARTS
    assert len(viewer.layers) == 1


def test_closing_napari_stops_the_work(qtbot, window, work, tmp_path):
    viewer, dock = window
    begin(qtbot, dock, work, 1)
    viewer.close()
    work.go()
    assert work.ended.wait(10)
    assert work.done[-1] < PARTS
    assert not list(tmp_path.glob(".*.lock"))
    assert len(list(tmp_path.glob(".*.unfinished"))) == 1
