"""Loaded networks are shared by all who load them alike, and freed after the last one."""

from __future__ import annotations

import gc
import weakref

from fakes.widgets import CARD, FakeEngine, settle

from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.planes.widget import PlanesWidget
from napari_metasr.widgets.viewer.models import ModelCache


def test_a_second_cache_has_the_network_at_once():
    engine = FakeEngine()
    one, other = ModelCache(engine.factory), ModelCache(engine.factory)
    assert other.loaded("a", "cpu") is None
    network = one.get("a", "cpu")
    assert other.loaded("a", "cpu") is network
    assert other.get("a", "cpu") is network
    assert engine.loads == [("a", "cpu")]
    assert ModelCache(FakeEngine().factory).loaded("a", "cpu") is None


def test_the_last_user_frees_it():
    class Network:
        pass

    def load(model, *, device):
        return Network()

    one, other = ModelCache(load), ModelCache(load)
    alive = weakref.ref(one.get("a", "cpu"))
    assert other.get("a", "cpu") is alive()
    one.clear()
    gc.collect()
    assert other.loaded("a", "cpu") is alive() is not None
    other.clear()
    gc.collect()
    assert alive() is None
    assert one.loaded("a", "cpu") is None


def test_error_heads_are_loaded_by_their_own_factory():
    engine, heads = FakeEngine(), FakeEngine()
    cache = ModelCache(engine.factory, heads.factory)
    assert cache.head("a", "cpu") is cache.loaded_head("a", "cpu") is heads
    assert cache.get("a", "cpu") is cache.loaded("a", "cpu") is engine
    assert (engine.loads, heads.loads) == ([("a", "cpu")], [("a", "cpu")])


def test_zoom_dock_and_planes_have_one_network(qtbot, viewer):
    engine = FakeEngine()
    zoom = MetaSRZoomWidget(viewer, engine.factory, {"meta-srgan": CARD})
    planes = PlanesWidget(viewer, engine.factory)
    for dock in (zoom, planes):
        qtbot.addWidget(dock)
        dock.show()
        settle(qtbot, dock)
    assert engine.loads.count(("meta-srgan", "auto")) == 1
    for dock in (zoom, planes):
        dock.coordinator.close()
