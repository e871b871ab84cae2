"""The two results compared: side by side, swiped, blinking, as a difference; and left again."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.widgets import SHAPE, resize_canvas, results, settle
from qtpy.QtCore import Qt, QTimer

from napari_metasr.widgets.viewer.napari_versions import (
    camera_of,
    canvas_overlays,
    grid_of,
    grid_shape,
    view_boxes,
)
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom.comparison.box_names import GLYPH
from napari_metasr.widgets.zoom.comparison.box_names import NAME as BOX_NAMES
from napari_metasr.widgets.zoom.comparison.difference import COLOUR_BAR
from napari_metasr.widgets.zoom.comparison.side_names import POSITIONS, overlay_name
from napari_metasr.widgets.zoom.settings import Compare


def choose(dock, title):
    dock.comparison.setCurrentText(title)


def state(viewer):
    camera, grid = camera_of(viewer), grid_of(viewer)
    return {
        "grid": (grid.enabled, grid.stride, grid.shape, grid.spacing),
        "camera": (camera.center, camera.zoom, camera.orientation2d),
        "visible": {layer.name: layer.visible for layer in viewer.layers},
        "selected": {layer.name for layer in viewer.layers.selection},
        "active": viewer.layers.selection.active,
    }


def test_contrast_limits_colormap_and_gamma_are_linked_both_ways(qtbot, viewer, dock):
    settle(qtbot, dock)
    source, (bicubic, enhanced) = viewer.layers[0], results(dock)
    source.contrast_limits = (50, 120)
    assert tuple(bicubic.contrast_limits) == tuple(enhanced.contrast_limits) == (50, 120)
    enhanced.colormap = "magma"
    assert source.colormap.name == bicubic.colormap.name == "magma"


@pytest.mark.parametrize("title", [str(mode) for mode in Compare])
def test_leaving_a_comparison_puts_the_viewer_back(qtbot, viewer, rng, make_dock, title):
    viewer.add_labels(np.ones(SHAPE, int), name="mask")
    viewer.add_points([(1, 2, 3)], name="hidden", visible=False)
    viewer.layers.selection = {viewer.layers[0], viewer.layers[1]}
    camera_of(viewer).center, camera_of(viewer).zoom = (0, 7, 9), 3.3
    before = state(viewer)
    dock = make_dock(viewer)
    choose(dock, title)
    dock.scale.set_scale(5)
    settle(qtbot, dock)
    assert state(viewer) != before
    dock.coordinator.close()
    assert state(viewer) == before


def box_of(viewer, layer):
    at = viewer.layers.index(layer)
    return next(place for place, indices in view_boxes(viewer) if at in indices)


def test_side_by_side_shows_two_boxes_and_nothing_else(qtbot, viewer, dock):
    viewer.add_points([(1, 2, 3)])
    settle(qtbot, dock)
    assert grid_of(viewer).enabled
    assert grid_shape(viewer) == (1, 2)
    assert {layer for layer in viewer.layers if layer.visible} == set(results(dock))
    assert [box_of(viewer, layer) for layer in results(dock)] == [(0, 0), (0, 1)]


def test_the_grid_of_napari_is_a_button_for_side_by_side(qtbot, viewer, dock):
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    grid_of(viewer).enabled = False
    settle(qtbot, dock)
    assert dock.settings.comparison is Compare.SINGLE
    assert (bicubic.visible, enhanced.visible) == (False, True)
    assert not any(canvas_overlays(viewer)[overlay_name(each)].visible for each in POSITIONS)
    choose(dock, str(Compare.SWIPE))
    settle(qtbot, dock)
    grid_of(viewer).enabled = True
    settle(qtbot, dock)
    assert dock.settings.comparison is Compare.SIDE_BY_SIDE
    assert grid_shape(viewer) == (1, 2)
    assert [box_of(viewer, layer) for layer in results(dock)] == [(0, 0), (0, 1)]
    dock.coordinator.close()
    assert not grid_of(viewer).enabled
    grid_of(viewer).enabled = True
    assert dock.settings.comparison is Compare.SIDE_BY_SIDE


def test_a_segmentation_opened_while_comparing_is_shown_over_both_results(
    qtbot, viewer, dock, make_dock
):
    settle(qtbot, dock)
    names = [layer.name for layer in viewer.layers]
    mask = viewer.add_labels(np.ones(SHAPE, int), name="mask", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    copies = [viewer.layers[f"mask over {name}"] for name in ("bicubic", "super-resolved")]
    assert sum("mask over" in layer.name for layer in viewer.layers) == 2
    for result, copy in zip(results(dock), copies, strict=True):
        assert box_of(viewer, result) == box_of(viewer, copy)
        assert viewer.layers.index(copy) > viewer.layers.index(result)
        assert copy.data.shape == result.data.shape
        np.testing.assert_allclose(copy.scale, result.scale)
        np.testing.assert_allclose(copy.translate, result.translate)
        assert copy.data.min() == copy.data.max() == 1
    assert grid_shape(viewer) == (1, 2)
    copies[0].visible = False
    assert not copies[1].visible
    viewer.layers.remove(mask)
    settle(qtbot, dock)
    assert [layer.name for layer in viewer.layers] == names
    viewer.add_labels(np.ones(SHAPE, int), name="again", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    choose(dock, "Swipe")
    settle(qtbot, dock)
    order = [layer.name for layer in viewer.layers]
    assert not viewer.layers["again"].visible
    assert [name for name in order if " over " in name] == ["again over the results"]
    assert viewer.layers["again over the results"].visible
    assert order.index("again") > max(order.index(layer.name) for layer in results(dock))


def test_an_image_opened_while_comparing_gets_a_box_of_its_own(qtbot, viewer, dock, rng):
    settle(qtbot, dock)
    image = viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    assert image.visible
    assert box_of(viewer, image) == (1, 0)
    image.visible = False
    dock.scale.set_scale(3)
    settle(qtbot, dock)
    assert not image.visible


def test_images_opened_beside_a_segmentation_have_boxes_with_the_segmentation(
    qtbot, viewer, dock, rng
):
    viewer.add_labels(np.ones(SHAPE, int), name="mask", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    own = ["t1c", "mask"]
    for name in ("t1n", "flair"):
        viewer.add_image(rng.normal(size=SHAPE), name=name, scale=(3, 1, 1.5))
        settle(qtbot, dock)
        own.append(name)
    images = [*results(dock), viewer.layers["t1n"], viewer.layers["flair"]]
    over = ["bicubic", "super-resolved", "t1n", "flair"]
    boxes = [box_of(viewer, image) for image in images]
    assert len(set(boxes)) == len(images)
    for image, name, box in zip(images, over, boxes, strict=True):
        copy = viewer.layers[f"mask over {name}"]
        assert box_of(viewer, copy) == box
        assert viewer.layers.index(copy) > viewer.layers.index(image)
        assert copy.data.max() == 1
    viewer.layers["t1n"].visible = False
    settle(qtbot, dock)
    copies = [each for each in viewer.layers if each.visible and "mask over" in each.name]
    seen = [*images[:2], images[-1]]
    assert [box_of(viewer, copy) for copy in copies] == [box_of(viewer, image) for image in seen]
    dock.coordinator.close()
    assert [layer.name for layer in viewer.layers] == own


def test_a_ticked_contrast_leaves_the_layers_that_there_are(qtbot, viewer, dock, rng):
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    before = results(dock)
    dock.contrasts.item(0).setCheckState(Qt.CheckState.Checked)
    settle(qtbot, dock)
    assert results(dock) == before
    assert len(dock.coordinator.presenter.stage.pairs) == 2
    places = [
        box_of(viewer, layer)
        for pair in dock.coordinator.presenter.stage.pairs
        for layer in pair.layers
    ]
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1)]
    dock.contrasts.item(0).setCheckState(Qt.CheckState.Unchecked)
    settle(qtbot, dock)
    assert results(dock) == before


def test_the_window_reacts_between_the_layers_that_a_contrast_needs(qtbot, viewer, dock, rng):
    viewer.add_labels(np.ones(SHAPE, int), name="mask", scale=(3, 1, 1.5))
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    beats, added = 0, []

    def beat():
        nonlocal beats
        beats += 1

    timer = QTimer()
    timer.timeout.connect(beat)
    viewer.layers.events.inserted.connect(lambda event: added.append((event.value.name, beats)))
    viewer.layers.events.removed.connect(lambda event: added.append(("removed", beats)))
    timer.start(0)
    dock.contrasts.item(0).setCheckState(Qt.CheckState.Checked)
    settle(qtbot, dock)
    timer.stop()
    turns = [beat for _, beat in added]
    assert len(added) == 5
    assert turns[0] == turns[1] < turns[2]  # a pair, then what lies over it
    assert added[-1][0] == "removed"  # what lay over the image itself
    boxes = [
        ["mask over" in viewer.layers[at].name for at in indices if viewer.layers[at].visible]
        for _, indices in view_boxes(viewer)
    ]
    assert boxes == [[False, True]] * 4
    assert grid_shape(viewer) == (2, 2)


def test_copies_of_segmentations_are_taken_away(qtbot, viewer, dock):
    for name in ("mask", "other"):
        viewer.add_labels(np.ones(SHAPE, int), name=name, scale=(3, 1, 1.5))
    settle(qtbot, dock)
    removed = []
    viewer.layers.events.removed.connect(lambda event: removed.append(event.value.name))
    choose(dock, "Blink")
    settle(qtbot, dock)
    assert len(removed) == 4
    assert "mask over bicubic" not in [layer.name for layer in viewer.layers]


@pytest.mark.parametrize("compare", ["Swipe", "Side by side"])
def test_results_have_their_names_on_their_sides(qtbot, viewer, dock, compare):
    """In lines that a narrow view has room for."""
    overlays = canvas_overlays(viewer)
    choose(dock, compare)
    settle(qtbot, dock)
    left, right = (overlays[overlay_name(position)] for position in POSITIONS)
    assert (left.position, right.position) == POSITIONS
    assert left.text.startswith("bicubic ×")
    assert right.text.startswith("research use\nsuper-resolved\n(Fake-SR ×")
    assert max(map(len, f"{left.text}\n{right.text}".splitlines())) < 24
    results(dock)[1].name = "research use · renamed"
    assert right.text == "research use\nrenamed"
    assert not any(layer.name_overlay.visible for layer in results(dock))
    choose(dock, "Blink")
    settle(qtbot, dock)
    assert not left.visible
    assert not right.visible


def test_results_in_several_rows_have_their_names_in_their_boxes(qtbot, viewer, dock, rng):
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    overlays = canvas_overlays(viewer)
    assert overlays[BOX_NAMES].visible
    assert not any(overlays[overlay_name(position)].visible for position in POSITIONS)
    assert not any(layer.name_overlay.visible for layer in results(dock))
    written = [text.replace("\n", " ") for text, _, _ in overlays[BOX_NAMES].texts(viewer)]
    assert sorted(text.split()[0] for text in written) == ["bicubic", "flair", "research"]
    viewer.layers.remove("flair")
    settle(qtbot, dock)
    assert not overlays[BOX_NAMES].visible
    assert overlays[overlay_name("top_left")].visible


def test_names_in_view_boxes_have_a_ground_of_their_own_on_a_white_canvas(qtbot, viewer, dock, rng):
    """White letters of a few pixels are not read with a line of one pixel round them."""
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    names = canvas_overlays(viewer)[BOX_NAMES]
    assert names.visible
    assert names.outline >= 2


def test_the_camera_goes_to_the_region_again_when_view_boxes_change(qtbot, viewer, dock, rng):
    """It would show another part of the region in a box of another shape."""
    settle(qtbot, dock)
    there = camera_of(viewer).center

    def moved_away():
        camera_of(viewer).center = (0.0, 2.0, 3.0)
        settle(qtbot, dock)
        return camera_of(viewer).center != there

    assert moved_away()
    viewer.add_image(rng.normal(size=SHAPE), name="flair", scale=(3, 1, 1.5))
    settle(qtbot, dock)
    assert camera_of(viewer).center == pytest.approx(there)
    assert moved_away()
    viewer.layers.remove("flair")
    settle(qtbot, dock)
    assert camera_of(viewer).center == pytest.approx(there)


def test_the_camera_is_fitted_to_boxes_of_another_size_until_the_user_moves_it(qtbot, viewer, dock):
    """A dock that is opened beside takes its width from the view boxes."""
    dock.region.setCurrentIndex(dock.region.findData(RegionMode.CENTRE))
    dock.scale.set_scale(2)
    settle(qtbot, dock)
    camera, fitted = camera_of(viewer), camera_of(viewer).zoom
    resize_canvas(viewer, (600, 300))
    settle(qtbot, dock)
    narrow = camera.zoom
    assert narrow < fitted
    resize_canvas(viewer, (600, 800))
    settle(qtbot, dock)
    assert camera.zoom > narrow
    resize_canvas(viewer, (600, 300))
    settle(qtbot, dock)
    assert camera.zoom == pytest.approx(narrow)
    camera.zoom = 3.21
    settle(qtbot, dock)
    resize_canvas(viewer, (600, 800))
    settle(qtbot, dock)
    assert camera.zoom == 3.21


def test_a_name_that_napari_has_counted_is_without_its_source_too(qtbot, viewer, dock):
    results(dock)[1].name = results(dock)[0].name
    assert results(dock)[1].name.endswith("[1]")
    left, right = (canvas_overlays(viewer)[overlay_name(position)] for position in POSITIONS)
    assert left.text == right.text


def test_swipe_shows_the_network_right_of_the_line_only(qtbot, viewer, dock):
    choose(dock, "Swipe")
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    whole, part = bicubic.data.shape[-1], enhanced.data.shape[-1]
    assert part == pytest.approx(whole / 2, abs=1)
    right = bicubic.translate[-1] + bicubic.scale[-1] * (whole - 1)
    assert enhanced.translate[-1] + enhanced.scale[-1] * (part - 1) == pytest.approx(right)
    dock.swipe.setValue(80)
    settle(qtbot, dock)
    assert enhanced.data.shape[-1] == pytest.approx(whole / 5, abs=1)
    camera_of(viewer).orientation2d = ("up", "left")
    settle(qtbot, dock)
    assert enhanced.translate[-1] == pytest.approx(bicubic.translate[-1])


def test_the_difference_is_super_resolved_minus_bicubic(qtbot, viewer, dock):
    choose(dock, "Difference map")
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    layer = next(layer for layer in viewer.layers if "minus bicubic" in layer.name)
    np.testing.assert_allclose(layer.data, enhanced.data - bicubic.data)
    assert layer.contrast_limits[0] == -layer.contrast_limits[1]
    np.testing.assert_allclose(layer.translate, bicubic.translate)
    choose(dock, "Side by side")
    settle(qtbot, dock)
    assert layer not in viewer.layers
    assert "research use" in layer.name
    assert f"±{layer.contrast_limits[1]:.3g} intensity units" in layer.name
    assert bicubic.visible
    assert not canvas_overlays(viewer)[BOX_NAMES].visible
    low, zero, high = layer.colormap.map(np.array([0.0, 0.5, 1.0]))
    assert (low[3], zero[3], high[3]) == (1, 0, 1)


def test_the_unit_of_a_difference_is_read_beside_its_colour_bar(qtbot, viewer, dock):
    """In lines, where the view is too narrow for one."""
    resize_canvas(viewer, (600, 322))
    choose(dock, "Difference map")
    settle(qtbot, dock)
    layer = next(layer for layer in viewer.layers if "minus bicubic" in layer.name)
    ((text, x, _),) = canvas_overlays(viewer)[BOX_NAMES].texts(viewer)
    assert f"\n±{layer.contrast_limits[1]:.3g} intensity units\n" in text
    assert text.startswith("research use\n")
    assert x + GLYPH * max(map(len, text.splitlines())) <= 322 - COLOUR_BAR
    assert not layer.name_overlay.visible


def test_blinking_shows_one_after_the_other(qtbot, viewer, dock):
    choose(dock, "Blink")
    settle(qtbot, dock)
    bicubic, enhanced = results(dock)
    seen = set()

    def both():
        seen.add((bicubic.visible, enhanced.visible))
        return seen == {(True, False), (False, True)}

    qtbot.waitUntil(both, timeout=10_000)
