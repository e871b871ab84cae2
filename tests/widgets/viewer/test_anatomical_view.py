"""The viewer set up for anatomy: when it is, how it looks, how it is put back."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from napari_metasr.geometry.display import DisplayConvention
from napari_metasr.io.contrast import guess_contrast
from napari_metasr.io.layers import layer_data
from napari_metasr.normalisation import dragged_limits
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.edge_letters import FONT_SIZE, NAME, LettersOverlay
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_overlays
from napari_metasr.widgets.viewer.window_level import Preset
from napari_metasr.widgets.zoom.contrasts import contrast_notice


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def brain(phantom_volume):
    return Layer.create(*layer_data(phantom_volume))


def letters(viewer):
    overlay = canvas_overlays(viewer)[NAME]
    shown = overlay.letters if overlay.visible else {}
    return {side: letter for side, letter in shown.items() if side in {"top", "left"}}


def test_an_array_of_unknown_orientation_gets_no_letters_and_is_not_turned(viewer):
    before = camera_of(viewer).orientation2d
    anatomical_view(viewer)
    viewer.add_image(np.zeros((4, 5, 6)))
    assert letters(viewer) == {}
    assert camera_of(viewer).orientation2d == before


def test_an_anatomical_layer_turns_the_viewer_until_it_is_gone(viewer, brain):
    before = camera_of(viewer).orientation2d
    anatomical_view(viewer).hold("layers")
    viewer.add_layer(brain)
    assert camera_of(viewer).orientation2d == ("up", "left")
    assert letters(viewer) == {"top": "A", "left": "R"}
    assert canvas_overlays(viewer)["scale_bar"].visible
    viewer.layers.clear()
    assert camera_of(viewer).orientation2d == before
    assert letters(viewer) == {}
    assert not canvas_overlays(viewer)["scale_bar"].visible


@pytest.mark.parametrize("lines", [1, 3])
def test_letters_keep_off_names_the_scale_bar_and_the_edges(lines):
    overlay = LettersOverlay(letters=dict.fromkeys(("top", "bottom", "left", "right"), "L"))
    overlay.lines = lines
    (_, x, top), (_, _, bottom), (_, left, y), (_, right, _) = overlay.places(400, 300)
    assert (x, y) == (150, 200)
    assert top - FONT_SIZE / 2 > 10 + lines * 16
    assert bottom + FONT_SIZE < 400 - 35
    assert (left, right) == (20, 280)


@pytest.mark.parametrize(("height", "width"), [(155, 178), (210, 178), (250, 300)])
def test_letters_in_a_low_view_box_keep_off_each_other_and_the_name(height, width):
    """Those of opposite edges lay on each other, inside the head, below four lines of a name."""
    overlay = LettersOverlay(letters=dict.fromkeys(("top", "bottom", "left", "right"), "L"))
    overlay.lines = 4
    placed = overlay.places(height, width)
    places = {side: each[1:] for side, each in zip(overlay.letters, placed, strict=True)}
    assert places["top"][1] < height / 2 - FONT_SIZE
    for one, other in itertools.combinations(places.values(), 2):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > FONT_SIZE * 1.4
    assert places["left"][1] - FONT_SIZE / 2 > 10 + 4 * 16


def thick(volume, plane):
    spacing = [0.5, 0.5, 0.5]
    spacing[plane.normal_axis] = 5.0
    affine = np.diag([*spacing[::-1], 1.0])
    source = replace(volume.source, affine=affine)
    return replace(volume, spacing=tuple(spacing), affine=affine, source=source)


@pytest.mark.parametrize("plane", list(Plane))
def test_a_volume_of_thick_slices_opens_in_their_plane(viewer, phantom_volume, plane):
    anatomical_view(viewer).hold("layers")
    viewer.add_layer(Layer.create(*layer_data(thick(phantom_volume, plane))))
    assert viewer.dims.order[0] == plane.normal_axis
    viewer.dims.order = (1, 0, 2)
    viewer.add_layer(Layer.create(*layer_data(thick(phantom_volume, plane))))
    assert viewer.dims.order == (1, 0, 2)


def test_the_contrast_slider_spans_all_values(viewer, brain, phantom_volume):
    shown = tuple(brain.contrast_limits)
    anatomical_view(viewer)
    viewer.add_layer(brain)
    assert tuple(brain.contrast_limits) == shown
    assert tuple(brain.contrast_limits_range) == phantom_volume.value_range


def test_contrast_limits_have_presets(viewer, rng):
    """A brain of 100, a scalp of 1000 round it, one voxel of 9000."""
    z, y, x = np.ogrid[-1:1:20j, -1:1:40j, -1:1:40j]
    radius = z**2 + y**2 + x**2
    data = np.where(radius < 0.6, rng.uniform(90, 110, radius.shape), 0)
    data = np.where((radius >= 0.6) & (radius < 0.9), 1000.0, data)
    data[0, 0, 0] = 9000
    layer = viewer.add_image(data)
    level = anatomical_view(viewer).window_level
    level.show(Preset.FULL)
    assert tuple(layer.contrast_limits) == (0, 9000)
    level.show(Preset.ROBUST)
    assert layer.contrast_limits[1] == pytest.approx(1000)
    level.show(Preset.BRAIN)
    assert 80 < layer.contrast_limits[0] < layer.contrast_limits[1] < 111


def test_letters_follow_planes_and_hide_in_3d(viewer, brain):
    anatomical_view(viewer)
    viewer.add_layer(brain)
    viewer.dims.order = (1, 0, 2)
    assert letters(viewer) == {"top": "S", "left": "R"}
    viewer.dims.order = (2, 0, 1)
    assert letters(viewer) == {"top": "S", "left": "A"}
    viewer.dims.ndisplay = 3
    assert letters(viewer) == {}


def test_letters_count_the_last_three_axes_of_a_time_series(viewer, phantom_volume):
    anatomical_view(viewer)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    viewer.add_image(np.zeros((2, 18, 26, 22)))
    assert letters(viewer) == {"top": "A", "left": "R"}


def test_a_volume_whose_sides_are_not_known_has_no_letters(viewer, phantom_volume):
    anatomical_view(viewer)
    source = replace(phantom_volume.source, is_oriented=False)
    layer = viewer.add_layer(Layer.create(*layer_data(replace(phantom_volume, source=source))))
    assert letters(viewer) == {}
    viewer.layers.remove(layer)
    viewer.add_layer(Layer.create(*layer_data(phantom_volume)))
    assert letters(viewer) == {"top": "A", "left": "R"}


def test_it_stays_as_long_as_somebody_holds_it(viewer, brain):
    view = anatomical_view(viewer)
    view.hold("layers")
    view.hold("dock")
    viewer.add_layer(brain)
    view.release("dock")
    assert letters(viewer)["top"] == "A"
    assert anatomical_view(viewer) is view
    view.release("layers")
    assert NAME not in canvas_overlays(viewer)
    assert viewer.mouse_drag_callbacks == ViewerModel().mouse_drag_callbacks


def test_letters_follow_the_convention(viewer, brain):
    view = anatomical_view(viewer, DisplayConvention.NEUROLOGICAL)
    viewer.add_layer(brain)
    assert letters(viewer)["left"] == "L"
    view.set_convention(DisplayConvention.RADIOLOGICAL)
    assert letters(viewer)["left"] == "R"


def test_a_drag_to_the_right_widens_the_window_and_up_raises_the_level():
    assert dragged_limits((0, 100), 50, 0, 1000) == (-50, 150)
    assert dragged_limits((0, 100), 0, 50, 1000) == (100, 200)
    low, high = dragged_limits((0, 100), -1e6, 0, 1000)
    assert low < high
    assert (low + high) / 2 == pytest.approx(50)


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("BraTS-GLI-00000-000-t1c", "T1c"),
        ("sub-01_ce-gd_T1w", "T1c"),
        ("patient_t1ce", "T1c"),
        ("T1 post-contrast", "T1c"),
        ("T1-Gd", "T1c"),
        ("BraTS-GLI-00000-000-t1n", "T1"),
        ("x_t2w", "T2"),
        ("x_t2f", "FLAIR"),
        ("axial FLAIR", "FLAIR"),
        ("T2-FLAIR", "FLAIR"),
        ("cat1", None),
        ("scan", None),
    ],
)
def test_the_contrast_is_guessed_from_the_name(name, contrast):
    assert guess_contrast(name) == contrast


def test_the_notice_names_what_the_model_was_not_trained_on():
    assert contrast_notice({"a": "T1c"}, ["T1c"], "M") == ""
    text = contrast_notice({"a": "T1c", "b": "T2", "c": "FLAIR"}, ["T1c"], "M")
    assert "not trained on T2, FLAIR" in text
    assert "“scan”" in contrast_notice({"scan": None}, ["T1c"], "M")
