"""Both docks together: the zoom runs the network on the lesion and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.detector import DETECTOR_CARDS, box
from fakes.lesions import Bright, detector_of
from fakes.widgets import CARD, SECONDS_PER_PIXEL, overlay_of, results, settle
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from napari_metasr.lesions import Lesion
from napari_metasr.volume import Plane
from napari_metasr.widgets.lesions.widget import LesionWidget
from napari_metasr.widgets.viewer.focus import lesion_focus, rectangle_of
from napari_metasr.widgets.viewer.napari_versions import camera_of, grid_of, viewbox_size
from napari_metasr.widgets.viewer.viewport import RegionMode
from napari_metasr.widgets.zoom import messages
from napari_metasr.widgets.zoom.dock import LESION_MISSING
from napari_metasr.widgets.zoom.region_border import NAME as BORDER
from napari_metasr.widgets.zoom.settings import Compare

WINDOW = (6.0, 8.0, 14.0, 20.0)
LESION = Lesion(Plane.AXIAL, {2: box(6, 8, 8, 12, 0.9), 3: box(4, 8, 8, 12, 0.8)})


@pytest.fixture
def focus(viewer):
    return lesion_focus(viewer)


@pytest.fixture
def focused(qtbot, viewer, dock, focus, engine):
    """The zoom dock with the lesion asked for, at scale 2, its middle slice shown."""
    settle(qtbot, dock)
    viewer.dims.set_current_step(0, 2)
    dock.scale.set_scale(2)
    focus.choose(viewer.layers[0], LESION)
    focus.zoom_requested.emit()
    settle(qtbot, dock)
    engine.rendered.clear()
    dock.coordinator.slices.forget(viewer.layers[0])
    dock.coordinator.schedule()
    settle(qtbot, dock)
    return dock


def choose(dock, mode):
    dock.region.setCurrentIndex(dock.region.findData(mode))


def enhanced_part(dock):
    """Where the super-resolved layer differs from bicubic: rows and columns in the world."""
    bicubic, enhanced = results(dock)
    assert bicubic.data.shape == enhanced.data.shape
    different = np.argwhere(np.abs(enhanced.data - bicubic.data)[0] > 0)
    low = enhanced.data_to_world([0, *different.min(axis=0)])[1:]
    high = enhanced.data_to_world([0, *different.max(axis=0)])[1:]
    half = np.asarray(enhanced.scale[1:]) / 2
    return np.concatenate([low - half, high + half])


def edges(window):
    """A window in the world of the fixture's layer: 1 and 1.5 apart, voxel 0 centred on 0."""
    top, left, bottom, right = window
    return np.array([top - 0.5, 1.5 * (left - 0.5), bottom - 0.5, 1.5 * (right - 0.5)])


def test_without_a_lesion_the_region_is_not_offered_and_says_what_to_do(qtbot, viewer, dock, focus):
    place = dock.region.findData(RegionMode.LESION)
    assert dock.region.itemText(place) == LESION_MISSING
    assert not dock.region.model().item(place).isEnabled()
    focus.choose(viewer.layers[0], LESION)
    assert dock.region.itemText(place) == "Lesion"
    assert dock.region.model().item(place).isEnabled()
    choose(dock, RegionMode.LESION)
    focus.choose(None, None)
    settle(qtbot, dock)
    assert dock.notice.text().startswith(messages.DETECT_FIRST)
    assert "super-resolved" not in results(dock)[1].name


def test_the_network_runs_on_the_lesion_alone(qtbot, viewer, focused, engine):
    assert focused.settings.region is RegionMode.LESION
    np.testing.assert_allclose(enhanced_part(focused), edges(WINDOW), atol=1e-6)
    assert all(window[0] >= 6 and window[2] <= 14 for _, window in engine.rendered)
    assert engine.encoded[-1].encoded_pixels == 8 * 12
    assert "lesion super-resolved" in results(focused)[1].name
    assert messages.LESION_ONLY in focused.notice.text()


