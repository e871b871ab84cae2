"""DICOM folders, archives and files as layers."""

from __future__ import annotations

import zipfile

import nibabel as nib
import numpy as np
import pytest
from fakes.dicom import STUDY, enhanced, oblique, save, series, voxels
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from napari_metasr.io.layers import volume_of
from napari_metasr.io.reader import get_reader

CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def layers_of(*paths):
    paths = [str(path) for path in paths]
    return get_reader(paths)(paths)


def test_every_volume_is_a_layer_in_its_place(tmp_path):
    first = series(voxels(), orientation=CORONAL)
    second = series(
        voxels(seed=1), orientation=oblique(3), uid=STUDY + ".2", SeriesNumber=5,
        SeriesDescription="t2",
    )  # fmt: skip
    layers = layers_of(save(tmp_path, [*first, *second]))
    assert [keywords["name"] for _, keywords, _ in layers] == ["MR_t1-mprage", "MR_t2"]
    for data, keywords, kind in layers:
        volume = volume_of(keywords["metadata"])
        assert kind == "image"
        assert data.shape == volume.spatial_shape
        assert nib.aff2axcodes(volume.affine) == ("R", "A", "S")
        np.testing.assert_allclose(keywords["scale"], volume.spacing)
        np.testing.assert_allclose(keywords["translate"], volume.affine[2::-1, 3])
        assert keywords["units"] == ("mm", "mm", "mm")


def test_layers_of_echoes_say_which_they_are(tmp_path):
    images = [*series(voxels(), EchoTime=20), *series(voxels(seed=1), EchoTime=80)]
    layers = layers_of(save(tmp_path, images))
    assert [keywords["name"] for _, keywords, _ in layers] == [
        "MR_t1-mprage-1 (echo time 20 ms)",
        "MR_t1-mprage-2 (echo time 80 ms)",
    ]
    names = [volume_of(keywords["metadata"]).source.name for _, keywords, _ in layers]
    assert names == ["MR_t1-mprage-1", "MR_t1-mprage-2"]


def test_a_corner_of_a_coronal_series(tmp_path):
    """Columns run to the left, rows down and slices backwards: canonical is all of that turned."""
    data = voxels()
    [(found, keywords, _)] = layers_of(save(tmp_path, series(data, orientation=CORONAL, step=2.5)))
    np.testing.assert_array_equal(found, data.transpose(1, 0, 2)[::-1, ::-1, ::-1])
    # first pixel: 10 mm right, 20 mm posterior, 30 mm up; normal is to the posterior
    assert keywords["scale"] == pytest.approx((0.8, 2.5, 0.6))
    assert keywords["translate"] == pytest.approx((30 - 6 * 0.8, -20 - 4 * 2.5, 10 - 5 * 0.6))


def test_what_is_refused_is_told_and_the_rest_opens(tmp_path):
    broken = series(voxels(), uid=STUDY + ".2", SeriesNumber=5, SeriesDescription="t2")
    del broken[1]
    alone = series(voxels((1, 7, 6)), uid=STUDY + ".4", SeriesNumber=1, SeriesDescription="scout")
    save(tmp_path, [*series(voxels()), *broken, *alone])
    with pytest.warns(UserWarning, match="Left out") as warned:
        layers = layers_of(tmp_path)
    assert [keywords["name"] for _, keywords, _ in layers] == ["MR_t1-mprage"]
    told = [str(one.message) for one in warned]
    assert told[0] == "Left out: series 1: MR scout: a single image"
    assert told[1].startswith("Left out: series 5: MR t2: expected 5 slices 2.5 mm apart")


def test_single_images_open_where_there_is_nothing_else(tmp_path):
    file = next(save(tmp_path, series(voxels((1, 7, 6)))).iterdir())
    [(data, _, _)] = layers_of(file)
    assert data.shape == (1, 7, 6)


