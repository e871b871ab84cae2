"""The parts of the dock for whole volumes, each by itself."""

from __future__ import annotations

import os

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor

from napari_metasr.geometry.display import NEUROLOGICAL, RADIOLOGICAL
from napari_metasr.io.layers import layer_data
from napari_metasr.upscaling import time_left as upscale_time
from napari_metasr.upscaling.time_left import TimeLeft
from napari_metasr.volume import Plane, Source, Volume
from napari_metasr.widgets.panels.dialogs import with_ending
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.masks import holds_regions, mask_maker
from napari_metasr.widgets.upscaling.outlook import likely, outlook, output_name
from napari_metasr.widgets.upscaling.preview import BeforeAfter, Pair, gray
from napari_metasr.widgets.upscaling.settings import NumberType, UpscaleSettings
from napari_metasr.widgets.upscaling.target import Target
from napari_metasr.widgets.upscaling.target_control import TargetControl
from napari_metasr.widgets.upscaling.task import _folder_beside, file_of

LEFT = Qt.MouseButton.LeftButton
TWICE = Target("scale", (2.0, 2.0, 2.0), same=True)


def settings(target=TWICE, **options):
    return UpscaleSettings(
        **{
            "plane": Plane.AXIAL,
            "target": target,
            "model": "meta-srgan",
            "through_plane_model": "meta-srgan-through-plane",
            "device": "cpu",
            "within": 0,
            "thickness": None,
            "dtype": NumberType.SOURCE,
            "output": "",
            "opens": True,
            "labels": True,
        }
        | options
    )


def volume_of(name="head", shape=(5, 6, 7), codes="RAS", spacing=(1.0, 1.0, 1.0), dtype="int16"):
    """Of a file with these axes."""
    signs = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for column, code in enumerate(codes):
        row, sign = signs[code]
        affine[row, column] = sign * spacing[2 - row]
    source = Source(name, affine=affine, orientation=codes)
    canonical = np.diag([*spacing[::-1], 1.0])
    return Volume(np.zeros(shape, dtype), canonical, spacing, source)


@pytest.fixture
def control(qtbot):
    control = TargetControl()
    qtbot.addWidget(control)
    return control


def typed(qtbot, box, text):
    box.selectAll()
    qtbot.keyClicks(box.lineEdit(), text)
    qtbot.keyClick(box, Qt.Key.Key_Return)


def test_one_number_is_meant_for_all_axes_until_each_may_have_its_own(qtbot, control):
    with qtbot.waitSignal(control.edited):
        typed(qtbot, control.boxes["y"], "2.7")
    assert control.target == Target("scale", (2.7, 2.7, 2.7), same=True)
    assert control.target.along((2, 1, 0)) == (2.7,)
    control.same.click()
    typed(qtbot, control.boxes["z"], "1")
    assert control.target == Target("scale", (1.0, 2.7, 2.7), same=False)
    assert control.target.along((0, 2, 1)) == (1.0, 2.7, 2.7)
    assert control.target.along((2, 1, 0)) == (2.7, 2.7, 1.0)
    control.same.click()
    assert control.target == Target("scale", (2.7, 2.7, 2.7), same=True)


def test_numbers_are_shown_without_needless_zeros_and_kept_exactly(control):
    control.show_target(Target("spacing", (0.46875, 0.5, 4.0), same=False))
    assert [box.text() for box in control.boxes.values()] == ["x 4", "y 0.5", "z 0.46875"]
    assert control.target.numbers == (0.46875, 0.5, 4.0)


def test_no_scale_below_one_can_be_asked_for(qtbot, control):
    typed(qtbot, control.boxes["x"], "0.5")
    assert control.target.numbers[2] >= 1


def test_scale_and_spacing_tell_the_same_grid():
    spacing = (4.0, 1.0, 1.0)
    assert TWICE.as_kind("spacing", spacing) == Target("spacing", (2.0, 0.5, 0.5), same=False)
    for wanted in (TWICE, Target("scale", (1.0, 1.25, 2.5), same=False)):
        other = wanted.as_kind("spacing", spacing)
        assert other.as_kind("scale", spacing) == wanted
        assert wanted.as_kind("scale", spacing) is wanted


@pytest.mark.parametrize(
    ("spacing", "plane", "wanted"),
    [
        ((1.0, 1.0, 1.0), Plane.AXIAL, TWICE),
        ((1.2, 1.0, 1.0), Plane.AXIAL, TWICE),
        ((5.0, 0.5, 0.5), Plane.AXIAL, Target("spacing", (0.5,) * 3, same=True)),
        ((0.9, 3.0, 0.9), Plane.CORONAL, Target("spacing", (0.9,) * 3, same=True)),
        ((0.9, 0.8, 3.0), Plane.SAGITTAL, Target("spacing", (0.8,) * 3, same=True)),
    ],
)
def test_thick_slices_are_likely_to_become_cubes(spacing, plane, wanted):
    assert likely(spacing) == (plane, wanted)


