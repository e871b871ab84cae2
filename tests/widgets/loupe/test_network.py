"""What the loupe asks of the network, and what it shows until there is an answer."""

from __future__ import annotations

import pytest
from fakes.loupe import (
    BRIGHT,
    SPACINGS,
    bright_voxel,
    middle,
    move,
    point_at,
    settle,
    show_spot,
)
from qtpy.QtCore import QPoint

from napari_metasr.acquisition import slice_code
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.result_layers import SUPER_RESOLVED

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_network_is_there_before_it_is_asked_for(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    loupe.prepare()
    qtbot.waitUntil(lambda: not loupe.is_preparing, timeout=20_000)
    assert engine.loads == [("meta-srgan", "auto")]
    assert len(engine.rendered) == 1  # what is compiled at first use is compiled
    loupe.prepare()
    assert not loupe.is_preparing
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert engine.loads == [("meta-srgan", "auto")]


def test_bicubic_stands_in_while_the_slice_is_encoded(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    engine.gate.clear()
    loupe.open()
    point_at(viewer, middle(viewer))
    qtbot.waitUntil(lambda: loupe.pane.look is not None)
    assert loupe.pane.look.left == "bicubic"
    assert "bicubic" in loupe.pane.look.right
    assert "encod" in loupe.pane.look.right
    assert not engine.rendered
    engine.gate.set()
    qtbot.waitUntil(lambda: "super-resolved" in loupe.pane.look.right, timeout=20_000)
    assert "research use" in loupe.pane.look.right
    settle(qtbot, loupe)


def test_a_network_that_fails_leaves_bicubic_and_says_so(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    engine.error = ValueError("the network broke")
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert "failed" in loupe.pane.look.right
    assert len(loupe.pane.look.tiles) == 2


def test_the_network_is_asked_for_no_scale_beyond_its_range(qtbot, opened):
    viewer, loupe, engine, _ = opened()
    camera_of(viewer).zoom *= 3
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert engine.loads == [("meta-srgan", "auto")]
    assert engine.rendered[-1][0] == (4, 4)
    assert "×4.00" in loupe.pane.look.right
    assert "0.25 mm" in loupe.pane.look.right


def test_across_thick_slices_the_through_plane_network_works(qtbot, opened):
    viewer, loupe, engine, _ = opened(bright_voxel(SPACINGS["thick"]))
    show_spot(viewer, (1, 0, 2))
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert engine.loads == [("meta-srgan-through-plane", "auto")]
    (rows, columns), _ = engine.rendered[-1]
    assert 1 < rows <= 6
    assert columns == 1
    assert "across the slices" in loupe.pane.look.right
    touching = slice_code(1.0, along_rows=True)
    assert {code.tobytes() for code in engine.codes} == {touching.tobytes()}


def test_what_is_super_resolved_already_is_refused(qtbot, opened):
    viewer, loupe, _, layer = opened()
    layer.metadata[SUPER_RESOLVED] = "meta-srgan"
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert "already" in loupe.pane.saying


def clipped_to(loupe):
    """What the network's result under the loupe is clipped to."""
    [source] = loupe._magnifier._slices._sources.values()
    encoded = loupe._magnifier._slices.session._encoded.values()
    return source.name, [one.value_range for one in encoded if one.image.max() > 0]


def test_other_numbers_in_a_layer_are_magnified_in_their_own_range(qtbot, opened):
    viewer, loupe, _, layer = opened()
    show_spot(viewer, (0, 1, 2))
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    assert clipped_to(loupe) == ("scan", [(0, BRIGHT)])
    layer.data = layer.data * 10
    settle(qtbot, loupe)
    assert clipped_to(loupe) == ("scan", [(0, 10 * BRIGHT)])


def test_numbers_that_change_while_the_loupe_is_elsewhere_are_read_anew(qtbot, opened):
    viewer, loupe, _, layer = opened()
    show_spot(viewer, (0, 1, 2))
    place = {"scale": layer.scale, "translate": layer.translate}
    above = viewer.add_image(layer.data + 1, name="above", visible=False, **place)
    loupe.open()
    move(qtbot, viewer, loupe, middle(viewer))
    above.visible = True
    move(qtbot, viewer, loupe, middle(viewer) + QPoint(1, 0))
    assert clipped_to(loupe) == ("above", [(0, BRIGHT), (1, BRIGHT + 1)])
    layer.data = layer.data * 10
    above.visible = False
    move(qtbot, viewer, loupe, middle(viewer))
    assert clipped_to(loupe) == ("scan", [(1, BRIGHT + 1), (0, 10 * BRIGHT)])
