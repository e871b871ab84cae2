"""The readout says how much of a result lies beyond the local range of the scan, once at rest."""

from __future__ import annotations

import numpy as np
from fakes.widgets import FakeEngine, settle
from napari.components import ViewerModel

from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.beyond import Beyond


def said(dock):
    return dock.readout.values["beyond"].text()


class Spiky(FakeEngine):
    """Nearest neighbour, but for every second pair of columns."""

    rise = 500.0

    def render_pixels(self, encoded, grid, pixels):
        out = super().render_pixels(encoded, grid, pixels) - np.float32(10)
        out[:, np.arange(pixels[1], pixels[3]) % 4 < 2] += np.float32(self.rise)
        return out


def head():
    y, x = np.mgrid[:48, :40] - np.array([23.5, 19.5])[:, None, None]
    texture = np.random.default_rng(4).normal(0, 8, (4, 48, 40))
    return np.where(np.hypot(y, x) < 17, 100 + texture, 0).astype(np.float32)


def test_it_follows_the_result_that_is_shown(qtbot, make_dock, engine):
    viewer = ViewerModel()
    viewer.add_image(head(), name="t1c", scale=(3, 1, 1))
    spiky = Spiky()
    engine.render_pixels = spiky.render_pixels
    dock = make_dock(viewer)
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
    dock.scale.set_scale(2)
    settle(qtbot, dock)
    qtbot.waitUntil(lambda: said(dock) == "50.0%", timeout=10_000)
    spiky.rise = 0.0
    dock.scale.set_scale(4)
    qtbot.waitUntil(lambda: said(dock) == "0.0%", timeout=10_000)
    viewer.layers.clear()
    settle(qtbot, dock)
    assert said(dock) == "–"


def test_what_is_closed_shows_nothing_more(qtbot):
    shown = []
    beyond = Beyond(shown.append)
    beyond.want(None)
    beyond.close()
    assert shown == [None]