def test_the_camera_shows_the_lesion_and_its_surroundings(viewer, focused):
    np.testing.assert_allclose(camera_of(viewer).center[-2:], (9.5, 1.5 * 13.5))
    height, width = viewbox_size(viewer)
    zoom = camera_of(viewer).zoom
    assert zoom == pytest.approx(0.95 * min(height / (8 + 6), width / (1.5 * (12 + 6))))


def test_the_readout_says_what_was_saved(qtbot, focused, engine):
    size = 24 * 32
    saved = 1000 * (size - 96) * SECONDS_PER_PIXEL
    text = focused.readout.values["saving"].text
    assert text() == f"12% of slice, saves ≈ {saved:.0f} ms, CPU"
    choose(focused, RegionMode.WHOLE)
    settle(qtbot, focused)
    focused.coordinator._viewer.dims.set_current_step(0, 3)
    settle(qtbot, focused)
    assert text() == "100% of slice, CPU"
    focused.coordinator._viewer.dims.set_current_step(0, 2)
    focused.coordinator.slices.forget(focused.coordinator._layers.source.layer)
    choose(focused, RegionMode.LESION)
    settle(qtbot, focused)
    assert text() == f"12% of slice, saves {saved:.0f} ms, CPU"


@pytest.mark.parametrize("compare", list(Compare))
def test_every_comparison_shows_the_same_and_a_line_round_it(qtbot, focused, compare):
    focused.comparison.setCurrentEnum(compare)
    settle(qtbot, focused)
    bicubic, enhanced = results(focused)
    bounds = np.array(overlay_of(bicubic, BORDER).bounds)
    world = [bicubic.data_to_world([0, *corner])[1:] for corner in bounds]
    np.testing.assert_allclose(np.concatenate(world), edges(WINDOW), atol=1e-6)
    assert overlay_of(enhanced, BORDER) is not None
    if compare is not Compare.SWIPE:
        np.testing.assert_allclose(enhanced_part(focused), edges(WINDOW), atol=1e-6)
    choose(focused, RegionMode.WHOLE)
    settle(qtbot, focused)
    assert overlay_of(results(focused)[0], BORDER) is None


def test_other_slices_of_the_lesion_follow_and_where_it_ends_there_is_bicubic(
    qtbot, viewer, focused
):
    center = camera_of(viewer).center
    viewer.dims.set_current_step(0, 3)
    settle(qtbot, focused)
    np.testing.assert_allclose(enhanced_part(focused), edges((4, 8, 12, 20)), atol=1e-6)
    viewer.dims.set_current_step(0, 4)
    settle(qtbot, focused)
    bicubic, enhanced = results(focused)
    np.testing.assert_array_equal(bicubic.data, enhanced.data)
    assert focused.notice.text().startswith(messages.NO_LESION_HERE)
    assert overlay_of(enhanced, BORDER) is None
    assert "super-resolved" not in enhanced.name
    assert camera_of(viewer).center == center


def test_an_edited_rectangle_is_followed_and_the_camera_stays(qtbot, viewer, focused, focus):
    center = camera_of(viewer).center
    focus.choose(viewer.layers[0], Lesion(Plane.AXIAL, {2: box(8, 8, 4, 12, 1.0)}))
    settle(qtbot, focused)
    np.testing.assert_allclose(enhanced_part(focused), edges((8, 8, 12, 20)), atol=1e-6)
    assert camera_of(viewer).center == center


def test_following_the_camera_keeps_to_the_lesion(qtbot, viewer, focused, engine):
    focused.follow_camera.setChecked(True)
    camera_of(viewer).zoom = 12
    settle(qtbot, focused)
    scale, window = engine.rendered[-1]
    assert scale == (12, 18)
    assert window[0] >= 6
    assert window[2] <= 14
    camera_of(viewer).center = (0, 500, 500)
    settle(qtbot, focused)
    assert focused.notice.text() == messages.OUT_OF_VIEW


