"""Docks of the plugin share the room that there is."""

from __future__ import annotations

import pytest
from fakes.window import main_window
from napari.layers import Layer
from qtpy.QtTest import QTest

from napari_metasr.io.layers import layer_data
from napari_metasr.widgets.panels.dock import Dock, enclosing
from napari_metasr.widgets.viewer.open_docks import open_dock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KINDS = ("zoom", "planes", "detect", "upscale")


def test_the_window_keeps_its_size_with_all_docks_open(
    make_napari_viewer_proxy, qtbot, phantom_volume
):
    viewer = make_napari_viewer_proxy(show=True)
    window = main_window(viewer)
    window.resize(1024, 700)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    QTest.qWait(100)
    before = window.size()
    docks = []
    for kind in KINDS:
        docks.append(open_dock(viewer, f"napari-metasr.{kind}"))
        qtbot.waitUntil(lambda dock=docks[-1]: dock._is_placed, timeout=20_000)
        qtbot.waitUntil(lambda: window.size() == before, timeout=20_000)
        assert not docks[-1].visibleRegion().isEmpty()
    assert len(window.tabifiedDockWidgets(enclosing(docks[0]))) >= len(KINDS) - 2
    assert len(window.findChildren(Dock)) == len(KINDS)
    for dock in docks:
        qtbot.waitUntil(lambda dock=dock: not dock.coordinator.is_waiting, timeout=30_000)
        dock.coordinator.close()