def test_numbers_are_given_along_the_file_s_own_axes():
    volume = volume_of(codes="PIR", shape=(5, 6, 7))
    wanted = Target("scale", (1.0, 2.0, 3.0), same=False)
    plan = outlook(volume, settings(wanted)).plan
    assert plan.options.scale == (2.0, 1.0, 3.0)
    assert plan.target.shape == (5, 12, 21)


def test_the_output_s_size_and_the_parts_of_the_work_are_told_before():
    volume = volume_of(shape=(10, 20, 30), spacing=(4.0, 1.0, 1.0))
    ahead = outlook(volume, settings(Target.isotropic(volume.spacing)))
    assert ahead.nbytes == 40 * 20 * 30 * 2
    assert ahead.seconds(None) > 0
    assert ahead.seconds(2.0) == 2 * ahead.cost
    text = words.plan(volume, ahead, None, within=False).replace("\N{NO-BREAK SPACE}", " ")
    assert "Input 30 × 20 × 10 voxels of 1 × 1 × 4 mm." in text
    assert "Output 30 × 20 × 40 voxels of 1 × 1 × 1 mm.\n0.0458 MiB" in text
    assert "Learned: the space between axial slices" in text
    assert "roughly" in text
    assert "Interpolated: nothing." in text
    assert "about" in words.plan(volume, ahead, 1e-3, within=False)


def test_a_rough_guess_counts_the_cores_that_may_be_used(monkeypatch):
    ahead = outlook(volume_of(), settings())
    seconds = []
    for cores in (1, 2, 8, 64):
        usable = set(range(cores))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, usable=usable: usable, raising=False)
        seconds.append(ahead.seconds(None))
    np.testing.assert_allclose(seconds, seconds[0] / np.array([1, 2, 8, 8]))


def test_each_task_has_a_folder_of_its_own(tmp_path):
    with _folder_beside(tmp_path / "out.nii") as one, _folder_beside(tmp_path / "out.nii") as other:
        assert one != other
        assert {one.parent, other.parent} == {tmp_path}
        assert one.is_dir()
    assert not list(tmp_path.iterdir())


def test_what_speaks_against_a_result_is_told_before():
    volume = volume_of()
    text = words.plan(
        volume, outlook(volume, settings(Target("scale", (1, 6, 6), same=False))), None, within=True
    )
    assert "Beware: x6 in plane is beyond the x4 that Meta-SRGAN was trained on." in text
    assert "Interpolated: everything outside the boxes around the lesions" in text
    fixed = settings(Target("scale", (1, 3, 3), same=False), model="ms-gan-x4")
    text = words.plan(volume, outlook(volume, fixed), None, within=False)
    assert "Interpolated: scales in plane other than x2 or x4" in text


def test_pixels_are_said_to_be_taken_for_mm():
    volume = volume_of()
    unknown = Volume(volume.data, volume.affine, volume.spacing, Source("array", unit="pixels"))
    assert words.PIXELS in words.plan(unknown, outlook(unknown, settings()), None, within=False)
    assert words.PIXELS not in words.plan(volume, outlook(volume, settings()), None, within=False)


def test_time_points_count():
    single = outlook(volume_of(), settings())
    series = outlook(volume_of(shape=(3, 5, 6, 7)), settings())
    assert series.nbytes == 3 * single.nbytes
    assert series.cost == pytest.approx(3 * single.cost)


def test_what_would_be_very_large_is_noticed_without_being_refused():
    volume = volume_of(shape=(100, 100, 100))
    assert outlook(volume, settings(Target("scale", (50, 50, 50), same=True))).is_large
    assert not outlook(volume, settings()).is_large


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("head", TWICE, "head_res-2x_desc-metasr.nii.gz"),
        ("sub-01_T1w", TWICE, "sub-01_res-2x_desc-metasr_T1w.nii.gz"),
        (
            "sub-01_ses-2_acq-4mm_T1w",
            Target.isotropic((0.7, 1.0, 1.0)),
            "sub-01_ses-2_acq-4mm_res-0p7mm_desc-metasr_T1w.nii.gz",
        ),
        (
            "a/b: c?",
            Target("scale", (1.0, 2.0, 2.5), same=False),
            "a_b_ c__res-2p5x2x1x_desc-metasr.nii.gz",
        ),
        ("...", TWICE, "volume_res-2x_desc-metasr.nii.gz"),
    ],
)
def test_outputs_are_named_as_derivatives(name, wanted, expected):
    assert output_name(volume_of(name), settings(wanted)) == expected