def test_one_file_of_a_series_is_told_to_be_one_image(tmp_path):
    folder = save(tmp_path / "in", series(voxels()))
    with pytest.warns(UserWarning, match="single image: open its folder for the whole series"):
        [(data, _, _)] = layers_of(sorted(folder.iterdir())[2])
    assert data.shape == (1, 7, 6)
    alone = save(tmp_path / "alone", [enhanced(voxels()), *series(voxels((1, 7, 6)))])
    for path in sorted(alone.iterdir()):
        beside = tmp_path / path.stem
        beside.mkdir()
        layers_of(path.rename(beside / path.name))  # warnings are errors


def test_files_that_are_dropped_together_are_one_series(tmp_path):
    files = sorted(save(tmp_path, series(voxels())).iterdir())
    [(data, _, _)] = layers_of(*files)
    assert data.shape == (5, 7, 6)


def test_a_layer_knows_where_its_series_lies(tmp_path):
    second = series(voxels(seed=1), uid=STUDY + ".2", SeriesNumber=5, SeriesDescription="t2")
    folders = save(tmp_path / "a", series(voxels())), save(tmp_path / "b" / "c", second).parent
    layers = layers_of(*folders)
    assert [volume_of(one["metadata"]).source.path for _, one, _ in layers] == list(folders)
    files = sorted(folders[0].iterdir())
    [(_, one, _)] = layers_of(*files)
    assert volume_of(one["metadata"]).source.path == folders[0]


def damaged(images):
    for one in images:
        one.compress(RLELossless)
    images[2].PixelData = encapsulate([bytes(70)])
    return images


def test_a_damaged_series_does_not_lose_the_others(tmp_path):
    spoilt = damaged(series(voxels(), uid=STUDY + ".2", SeriesNumber=9))
    save(tmp_path / "a", series(voxels()))
    save(tmp_path / "b", spoilt)
    with pytest.warns(UserWarning, match="Left out: .*series 9: .* image 3 truncated or damaged"):
        [(data, _, _)] = layers_of(tmp_path)
    assert data.shape == (5, 7, 6)
    with pytest.raises(ValueError, match="image 3 truncated or damaged"):
        layers_of(tmp_path / "b")


def test_nothing_but_damaged_series(tmp_path):
    for number in (2, 3):
        one = series(voxels(), uid=f"{STUDY}.{number}", SeriesNumber=number)
        save(tmp_path / str(number), damaged(one))
    expected = pytest.raises(ValueError, match="expected a volume, found 2 damaged ones")
    with pytest.warns(UserWarning, match="Left out"), expected:
        layers_of(tmp_path)


def test_nothing_but_refused_series(tmp_path):
    images = series(voxels())
    del images[2]
    save(tmp_path, images)
    with pytest.raises(ValueError, match=r"found none \(series 3: MR t1 mprage: expected 5 slices"):
        layers_of(tmp_path)


def test_what_is_ours(tmp_path):
    dicom = save(tmp_path / "dicom", series(voxels()))
    others = tmp_path / "others"
    others.mkdir()
    nib.save(nib.Nifti1Image(voxels(), np.eye(4)), others / "scan.nii.gz")
    for name, content in (("dicom.zip", next(dicom.iterdir()).read_bytes()), ("text.zip", b"t")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("one", content)
    (tmp_path / "fake.dcm").write_text("no DICOM")
    (tmp_path / "empty").mkdir()
    ours = [dicom, tmp_path / "dicom.zip", next(dicom.iterdir())]
    assert all(get_reader(str(path)) is not None for path in ours)
    foreign = [others, tmp_path / "text.zip", tmp_path / "fake.dcm", tmp_path / "empty"]
    assert [get_reader(str(path)) for path in foreign] == [None] * 4
    assert get_reader([str(dicom), str(others)]) is None


def test_napari_finds_the_reader(tmp_path, npe2pm):
    import npe2

    npe2pm.register(npe2.PluginManifest.from_distribution("napari-metasr"))
    folder = save(tmp_path, series(voxels()))
    for path in (folder, next(folder.iterdir())):
        [reader] = npe2pm.iter_compatible_readers([path])
        assert reader.command == "napari-metasr.read_image"
