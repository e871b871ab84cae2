"""Regions in files: where they lie in the world, and what is left when writing fails."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from fakes.lesions import POINT, box

from napari_metasr.io import read
from napari_metasr.lesions import Lesion, files
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import read_rois, write_mask, write_rois
from napari_metasr.volume import Plane, Source

FINDER = Finder(kind="detector", name="fake", title="Fake", sha256="0" * 64, point=POINT)


@pytest.fixture
def oblique(tmp_path, phantom_volume):
    """The phantom in a file stored in LIP order, oblique, with codes of its own."""
    turn = nib.eulerangles.euler2mat(0.1, -0.05, 0.2)
    affine = phantom_volume.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    image = nib.Nifti1Image(phantom_volume.data.transpose(2, 1, 0), affine)
    change = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(affine), nib.orientations.axcodes2ornt("LIP")
    )
    stored = image.as_reoriented(change)
    stored.set_sform(stored.affine, 1)
    stored.set_qform(stored.affine, 3)
    path = tmp_path / "head.nii.gz"
    nib.save(stored, path)
    return path


def corners(affine: np.ndarray, edges: list[tuple[float, float]]) -> np.ndarray:
    """World positions of a box's corners, given as voxel edges."""
    grid = np.array(np.meshgrid(*edges, indexing="ij")).reshape(3, -1).T - 0.5
    return nib.affines.apply_affine(affine, grid)


def ordered(points: np.ndarray) -> np.ndarray:
    return np.array(sorted(np.round(points, 3).tolist()))


@pytest.mark.parametrize("plane", list(Plane))
def test_json_and_mask_agree_in_the_world(oblique, tmp_path, plane):
    volume = read(oblique)
    lesion = Lesion(plane, {k: box(3, 5, 9, 12) for k in (6, 7, 8)})
    write_rois(tmp_path / "rois.json", volume, [lesion], FINDER, mask=tmp_path / "mask.nii.gz")

    source, mask = nib.load(oblique), nib.load(tmp_path / "mask.nii.gz")
    assert mask.shape == source.shape
    assert mask.get_data_dtype() == np.uint8
    np.testing.assert_allclose(mask.affine, source.affine, atol=1e-5)
    for code in ("sform_code", "qform_code"):
        assert mask.header[code] == source.header[code]
    inside = np.argwhere(np.asarray(mask.dataobj) == 1)
    assert len(inside) == 3 * 6 * 7
    from_mask = corners(
        mask.affine, list(zip(inside.min(axis=0), inside.max(axis=0) + 1, strict=True))
    )

    (written,) = json.loads((tmp_path / "rois.json").read_text())["lesions"]
    np.testing.assert_allclose(ordered(written["corners_mm"]), ordered(from_mask), atol=2e-3)
    region = written["regions"][0]
    assert (region["plane"], region["slice"], region["score"]) == (plane, 6, 0.9)
    assert [region[key] for key in ("y", "x", "height", "width")] == [3, 5, 6, 7]
    sizes = np.linalg.norm(np.diff(region["corners_mm"], axis=0), axis=1)
    np.testing.assert_allclose(
        sizes, [region["width_mm"], region["height_mm"], region["width_mm"]], atol=1e-3
    )
    spacing = volume.plane_spacing(plane)
    assert (region["height_mm"], region["width_mm"]) == pytest.approx(
        (6 * spacing[0], 7 * spacing[1]), abs=1e-4
    )
    first = [one["stored"] for one in written["regions"]]
    low = np.min(first, axis=(0, 2))
    np.testing.assert_allclose(low, inside.min(axis=0), atol=1e-3)
    centre = np.mean([np.mean(one["corners_mm"], axis=0) for one in written["regions"]], axis=0)
    np.testing.assert_allclose(centre, from_mask.mean(axis=0), atol=1e-3)


