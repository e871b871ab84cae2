"""What the dock for whole volumes says before it works: sizes, times, names, concerns."""

from __future__ import annotations

import os

import numpy as np
import pytest
from fakes.models import install
from fakes.upscale_dock import volume_of
from napari.layers import Image

from napari_metasr.trust.told import Words
from napari_metasr.upscaling.costs import REACH, SEARCHED
from napari_metasr.upscaling.unpacking import occupied
from napari_metasr.volume import Plane, Source, Volume
from napari_metasr.widgets.panels.assumed import NOT_TOLD
from napari_metasr.widgets.panels.dialogs import with_ending
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.outlook import likely, outlook, output_name
from napari_metasr.widgets.upscaling.settings import FOUND, WHOLE, NumberType, UpscaleSettings
from napari_metasr.widgets.upscaling.target import Target, TargetKind
from napari_metasr.widgets.upscaling.task import _folder_beside, file_of

TWICE = Target(TargetKind.SCALE, (2.0, 2.0, 2.0), same=True)


def settings(target=TWICE, **options):
    return UpscaleSettings(
        **{
            "plane": Plane.AXIAL,
            "target": target,
            "model": "meta-srgan",
            "through_plane_model": "meta-srgan-through-plane",
            "device": "cpu",
            "assumed": Words(),
            "within": 0,
            "thickness": None,
            "dtype": NumberType.SOURCE,
            "output": "",
            "opens": True,
            "labels": True,
        }
        | options
    )


def test_scale_and_spacing_tell_the_same_grid():
    spacing = (4.0, 1.0, 1.0)
    finer = Target(TargetKind.SPACING, (2.0, 0.5, 0.5), same=False)
    assert TWICE.as_kind(TargetKind.SPACING, spacing) == finer
    for wanted in (TWICE, Target(TargetKind.SCALE, (1.0, 1.25, 2.5), same=False)):
        other = wanted.as_kind(TargetKind.SPACING, spacing)
        assert other.as_kind(TargetKind.SCALE, spacing) == wanted
        assert wanted.as_kind(TargetKind.SCALE, spacing) is wanted


@pytest.mark.parametrize(
    ("spacing", "plane", "wanted"),
    [
        ((1.0, 1.0, 1.0), Plane.AXIAL, TWICE),
        ((1.2, 1.0, 1.0), Plane.AXIAL, TWICE),
        ((5.0, 0.5, 0.5), Plane.AXIAL, Target(TargetKind.SPACING, (0.5,) * 3, same=True)),
        ((0.9, 3.0, 0.9), Plane.CORONAL, Target(TargetKind.SPACING, (0.9,) * 3, same=True)),
        ((0.9, 0.8, 3.0), Plane.SAGITTAL, Target(TargetKind.SPACING, (0.8,) * 3, same=True)),
    ],
)
def test_thick_slices_are_likely_to_become_cubes(spacing, plane, wanted):
    assert likely(spacing) == (plane, wanted)


def test_numbers_are_given_along_the_file_s_own_axes():
    volume = volume_of(codes="PIR", shape=(5, 6, 7))
    wanted = Target(TargetKind.SCALE, (1.0, 2.0, 3.0), same=False)
    plan = outlook(volume, settings(wanted)).plan
    assert plan.options.scale == (2.0, 1.0, 3.0)
    assert plan.target.shape == (5, 12, 21)


def test_the_output_s_size_and_the_parts_of_the_work_are_told_before():
    volume = volume_of(shape=(10, 20, 30), spacing=(4.0, 1.0, 1.0))
    ahead = outlook(volume, settings(Target.isotropic(volume.spacing)))
    assert ahead.nbytes == 40 * 20 * 30 * 2
    assert ahead.seconds(None) > 0
    assert ahead.seconds(2.0) == 2 * ahead.cost
    text = words.plan(volume, ahead, None).replace("\N{NO-BREAK SPACE}", " ")
    assert "Input 30 × 20 × 10 voxels of 1 × 1 × 4 mm." in text
    assert "Output 30 × 20 × 40 voxels of 1 × 1 × 1 mm.\n46.9 KiB" in text
    assert "Learned: the space between axial slices" in text
    assert "roughly" in text
    assert "Interpolated: nothing." in text
    assert "about" in words.plan(volume, ahead, 1e-3)