def test_a_typed_name_becomes_one_of_nifti(tmp_path):
    endings = (".nii.gz", ".nii")
    assert with_ending(tmp_path / "a", endings).name == "a.nii.gz"
    assert with_ending(tmp_path / "a.nii", endings).name == "a.nii"
    assert with_ending(tmp_path / "A.NII.GZ", endings).name == "A.NII.GZ"
    assert with_ending(tmp_path / "a.nii.gz", (".png",)).name == "a.png"
    assert with_ending(tmp_path / "a.b", (".png",)).name == "a.b.png"


def test_the_time_left_follows_the_work(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(upscale_time.time, "monotonic", lambda: clock[0])
    left = TimeLeft()
    assert left.seconds is None
    clock[0] = 120.0
    left.tell(0.4, counts=False)  # what was read
    clock[0] = 130.0  # a model is loaded before the first step
    left.tell(0.5)  # work that is gone on with
    assert left.seconds is None
    clock[0] = 140.0
    left.tell(0.6)
    assert left.per_whole == pytest.approx(100)
    assert left.measured == 10
    assert left.seconds == pytest.approx(40)
    clock[0] = 155.0
    assert left.seconds == pytest.approx(25)
    clock[0] = 999.0
    assert left.seconds == 0
    assert left.elapsed == 899


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "5 s"), (12, "15 s"), (99, "100 s"), (101, "2 min"), (3000, "50 min"), (9000, "2.5 h")],
)
def test_durations_are_told_as_exactly_as_they_are_known(seconds, expected):
    assert words.duration(seconds, roughly=False) == f"about {expected}"
    assert words.stage("in plane", seconds) == f"In plane · about {expected} left"


def pair(**options):
    """A slice brighter towards its last row and, more, its last column."""
    before = np.add.outer(np.arange(4), 10 * np.arange(8)).astype(np.float32)
    after = np.repeat(np.repeat(before, 2, 0), 2, 1)
    return Pair(
        **{
            "before": before,
            "after": after,
            "proportion": 2.0,
            "contrast_limits": (0.0, 73.0),
            "orientation2d": RADIOLOGICAL,
            "letters": {"top": "A", "bottom": "P", "left": "R", "right": "L"},
            "text": "axial slice 3 of 9",
        }
        | options
    )


@pytest.mark.parametrize(
    ("orientation", "brightest"),
    [(RADIOLOGICAL, (0, 0)), (NEUROLOGICAL, (0, -1)), (("down", "right"), (-1, -1))],
)
def test_slices_point_where_the_viewer_s_do(orientation, brightest):
    shown = pair(orientation2d=orientation)
    for image in (shown.before, shown.after):
        pixels = gray(image, shown)
        assert pixels[brightest] == pixels.max() == 255
        assert pixels.min() == 0


def test_both_slices_have_the_layer_s_contrast_and_gaps_are_dark():
    shown = pair(contrast_limits=(20.0, 40.0))
    before, after = gray(shown.before, shown), gray(shown.after, shown)
    np.testing.assert_array_equal(before, after[::2, ::2])
    assert set(np.unique(before[:, :4])) == {255}
    assert set(np.unique(before[:, 6:])) == {0}
    shown.before[0, 7] = np.nan
    assert gray(shown.before, shown)[-1, 0] == 0


@pytest.fixture
def preview(qtbot):
    preview = BeforeAfter()
    qtbot.addWidget(preview)
    preview.resize(310, 190)
    preview.show()
    return preview


def colors(preview):
    """The picture of the widget, (rows, columns)."""
    image = preview.grab().toImage()
    return np.array(
        [[QColor(image.pixel(x, y)).lightness() for x in range(310)] for y in range(190)]
    )


def test_a_preview_takes_as_much_room_whatever_it_shows(preview):
    hint, least = preview.sizeHint(), preview.minimumSizeHint()
    preview.show_pair(pair())
    assert (preview.sizeHint(), preview.minimumSizeHint()) == (hint, least)
    for proportion in (0.3, 1.0, 2.0, 5.0):
        preview.show_pair(pair(proportion=proportion))
        first, second = preview.frames
        assert first.width() / first.height() == pytest.approx(proportion)
        assert (first.size(), first.top()) == (second.size(), second.top())
        assert first.right() < second.left()
        assert preview.rect().toRectF().contains(first)
        assert preview.rect().toRectF().contains(second)