def test_lesions_are_read_as_they_were_written(oblique, tmp_path):
    volume = read(oblique)
    lesions = (
        Lesion(Plane.AXIAL, {2: box(1.25, 2, 6, 9.5), 3: box(1, 2, 6, 9, 0.0), 4: box(1, 2, 6, 9)}),
        Lesion(Plane.AXIAL, {9: box(10, 10, 12, 13, 0.6)}),
    )
    write_rois(tmp_path / "rois.json", volume, lesions, FINDER, scale_input=2, concerns=["Beware."])
    assert read_rois(tmp_path / "rois.json", volume) == lesions
    written = json.loads((tmp_path / "rois.json").read_text())
    assert written["concerns"] == ["Beware."]
    assert written["scale_input"] == 2
    assert "not for diagnosis" in written["purpose"]
    assert written["found_by"]["sha256"] == "0" * 64
    assert [one["number"] for one in written["lesions"]] == [1, 2]


def test_what_a_person_drew_has_no_score(oblique, tmp_path):
    volume, path = read(oblique), tmp_path / "rois.json"
    drawn = replace(box(1, 2, 6, 9, 1.0), by_hand=True)
    lesions = (
        Lesion(Plane.AXIAL, {2: box(1, 2, 6, 9, 0.6), 3: drawn}),
        Lesion(Plane.AXIAL, {9: drawn, 10: box(1, 2, 6, 9, 0.0), 11: drawn}),
    )
    write_rois(path, volume, lesions, FINDER)
    assert read_rois(path, volume) == lesions
    written = json.loads(path.read_text())["lesions"]
    assert [one["score"] for one in written] == [0.6, None]
    told = [(one["by_hand"], one["score"]) for one in written[1]["regions"]]
    assert told == [(True, None), (False, 0.0), (True, None)]
    document = json.loads(path.read_text())
    document["lesions"][0]["regions"][0]["score"] = None
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="expected a score of a region that is not by hand"):
        read_rois(path, volume)


def test_sizes_of_a_layer_in_pixels_are_no_millimetres(phantom_volume, tmp_path):
    lesion = Lesion(Plane.AXIAL, {4: box(1, 2, 3, 4)})
    for unit in ("pixels", "mm"):
        volume = replace(phantom_volume, source=Source("layer", unit=unit))
        write_rois(tmp_path / f"{unit}.json", volume, [lesion], FINDER)
        assert json.loads((tmp_path / f"{unit}.json").read_text())["unit"] == unit


def test_sizes_of_tiny_voxels_are_kept(phantom_volume, tmp_path):
    tiny = replace(
        phantom_volume,
        affine=np.diag([2e-3, 2e-3, 5e-3, 1.0]),
        spacing=(5e-3, 2e-3, 2e-3),
    )
    lesion = Lesion(Plane.AXIAL, {4: box(1, 2, 3, 4)})
    write_rois(tmp_path / "rois.json", tiny, [lesion], FINDER)
    (written,) = json.loads((tmp_path / "rois.json").read_text())["lesions"]
    assert written["volume_mm3"] == pytest.approx(4 * 2e-3**2 * 5e-3)
    assert written["size_mm"] == pytest.approx([4e-3, 4e-3, 5e-3])
    assert read_rois(tmp_path / "rois.json", tiny) == (lesion,)


def test_of_a_series_the_mask_has_one_time_point(phantom_volume, tmp_path):
    series = replace(phantom_volume, data=np.stack([phantom_volume.data] * 3))
    lesion = Lesion(Plane.AXIAL, {4: box(1, 2, 3, 4)})
    write_mask(tmp_path / "mask.nii", series, [lesion])
    assert nib.load(tmp_path / "mask.nii").shape == (22, 26, 18)


