"""Nothing outlives its use: slices, workers and docks are counted in napari's own window."""

from __future__ import annotations

import gc
import weakref

import pytest
from fakes.detector import DETECTOR_CARDS, FakeDetector, box
from fakes.upscale_dock import FakeWork
from fakes.widgets import CARD, PATIENCE_MS, FakeDialogs, FakeEncoded, FakeEngine, settle
from napari.layers import Layer
from qtpy.QtCore import QEvent, QThreadPool
from qtpy.QtWidgets import QApplication
from superqt.utils import GeneratorWorker
from vispy.scene import ViewBox

from napari_metasr.io.reader import read_layers
from napari_metasr.io.writer import write_volume
from napari_metasr.widgets import MetaSRZoomWidget
from napari_metasr.widgets.lesions import detection
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.planes.widget import PlanesWidget
from napari_metasr.widgets.rating.widget import RatingWidget
from napari_metasr.widgets.upscaling.widget import UpscaleWidget
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_resized
from napari_metasr.widgets.viewer.shared import real_viewer
from napari_metasr.widgets.viewer.viewport import RegionMode

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
KEPT = 3


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def detector():
    detector = FakeDetector()
    detector.slices = {k: (box(10, 4, 8, 8, 0.9),) for k in range(8, 13)}
    return detector


@pytest.fixture
def work():
    return FakeWork()


@pytest.fixture
def viewer(make_napari_viewer_proxy, tmp_path, phantom_volume, monkeypatch):
    monkeypatch.setattr(detection, "concerns", lambda *_, **__: ())
    path = tmp_path / "sub-01_T1w.nii.gz"
    write_volume(path, phantom_volume.data, phantom_volume.affine, phantom_volume.source)
    viewer = make_napari_viewer_proxy(show=True)
    for data in read_layers(str(path)):
        viewer.add_layer(Layer.create(*data))
    return viewer


@pytest.fixture
def make(viewer, engine, detector, work):
    """Make a dock of a kind in the viewer's window."""
    makers = {
        "zoom": lambda: MetaSRZoomWidget(viewer, engine.factory, {"fake": CARD}),
        "lesions": lambda: LesionWidget(viewer, detector.factory, DETECTOR_CARDS, lambda: None),
        "upscaling": lambda: UpscaleWidget(viewer, work, measure=lambda *_: 1e-8),
        "rating": lambda: RatingWidget(viewer),
        "planes": lambda: PlanesWidget(viewer, engine.factory),
    }

    def make(kind):
        dock = makers[kind]()
        if kind == "zoom":
            dock.region.setCurrentIndex(dock.region.findData(RegionMode.WHOLE))
            dock.coordinator.slices.session.byte_budget = KEPT * 1000  # FakeEncoded.nbytes
        if kind == "upscaling":
            dock.device.setCurrentIndex(dock.device.findData("cpu"))
        viewer.window.add_dock_widget(dock, name=kind, area="right")
        return dock

    yield make
    work.go()
    for gate in (engine.gate, detector.gate):
        gate.set()
    viewer.window.remove_dock_widget("all")


def collect():
    """Let Qt delete what is to be deleted, then Python.

    A thread that has told its result still holds it until it has returned.
    """
    QThreadPool.globalInstance().waitForDone(PATIENCE_MS)
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()


def alive(kind):
    """How many objects of a class are alive."""
    collect()
    return sum(issubclass(type(one), kind) for one in gc.get_objects())


def wait_for_workers(qtbot, before):
    """Wait until no more workers are alive than before: some follow one another after the work."""
    qtbot.waitUntil(lambda: alive(GeneratorWorker) <= before, timeout=PATIENCE_MS)


def slices_alive(engine):
    """How many slices of an engine are alive: other tests may have left theirs to be collected."""
    engine.encoded.clear()
    collect()
    return sum(type(one) is FakeEncoded and one.engine is engine for one in gc.get_objects())


def scroll(qtbot, viewer, dock, engine, slices):
    """Go on to the next slice while one is being encoded, then let the last one end."""
    for index in slices:
        engine.gate.clear()
        before = len(engine.encoded)
        viewer.dims.set_current_step(0, index)
        qtbot.waitUntil(lambda n=before: len(engine.encoded) > n, timeout=PATIENCE_MS)
        viewer.dims.set_current_step(0, index + 1)  # the former is not shown any more
        qtbot.wait(20)
        engine.gate.set()
        settle(qtbot, dock)


