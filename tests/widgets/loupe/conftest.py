"""A window with a volume and its loupe."""

from __future__ import annotations

import pytest
from fakes.loupe import (
    BRIGHT,
    SPACINGS,
    bright_voxel,
)
from fakes.widgets import FakeEngine
from fakes.window import main_window
from qtpy.QtTest import QTest

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets.loupe.loupe import Loupe
from napari_metasr.widgets.loupe.shortcuts import register_loupe
from napari_metasr.widgets.viewer.napari_versions import canvas_widget
from napari_metasr.widgets.viewer.shared import real_viewer, shared


@pytest.fixture
def opened(make_napari_viewer_proxy, qtbot):
    """Open a volume in a window; the viewer, its loupe, the network and the layer."""
    engine = FakeEngine()

    def make(volume=None, size=(1000, 760)):
        viewer = make_napari_viewer_proxy(show=True)
        main_window(viewer).resize(*size)
        data, keywords, _ = layer_data(volume or bright_voxel(SPACINGS["cubes"]))
        layer = viewer.add_image(data, **{**keywords, "contrast_limits": (0, BRIGHT)})
        layer.colormap = "red"
        real = real_viewer(viewer)
        loupe = shared(real, Loupe, lambda: Loupe(real, canvas_widget(real), engine.factory))
        register_loupe()
        QTest.qWait(50)
        return viewer, loupe, engine, layer

    yield make
    engine.gate.set()