def test_nothing_is_left_when_the_second_output_fails(oblique, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(files, "write_volume", fail)
    lesion = Lesion(Plane.AXIAL, {4: box(1, 2, 3, 4)})
    (tmp_path / "rois.json").write_text("earlier")
    with pytest.raises(OSError, match="disk full"):
        write_rois(
            tmp_path / "rois.json",
            read(oblique),
            [lesion],
            FINDER,
            mask=tmp_path / "mask.nii.gz",
            overwrite=True,
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head.nii.gz", "rois.json"]
    assert (tmp_path / "rois.json").read_text() == "earlier"


def test_json_of_another_kind_or_space_is_refused(oblique, tmp_path, phantom_volume):
    volume = read(oblique)
    path = tmp_path / "rois.json"
    write_rois(path, volume, [Lesion(Plane.AXIAL, {4: box(1, 2, 3, 4)})], FINDER)
    with pytest.raises(ValueError, match=r"in the space of phantom.* found rois\.json with"):
        read_rois(path, phantom_volume)
    good = json.loads(path.read_text())
    good["lesions"][0]["regions"][0]["score"] = 2
    path.write_text(json.dumps(good))
    with pytest.raises(ValueError, match=r"lesions\.0\.regions\.0\.score"):
        read_rois(path, volume)
    path.write_text("[]")
    with pytest.raises(ValueError, match="expected regions as `napari-metasr detect` writes them"):
        read_rois(path, volume)
    with pytest.raises(ValueError, match=r"ends in \.json"):
        write_rois(tmp_path / "rois.txt", volume, [], FINDER)
    with pytest.raises(ValueError, match=r"\.nii\.gz, \.nii, \.mgz"):
        write_rois(tmp_path / "a.json", volume, [], FINDER, mask=tmp_path / "mask.png")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("regions", 1, "slice"), 4, "expected one region a slice, found several in 4"),
        (("regions", 1, "slice"), 6, r"expected rectangles of neighbouring slices .* \[4, 6\]"),
        (("regions", 1, "plane"), "coronal", "expected regions of one plane"),
        (("regions", 1, "y"), 500.0, "lies wholly outside the slice of 26 x 22 pixels"),
    ],
)
def test_regions_that_make_no_lesion_are_refused_by_name(
    phantom_volume, tmp_path, place, value, message
):
    path = tmp_path / "rois.json"
    write_rois(
        path, phantom_volume, [Lesion(Plane.AXIAL, {k: box(1, 2, 3, 4) for k in (4, 5)})], FINDER
    )
    document = json.loads(path.read_text())
    name, number, key = place
    document["lesions"][0][name][number][key] = value
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=rf"rois\.json: lesion 1: .*{message}"):
        read_rois(path, phantom_volume)


def test_slices_outside_the_volume_are_refused(phantom_volume, tmp_path):
    path = tmp_path / "rois.json"
    write_rois(path, phantom_volume, [Lesion(Plane.AXIAL, {18: box(1, 2, 3, 4)})], FINDER)
    with pytest.raises(ValueError, match=r"rois\.json: .* slices 18 to 18, found a volume of 18"):
        read_rois(path, phantom_volume)


def test_damaged_json_is_refused_by_name(phantom_volume, tmp_path):
    path = tmp_path / "rois.json"
    write_rois(path, phantom_volume, [], FINDER)
    document = json.loads(path.read_text())
    for affine in (document["affine"][:2], [[float("nan")] * 4] * 4):
        path.write_text(json.dumps({**document, "affine": affine}))
        with pytest.raises(ValueError, match=r"rois\.json: expected regions .* found affine\."):
            read_rois(path, phantom_volume)
    path.write_bytes(b'{"source": "\xe4"}')
    with pytest.raises(ValueError, match=r"rois\.json: expected regions .* found the file: "):
        read_rois(path, phantom_volume)


def test_regions_of_another_time_point_are_warned_of(phantom_volume, tmp_path):
    series = replace(phantom_volume, data=np.stack([phantom_volume.data] * 3))
    path = tmp_path / "rois.json"
    lesion = Lesion(Plane.AXIAL, {4: box(1, 2, 3, 4)})
    write_rois(path, series, [lesion], FINDER, time=2)
    assert read_rois(path, series, time=2) == (lesion,)
    with pytest.warns(UserWarning, match=r"found at time point 2, they are looked at at 1"):
        assert read_rois(path, series, time=1) == (lesion,)