def test_a_lesion_of_another_grid_is_not_taken_for_one_here(qtbot, viewer, focused, rng):
    viewer.add_image(rng.normal(size=(6, 24, 32)), name="t2", scale=(3, 1, 1))
    settle(qtbot, focused)
    focused.source.setCurrentIndex(1)
    settle(qtbot, focused)
    assert focused.notice.text().startswith(messages.NO_LESION_HERE)


def test_boxes_that_are_edited_are_seen_and_the_comparison_comes_back(
    qtbot, viewer, focused, focus
):
    focused.comparison.setCurrentText("Side by side")
    settle(qtbot, focused)
    assert grid_of(viewer).enabled
    focus.edit(True)
    settle(qtbot, focused)
    assert not grid_of(viewer).enabled
    assert focused.notice.text().startswith(messages.EDITING)
    focus.edit(False)
    settle(qtbot, focused)
    assert grid_of(viewer).enabled


def test_keeping_takes_the_lesion_alone_and_nothing_where_there_is_none(
    qtbot, viewer, focused, notes
):
    before = set(viewer.layers)
    focused.keep.click()
    settle(qtbot, focused)
    (kept,) = set(viewer.layers) - before
    np.testing.assert_allclose(
        np.concatenate([kept.extent.world[0, 1:], kept.extent.world[1, 1:]]),
        edges(WINDOW) + np.array([0.25, 0.375, -0.25, -0.375]),
        atol=1e-6,
    )
    viewer.dims.set_current_step(0, 5)
    settle(qtbot, focused)
    focused.keep.click()
    assert notes[-1] == messages.NO_RESULT


def test_closing_the_zoom_dock_leaves_the_focus_alone(viewer, focused, focus):
    assert focus.watchers == 1
    focused.close()
    assert focus.watchers == 0
    focus.edit(True)
    focus.choose(None, None)


@pytest.mark.parametrize(
    ("plane", "index", "window"),
    [
        (Plane.AXIAL, 3, (4, 8, 12, 20)),
        (Plane.AXIAL, 1, None),
        (Plane.CORONAL, 5, (2, 8, 4, 20)),
        (Plane.CORONAL, 14, None),
        (Plane.SAGITTAL, 8, (2, 4, 4, 14)),
        (Plane.SAGITTAL, 20, None),
    ],
)
def test_a_lesion_is_cut_by_every_plane(plane, index, window):
    assert rectangle_of(LESION, plane, index) == window


def test_a_detector_s_find_in_a_head_is_super_resolved(qtbot, make_dock, rng):
    """Detector, table and zoom together, with nothing but the two networks made up."""
    y, x = np.mgrid[-1:1:64j, -1:1:48j]
    head = np.where(x**2 + y**2 < 0.8, 300 + rng.normal(0, 10, x.shape), 0)
    head[20:30, 12:24] = 900
    viewer = ViewerModel()
    viewer.add_image(head, name="t1c")
    zoom = make_dock(viewer)
    dock = LesionWidget(viewer, lambda *_, **__: detector_of(Bright()), DETECTOR_CARDS)
    qtbot.addWidget(dock)
    qtbot.mouseClick(dock.detect, Qt.MouseButton.LeftButton)
    settle(qtbot, dock)
    assert dock.table.rowCount() == 1
    dock.table.cellClicked.emit(0, 0)
    settle(qtbot, zoom)
    bicubic, enhanced = results(zoom)
    different = np.argwhere(enhanced.data != bicubic.data)
    low, high = (enhanced.data_to_world(end(different, axis=0)) for end in (np.min, np.max))
    np.testing.assert_allclose(low, (19.5, 11.5), atol=1)
    np.testing.assert_allclose(high, (29.5, 23.5), atol=1)
    dock.coordinator.close()


def test_models_say_what_they_are(make_dock, viewer, engine, qtbot):
    from napari_metasr.widgets.panels.model_choice import choices

    fixed = CARD.model_copy(update={"title": "MS", "fixed_scales": (2, 4)})
    entries = choices({"ms": fixed, "fake": CARD})
    assert [entry.text for entry in entries] == ["Fake-SR · any scale", "MS · ×2, ×4"]
    assert "resampled" in entries[1].tip
