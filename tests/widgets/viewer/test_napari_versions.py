"""One set of names for napari 0.7 to 0.9, and where private names of napari are used at all."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from fakes.widgets import resize_canvas
from napari._vispy.canvas import VispyCanvas
from napari.components.overlays import TextOverlay

import napari_metasr
from napari_metasr.widgets.viewer.napari_versions import (
    HIDDEN_LAYERS_TAKE_BOXES,
    arranged_once,
    boxes_on_canvas,
    camera_of,
    canvas_overlays,
    canvas_resized,
    canvas_size,
    canvas_widget,
    grid_of,
    grid_shape,
    layer_overlays,
    open_viewers,
    scene_overlays,
    set_grid,
    unrefreshed,
    view_boxes,
    viewbox_size,
)

PRIVATE = re.compile(
    r"\bnapari(?:\.\w+)*\._|\.(?:_overlays|_qt_viewer|_instances|_block_refresh)\b"
)
MOVED = re.compile(r"(?<!widgets\.)viewer\.(?:scene|canvas|camera|grid|scale_bar)\b")
SHIELDS = {
    "napari_versions.py": "overlays of layers, the canvas, all viewers, blocked refreshes",
    "plugin_settings.py": "the settings file that preferences of plugins are kept beside",
    "region_border.py": "the visual of a box round a layer's part",
    "marks.py": "the visual of a picture over a layer",
    "box_texts.py": "the visual of texts in all view boxes",
    "edge_letters.py": "the visual of all letters",
    "box_names.py": "the visual of all names",
    "swipe_line.py": "the visual of the line between two halves",
    "tour.py": "the guided tour, where this napari has one",
}
"""Modules that use private names of napari, and what for."""


def test_only_the_modules_that_are_named_use_what_napari_may_change():
    package = Path(napari_metasr.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    used = {path.name for path, text in sources.items() if PRIVATE.search(text)}
    assert used == set(SHIELDS)
    moved = {path.name for path, text in sources.items() if MOVED.search(text)}
    assert moved == {"napari_versions.py"}


def test_the_camera_and_the_canvas_of_a_viewer(viewer):
    heard = []
    canvas_resized(viewer).connect(lambda event: heard.append(canvas_size(viewer)))
    resize_canvas(viewer, (300, 400))
    assert heard == [(300, 400)]
    assert viewbox_size(viewer) == (300, 400)
    viewer.reset_view()
    extent = viewer.layers.extent.step * (viewer.layers[0].data.shape)
    assert camera_of(viewer).zoom == pytest.approx(0.95 * min((300, 400) / extent[1:]), rel=0.05)
    assert canvas_widget(viewer) is None
    assert viewer not in open_viewers()


def test_view_boxes_of_the_grid(viewer):
    other = viewer.add_image(np.zeros((6, 24, 32)))
    grid = grid_of(viewer)
    grid.stride, grid.shape = 1, (1, 2)
    assert list(view_boxes(viewer)) == [((0, 0), (0, 1))]
    resize_canvas(viewer, (300, 400))
    grid.enabled = True
    assert grid_shape(viewer) == (1, 2)
    assert list(view_boxes(viewer)) == [((0, 0), (0,)), ((0, 1), (1,))]
    grid.spacing = 0
    assert viewbox_size(viewer) == (300, 200)
    assert list(boxes_on_canvas(viewer)) == [(0, 0, 300, 200), (0, 200, 300, 200)]
    viewer.layers[0].visible = False
    first = next(iter(view_boxes(viewer)))
    assert first == ((0, 0), (0,) if HIDDEN_LAYERS_TAKE_BOXES else (1,))
    assert other.visible


def test_overlays_of_canvas_and_layer(viewer):
    overlays = canvas_overlays(viewer)
    assert not overlays["scale_bar"].visible
    overlays["text"] = TextOverlay(gridded=True, text="L")
    assert not scene_overlays(viewer)["axes"].visible
    assert "bounding_box" in layer_overlays(viewer.layers[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("removes", [False, True])
def test_napari_arranges_its_scene_once_for_several_changes(
    make_napari_viewer_proxy, monkeypatch, removes
):
    arranged, arrange = [], VispyCanvas._update_scenegraph

    def counted(canvas, event=None):
        if not canvas._pause_scene_graph:
            arranged.append(canvas)
        arrange(canvas, event)

    monkeypatch.setattr(VispyCanvas, "_update_scenegraph", counted)
    viewer = make_napari_viewer_proxy()
    layers = [viewer.add_image(np.zeros((8, 8))) for _ in range(3)]
    arranged.clear()
    with arranged_once(viewer), arranged_once(viewer):
        for layer in layers:
            layer.visible = False
        viewer.add_image(np.zeros((8, 8)))
        if removes:
            viewer.layers.remove(layers[0])
        grid_of(viewer).enabled = True
    assert len(arranged) == 1
    assert grid_shape(viewer) == (1, 1) or HIDDEN_LAYERS_TAKE_BOXES
    layers[1].visible = True
    canvas_overlays(viewer)["scale_bar"].gridded = True
    canvas_overlays(viewer)["scale_bar"].visible = True
    with arranged_once(viewer):
        layers[2].visible = True
    assert len(arranged) > 1 or HIDDEN_LAYERS_TAKE_BOXES


def test_a_layer_is_not_drawn_anew_while_it_is_unrefreshed(viewer):
    layer, drawn = viewer.layers[0], []
    layer.events.set_data.connect(lambda event: drawn.append(event))
    with unrefreshed(layer):
        layer.refresh()
    assert not drawn
    layer.refresh()
    assert len(drawn) == 1


def test_a_shown_grid_may_get_fewer_boxes_than_it_has_overlays(make_napari_viewer_proxy):
    viewer = make_napari_viewer_proxy()
    for _ in range(8):
        viewer.add_image(np.zeros((4, 4)))
    canvas_overlays(viewer)["metasr_test"] = TextOverlay(
        text="over each box", visible=True, gridded=True
    )
    set_grid(viewer, enabled=True, stride=1, shape=(2, 4), spacing=4)
    assert grid_shape(viewer) == (2, 4)
    set_grid(viewer, enabled=True, stride=1, shape=(1, 2), spacing=4)
    assert grid_shape(viewer) == (1, 2)
    set_grid(viewer, enabled=False, stride=2)
    assert grid_shape(viewer) == (1, 1)
    assert (grid_of(viewer).stride, grid_of(viewer).shape) == (2, (1, 2))
