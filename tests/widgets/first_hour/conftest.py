"""A window with a scan from a file and the zoom dock: the first hour of a user."""

from __future__ import annotations

import pytest
from fakes.widgets import CARD, settle
from fakes.window import main_window
from napari.layers import Layer

from napari_metasr.io import write_volume
from napari_metasr.io.reader import read_layers
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.viewer.viewport import RegionMode


@pytest.fixture
def path(tmp_path, phantom_volume):
    return write_volume(
        tmp_path / "sub-01_T1c.nii.gz",
        phantom_volume.data,
        phantom_volume.affine,
        phantom_volume.source,
    )


@pytest.fixture
def viewer(make_napari_viewer_proxy, path):
    viewer = make_napari_viewer_proxy(show=True)
    main_window(viewer).resize(1100, 750)
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    yield viewer
    viewer.window.remove_dock_widget("all")


@pytest.fixture
def open_zoom(qtbot, viewer, engine):
    """Open the zoom dock beside the canvas, set to whole slices."""

    def open_zoom(engine=engine):
        dock = MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD})
        viewer.window.add_dock_widget(dock, name="Meta-SR Zoom", area="right")
        dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
        settle(qtbot, dock)
        return dock

    yield open_zoom
    engine.gate.set()


@pytest.fixture
def dock(open_zoom):
    return open_zoom()