def test_both_slices_are_drawn_side_by_side(preview):
    shown = pair(letters={}, text="")
    preview.show_pair(shown)
    drawn = colors(preview)
    for frame in preview.frames:
        left, right = round(frame.left()) + 4, round(frame.right()) - 4
        row = round(frame.center().y())
        assert drawn[row, left] > 200
        assert drawn[row, right] < 40
    preview.show_pair(None)
    assert preview.pair is None


def test_a_click_looks_closer_and_another_one_at_the_whole(qtbot, preview):
    preview.show_pair(pair(letters={}, text=""))
    whole = colors(preview)
    frame = preview.frames[0]
    place = QPointF(frame.left() + 0.2 * frame.width(), frame.center().y()).toPoint()
    qtbot.mouseClick(preview, LEFT, pos=place)
    row, column = round(frame.center().y()), round(frame.right()) - 4
    assert colors(preview)[row, column] > whole[row, column] + 50
    qtbot.mouseClick(preview, LEFT, pos=place)
    np.testing.assert_array_equal(colors(preview), whole)


def test_nothing_is_looked_at_closer_before_there_is_a_slice(qtbot, preview):
    qtbot.mouseClick(preview, LEFT)
    preview.show_pair(pair(letters={}, text=""))
    before = colors(preview)
    preview.show_pair(pair(letters={}, text=""))
    np.testing.assert_array_equal(colors(preview), before)


def test_letters_stand_at_the_edges(preview):
    preview.show_pair(pair(letters={}, text="", contrast_limits=(100.0, 200.0)))
    without = colors(preview)
    preview.show_pair(pair(text="", contrast_limits=(100.0, 200.0)))
    rows, columns = np.nonzero(colors(preview) != without)
    assert rows.min() < 16 + 14
    assert rows.max() > 190 - 16 - 14
    for left, right in ((0, 153), (157, 310)):
        inside = columns[(columns >= left) & (columns < right)]
        assert inside.min() < left + 14
        assert inside.max() > right - 14


@pytest.fixture
def image(phantom_volume):
    data, keywords, _ = layer_data(phantom_volume)
    return Image(data, **keywords)


def test_labels_on_the_image_s_grid_hold_regions(image, phantom_volume):
    data = (phantom_volume.data > 800).astype(np.uint8) * 3
    place = {"scale": image.scale, "translate": image.translate}
    labels = Labels(data, **place)
    assert holds_regions(labels, image)
    assert not holds_regions(labels, None)
    assert not holds_regions(Labels(data), image)
    assert not holds_regions(image, image)
    np.testing.assert_array_equal(mask_maker(labels, image)(), data > 0)


def test_labels_of_a_series_hold_what_is_labelled_at_any_time():
    image = Image(np.zeros((3, 4, 5, 6)))
    data = np.zeros((3, 4, 5, 6), int)
    data[0, 1, 1, 1] = data[2, 2, 2, 2] = 1
    found = mask_maker(Labels(data), image)()
    assert found.shape == (4, 5, 6)
    assert set(zip(*np.nonzero(found), strict=True)) == {(1, 1, 1), (2, 2, 2)}


def test_boxes_that_were_found_hold_regions(image):
    corners = np.array([(4, 5.5, 6.5), (4, 5.5, 9.5), (4, 8.5, 9.5), (4, 8.5, 6.5)])
    boxes = Shapes(
        [corners, corners + np.array([1, 0, 0])],
        shape_type="rectangle",
        features={"lesion": [1, 1]},
        scale=image.scale,
        translate=image.translate,
    )
    assert holds_regions(boxes, image)
    assert not holds_regions(Shapes([corners], shape_type="rectangle"), image)
    found = mask_maker(boxes, image)()
    expected = np.zeros(image.data.shape, bool)
    expected[4:6, 6:9, 7:10] = True
    np.testing.assert_array_equal(found, expected)


def test_a_layer_without_lesions_is_named(image):
    empty = Labels(np.zeros(image.data.shape, int), name="nothing")
    with pytest.raises(ValueError, match="expected lesions in “nothing”, found none"):
        mask_maker(empty, image)()


def test_a_layer_is_its_file_as_long_as_numbers_and_place_are(tmp_path, phantom_volume):
    from napari_metasr.io.reader import read_layers
    from napari_metasr.io.writer import write_volume

    path = tmp_path / "head.nii.gz"
    write_volume(path, phantom_volume.data, phantom_volume.affine, phantom_volume.source)

    def read():
        ((data, keywords, _),) = read_layers(str(path))
        return Image(data, **keywords)

    assert file_of(read()) == path
    moved, changed, gone = read(), read(), read()
    moved.translate = np.add(moved.translate, 1)
    changed.data = changed.data + 1
    assert file_of(moved) is None
    assert file_of(changed) is None
    assert file_of(Image(phantom_volume.data)) is None
    path.unlink()
    assert file_of(gone) is None