def test_a_rough_guess_counts_the_cores_that_may_be_used(monkeypatch):
    ahead = outlook(volume_of(), settings())
    seconds = []
    for cores in (1, 2, 8, 64):
        usable = set(range(cores))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, usable=usable: usable, raising=False)
        seconds.append(ahead.seconds(None))
    np.testing.assert_allclose(seconds, seconds[0] / np.array([1, 2, 8, 8]))


def test_air_takes_no_time():
    volume = volume_of(shape=(10, 200, 300))
    volume.data[:, 60:, 100:] = 1
    full = outlook(volume, settings())
    known = outlook(volume, settings(), occupied(volume.data[None]))
    seen = (140 + REACH) / 200 * (200 + REACH) / 300
    assert known.cost == pytest.approx(seen * full.cost, rel=0.1)


def test_lesions_alone_take_less_time_and_looking_for_them_some():
    volume = volume_of(shape=(10, 200, 300))
    whole, found, regions = (
        outlook(volume, settings(within=within)).cost for within in (WHOLE, FOUND, FOUND + 1)
    )
    assert regions < found < 0.5 * whole
    assert found - regions == pytest.approx(SEARCHED * volume.data.size)


def test_each_task_has_a_folder_of_its_own(tmp_path):
    with _folder_beside(tmp_path / "out.nii") as one, _folder_beside(tmp_path / "out.nii") as other:
        assert one != other
        assert {one.parent, other.parent} == {tmp_path}
        assert one.is_dir()
    assert not list(tmp_path.iterdir())


def test_what_speaks_against_a_result_is_told_before():
    volume = volume_of()
    wanted = settings(Target(TargetKind.SCALE, (1, 6, 6), same=False), within=FOUND)
    text = words.plan(volume, outlook(volume, wanted), None)
    assert "Beware: x6 in plane is beyond the x4 that Meta-SRGAN was trained on." in text
    assert "Interpolated: everything outside the boxes around lesions" in text
    fixed = settings(Target(TargetKind.SCALE, (1, 3, 3), same=False), model="ms-gan-x4")
    text = words.plan(volume, outlook(volume, fixed), None)
    assert "Interpolated: scales in plane other than x2 or x4" in text


def test_pixels_are_said_to_be_taken_for_mm():
    volume = volume_of()
    unknown = Volume(volume.data, volume.affine, volume.spacing, Source("array", unit="pixels"))
    assert words.PIXELS in words.plan(unknown, outlook(unknown, settings()), None)
    assert words.PIXELS not in words.plan(volume, outlook(volume, settings()), None)


def test_time_points_count():
    single = outlook(volume_of(), settings())
    series = outlook(volume_of(shape=(3, 5, 6, 7)), settings())
    assert series.nbytes == 3 * single.nbytes
    assert series.cost == pytest.approx(3 * single.cost)


def test_what_would_be_very_large_is_noticed_without_being_refused():
    volume = volume_of(shape=(100, 100, 100))
    assert outlook(volume, settings(Target(TargetKind.SCALE, (50, 50, 50), same=True))).is_large
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
            Target(TargetKind.SCALE, (1.0, 2.0, 2.5), same=False),
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


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "5 s"), (12, "15 s"), (99, "100 s"), (101, "2 min"), (3000, "50 min"), (9000, "2.5 h")],
)
def test_durations_are_told_as_exactly_as_they_are_known(seconds, expected):
    assert words.duration(seconds, roughly=False) == f"about {expected}"
    assert words.stage("in plane", seconds) == f"In plane · about {expected} left"


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


def test_a_model_that_can_be_told_is_told_what_is_chosen_and_no_other_is():
    install("tiny-told", network="meta-srgan-told")
    words = Words("box", 0.02)
    found = outlook(volume_of(), settings(model="tiny-told", assumed=words))
    assert found.plan.options.assume == "box,2%"
    assert outlook(volume_of(), settings(assumed=words)).plan.options.assume is None


def test_the_dock_offers_what_is_told_where_the_model_can_be_told(qtbot, make_dock, viewer):
    install("tiny-told", network="meta-srgan-told")
    dock = make_dock(viewer)
    offered = []
    for name in ("meta-srgan", "tiny-told"):
        dock.model.setCurrentIndex(dock.model.findData(name))
        qtbot.waitUntil(lambda: not dock.coordinator.is_waiting)
        offered.append((dock.assumed.acquisition.isEnabled(), dock.assumed.noise.isEnabled()))
    assert offered == [(False, False), (True, True)]
    assert dock.assumed.noise.toolTip() != NOT_TOLD