def test_slices_that_are_scrolled_past_are_let_go_of(qtbot, viewer, make, engine):
    dock = make("zoom")
    settle(qtbot, dock)
    workers = alive(GeneratorWorker)
    scroll(qtbot, viewer, dock, engine, range(1, 16, 2))
    assert slices_alive(engine) <= KEPT
    wait_for_workers(qtbot, workers)


def test_a_removed_layer_takes_its_slices_along(qtbot, viewer, make, engine):
    dock = make("zoom")
    settle(qtbot, dock)
    scroll(qtbot, viewer, dock, engine, range(1, 9, 2))
    layers = [weakref.ref(layer) for layer in real_viewer(viewer).layers]
    viewer.layers.clear()
    settle(qtbot, dock)
    assert slices_alive(engine) == 0
    assert [reference() for reference in layers] == [None] * 3


def test_layers_that_come_and_go_leave_no_view_boxes(qtbot, viewer, make):
    dock = make("zoom")
    settle(qtbot, dock)
    source, boxes = viewer.layers[0], []
    place = {"scale": source.scale, "translate": source.translate, "units": source.units}
    for _ in range(3):
        viewer.add_image(source.data, **place)
        viewer.layers.remove(viewer.layers[0])
        settle(qtbot, dock)
        boxes.append(alive(ViewBox))
    assert boxes == boxes[:1] * 3


@pytest.mark.parametrize("kind", ["zoom", "lesions", "upscaling", "rating", "planes"])
def test_a_closed_dock_is_gone(qtbot, viewer, make, kind):
    layers = list(viewer.layers)  # boxes stay in the viewer, for the next dock
    for layer in layers:
        layer_source(layer)  # it listens to its layer as long as that lives
    before, references = subscriptions(viewer, layers), []
    for _ in range(2):
        dock = make(kind)
        if kind != "rating":
            use(dock, kind)
            settle(qtbot, dock)
            references.append(weakref.ref(dock.coordinator))
        references.append(weakref.ref(dock))
        viewer.window.remove_dock_widget(dock)
        del dock
    collect()
    assert [reference() for reference in references] == [None] * len(references)
    assert subscriptions(viewer, layers) == before


def use(dock, kind):
    """Have a dock work once."""
    if kind == "lesions":
        dock.scope.setCurrentIndex(1)
        dock.detect.click()
    elif kind == "upscaling":
        dock.coordinator.dialogs = FakeDialogs()
        dock.opens.setChecked(False)
        dock.start.click()


def subscriptions(viewer, layers):
    """What of this package listens to the viewer, its layers and its mouse."""
    groups = (
        viewer.dims.events,
        camera_of(viewer).events,
        viewer.layers.events,
        viewer.cursor.events,
        *(layer.events for layer in layers),
    )
    emitters = [
        canvas_resized(viewer),
        *(each for group in groups for each in group.emitters.values()),
    ]
    listening = [
        callback[0]() if isinstance(callback, tuple) else callback
        for emitter in emitters
        for callback in emitter.callbacks
    ]
    listening += [getattr(each, "__self__", each) for each in viewer.mouse_drag_callbacks]
    names = [
        getattr(each, "__module__", None) or type(each).__module__ for each in listening if each
    ]
    return sorted(name for name in names if name.startswith("napari_metasr"))


def test_a_search_leaves_no_worker(qtbot, viewer, make, detector):
    before = alive(GeneratorWorker)
    dock = make("lesions")
    dock.scope.setCurrentIndex(1)
    dock.detect.click()
    settle(qtbot, dock)
    assert dock.table.rowCount() == 1
    detector.gate.clear()
    dock.detect.click()
    dock.cancel.click()
    detector.gate.set()
    settle(qtbot, dock)
    wait_for_workers(qtbot, before)


def test_an_upscaled_volume_leaves_no_worker(qtbot, viewer, make, work):
    before = alive(GeneratorWorker)
    dock = make("upscaling")
    dock.start.click()
    settle(qtbot, dock)
    assert len(viewer.layers) == 2
    wait_for_workers(qtbot, before)


def test_an_export_leaves_no_worker(qtbot, viewer, make, tmp_path):
    before = alive(GeneratorWorker)
    dock = make("zoom")
    settle(qtbot, dock)
    path = tmp_path / "region.nii.gz"
    dock.coordinator.exports.dialogs = FakeDialogs(path)
    dock.save.click()
    settle(qtbot, dock)
    dock.keep.click()
    settle(qtbot, dock)
    assert path.is_file()
    wait_for_workers(qtbot, before)
