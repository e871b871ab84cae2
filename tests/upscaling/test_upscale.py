"""Volumes upscaled from file to file: what is in them, where it lies, and what is left behind."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from fakes.nifti import ORIENTATIONS, affine_with, stored
from fakes.upscaling import small_models, smooth
from scipy import ndimage

from napari_metasr.degradations import slice_profile_matrix
from napari_metasr.files import file_sha256
from napari_metasr.geometry.grids import AxisGrid
from napari_metasr.io import read_volume
from napari_metasr.io.stored import StoredVolume
from napari_metasr.upscaling import parts
from napari_metasr.upscaling.consistency import SliceConsistency
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.upscaling.parts import PassKind
from napari_metasr.upscaling.plan import Plan
from napari_metasr.upscaling.progress import Phase
from napari_metasr.upscaling.provenance import Input
from napari_metasr.upscaling.sidecar import read_sidecar
from napari_metasr.upscaling.upscale import Upscaling
from napari_metasr.upscaling.workspace import Workspace
from napari_metasr.zoom.loading import load_model

SHAPE = (20, 18, 9)
SHIPPED = {"model": "meta-srgan", "through_plane_model": "meta-srgan-through-plane"}
MODELS: dict[str, str] = {}


@pytest.fixture(autouse=True, scope="module")
def models(tmp_path_factory):
    MODELS.update(small_models(tmp_path_factory.mktemp("models")))


def work_on(path, output, *, resume=False, overwrite=False, **options):
    volume = StoredVolume.open(path)
    plan = Plan.of(volume, UpscaleOptions(**(MODELS | options)), "cpu")
    return Upscaling(plan, Input.of(volume), output, resume=resume, overwrite=overwrite)


def upscaled(path, output, **options):
    for _ in work_on(path, output, **options).steps():
        pass
    return nib.load(output)


@pytest.fixture
def scan(tmp_path):
    return stored(tmp_path / "in.nii.gz", smooth(), affine_with("LPS"))


def test_slices_are_those_of_the_zoom(tmp_path, scan):
    options = {"scale": (2, 1.5, 1), "dtype": "float32", "model": "meta-srgan"}
    result = upscaled(scan, tmp_path / "out.nii.gz", **options)
    volume = read_volume(scan)
    model = load_model("meta-srgan", device="cpu")
    encoded = model.encode(volume.slice(index=4), volume.intensity_range, volume.value_range)
    expected = model.render(encoded, (1.5, 2))
    np.testing.assert_array_equal(read_volume(tmp_path / "out.nii.gz").slice(index=4), expected)
    assert result.get_data_dtype() == np.float32


def test_the_source_s_type_codes_and_units_are_kept(tmp_path):
    path = stored(tmp_path / "in.nii", smooth(), affine_with("PIR", oblique=True), sform=4, qform=1)
    exact = upscaled(path, tmp_path / "a.nii", scale=(2,), dtype="float32")
    result = upscaled(path, tmp_path / "b.nii", scale=(2,))
    assert result.get_data_dtype() == np.int16
    assert (result.header["sform_code"], result.header["qform_code"]) == (4, 1)
    assert result.header.get_xyzt_units() == ("mm", "sec")
    assert nib.aff2axcodes(result.affine) == ("P", "I", "R")
    np.testing.assert_array_equal(np.asanyarray(result.dataobj), np.rint(exact.get_fdata()))
    assert not list(tmp_path.glob(".*"))


def offset(image, reference):
    """By how many voxels an image of the same grid is shifted, by its gradient."""
    gradient = np.stack(np.gradient(reference)).reshape(3, -1)
    shift, *_ = np.linalg.lstsq(gradient.T, (image - reference).ravel(), rcond=None)
    return np.abs(shift).max()


@pytest.mark.parametrize("options", [{"scale": (2,)}, {"spacing": (0.5, 0.6, 0.65)}], ids=str)
@pytest.mark.parametrize("codes", ["LPS", "PSR"])
def test_a_smooth_phantom_registers_to_its_source(tmp_path, codes, options):
    affine = affine_with(codes, oblique=True)
    data = ndimage.gaussian_filter(smooth((26, 24, 22)).astype(np.float32), 2)
    path = stored(tmp_path / "in.nii", data, affine)
    result = upscaled(path, tmp_path / "out.nii", **SHIPPED, **options)
    to_source = np.linalg.inv(affine) @ result.affine
    inner = tuple(slice(8, size - 8) for size in result.shape)
    voxels = np.stack(np.meshgrid(*map(np.arange, result.shape), indexing="ij"), axis=-1)[inner]
    places = nib.affines.apply_affine(to_source, voxels)
    expected = ndimage.map_coordinates(data, np.moveaxis(places, -1, 0), order=3)
    scale = np.diag(to_source[:3, :3]).max()
    assert offset(result.get_fdata()[inner], expected) * max(scale, 1) < 0.05


@pytest.fixture(scope="module")
def canonical(models, tmp_path_factory):
    """A small image, and what becomes of it."""
    image = nib.Nifti1Image(smooth((8, 7, 5)), affine_with("RAS", oblique=True))
    folder = tmp_path_factory.mktemp("canonical")
    nib.save(image, folder / "in.nii")
    upscaled(folder / "in.nii", folder / "out.nii", scale=(1.5, 2, 3))
    return image, read_volume(folder / "out.nii")


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_every_orientation_gives_the_same_picture(tmp_path, codes, canonical):
    """The canonical result is one and the same, and lies in the same place in the world."""
    image, plain = canonical
    change = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(image.affine), nib.orientations.axcodes2ornt(codes)
    )
    nib.save(image.as_reoriented(change), tmp_path / "in.nii")
    sizes = {"R": 1.5, "L": 1.5, "A": 2, "P": 2, "S": 3, "I": 3}
    upscaled(tmp_path / "in.nii", tmp_path / "a.nii", scale=tuple(sizes[one] for one in codes))
    turned = read_volume(tmp_path / "a.nii")
    np.testing.assert_array_equal(turned.data, plain.data)
    np.testing.assert_allclose(turned.affine, plain.affine, atol=1e-5)


def test_time_points_are_upscaled_each_by_itself(tmp_path):
    series = np.stack([smooth(seed=3), smooth(seed=4)], axis=-1)
    path = stored(tmp_path / "in.nii", series, affine_with("RAS"))
    result = upscaled(path, tmp_path / "out.nii", scale=(1.5, 1.5, 2))
    assert result.shape == (30, 27, 18, 2)
    again = stored(tmp_path / "swapped.nii", series[..., ::-1], affine_with("RAS"))
    swapped = upscaled(again, tmp_path / "swapped-out.nii", scale=(1.5, 1.5, 2))
    np.testing.assert_array_equal(
        np.asanyarray(swapped.dataobj)[..., 0], np.asanyarray(result.dataobj)[..., 1]
    )


@pytest.mark.parametrize("scale", [(1.5, 1.5, 1), (1.5, 1.5, 2)])
def test_a_dim_volume_of_a_series_is_what_it_is_alone(tmp_path, scale):
    bright, dim = 1000 * smooth(seed=3).astype(np.float32), smooth(seed=4).astype(np.float32)
    series = stored(tmp_path / "in.nii", np.stack([bright, dim], axis=-1), affine_with("RAS"))
    result = upscaled(series, tmp_path / "out.nii", scale=scale)
    for time, data in enumerate((bright, dim)):
        path = stored(tmp_path / f"{time}.nii", data, affine_with("RAS"))
        alone = upscaled(path, tmp_path / f"{time}-out.nii", scale=scale)
        np.testing.assert_array_equal(
            np.asanyarray(result.dataobj)[..., time], np.asanyarray(alone.dataobj)
        )
    assert np.asanyarray(result.dataobj)[..., 1].max() <= dim.max()
    record = read_sidecar(tmp_path / "out.json")
    assert [values for _, values in record.time_point_ranges] == [
        (float(one.min()), float(one.max())) for one in (bright, dim)
    ]
    assert read_sidecar(tmp_path / "0-out.json").time_point_ranges is None


def test_slices_averaged_over_their_profile_are_the_input(tmp_path):
    data = smooth().astype(np.float32) + 500
    data[0, 0], data[-1, -1] = 0, 3000  # so that nothing in between is clipped
    path = stored(tmp_path / "in.nii", data, affine_with("RAS"))
    result = upscaled(path, tmp_path / "out.nii", scale=(1, 1, 3), **SHIPPED).get_fdata()
    profile = slice_profile_matrix(27, 9)
    inner = slice(3, -3)
    np.testing.assert_allclose((result @ profile.T)[inner, inner], data[inner, inner], atol=1)


@pytest.mark.parametrize("thickness", [0, 0.3, 1, 1.5])
@pytest.mark.parametrize("grid", [AxisGrid(6, 19), AxisGrid(5, 13, AxisGrid(11, 28).step)])
def test_consistency_is_a_projection(rng, grid, thickness):
    thick = rng.normal(size=(grid.input, 4)).astype(np.float32)
    thin = rng.normal(size=(grid.output, 4)).astype(np.float32)
    consistency = SliceConsistency(grid, thickness)
    once = consistency(thin, thick)
    np.testing.assert_allclose(consistency.averaged(once), thick, atol=1e-4)
    np.testing.assert_allclose(consistency(once, thick), once, atol=1e-4)


def test_gaps_stay_gaps_under_one_warning(tmp_path):
    data = smooth().astype(np.float32)
    data[4, 5, 3] = np.nan
    data[:, :, 7] = np.nan
    path = stored(tmp_path / "in.nii", data, affine_with("RAS"))
    with pytest.warns(UserWarning, match="361 voxels are NaN or infinite") as caught:
        result = upscaled(path, tmp_path / "out.nii", scale=(2,))
    assert len(caught) == 1
    expected = np.isnan(data).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(np.isnan(result.get_fdata()), expected)


def test_outside_the_boxes_it_is_interpolated(tmp_path, scan):
    box = ((2, 6), (4, 12), (5, 11))
    options = {"scale": (2, 2, 1), "dtype": "float32"}
    upscaled(scan, tmp_path / "within.nii", boxes=(box,), **options)
    upscaled(scan, tmp_path / "all.nii", **options)
    within, everywhere = (read_volume(tmp_path / f"{name}.nii").data for name in ("within", "all"))
    inside = np.zeros(within.shape, bool)
    inside[2:6, 8:24, 10:22] = True
    np.testing.assert_array_equal(within[inside], everywhere[inside])
    assert (within[~inside] != everywhere[~inside]).mean() > 0.9


def test_progress_tells_the_whole_and_shows_slices(tmp_path, scan, monkeypatch):
    monkeypatch.setattr(parts, "SLAB_BYTES", 20_000)
    work = work_on(scan, tmp_path / "out.nii.gz", scale=(2,))
    told = list(work.steps())
    shares = [progress.overall for progress in told]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1
    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages[:2] == [Phase.READING, PassKind.IN_PLANE]
    assert [progress.done for progress in told if progress.stage is PassKind.IN_PLANE][-1] == 1
    shown = [progress.preview for progress in told if progress.preview is not None]
    planes = list(dict.fromkeys(preview.plane for preview in shown))
    assert planes == ["axial", "coronal", "sagittal"]
    last = {preview.plane: preview for preview in shown}
    assert [last[plane].image.shape for plane in planes] == [(36, 40), (18, 40), (18, 36)]
    assert [last[plane].before.shape for plane in planes] == [(18, 20), (9, 40), (9, 36)]
    np.testing.assert_array_equal(last["axial"].before, read_volume(scan).slice(index=8))
    assert [last[plane].index + 1 for plane in planes] == [9, 36, 40]


def test_the_sidecar_says_how_it_was_made_and_names_no_folder(tmp_path, scan):
    upscaled(scan, tmp_path / "out.nii.gz", spacing=(0.35, 0.55, 0.3), **SHIPPED)
    text = (tmp_path / "out.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    record = read_sidecar(tmp_path / "out.json")
    assert record.sources == ("in.nii.gz",)
    assert record.output_sha256 == file_sha256(tmp_path / "out.nii.gz")
    assert record.spacing == pytest.approx((0.35, 0.55, 0.3))
    assert "x8.33 across slices is beyond the x6" in record.concerns[0]
    rows, columns = read_volume(scan).data.shape[1:]
    assert record.acquisition[0].startswith(f"stored {rows} x {columns}, acquired")
    assert any(line.startswith("noise: ") for line in record.acquisition)
    assert [one.name for one in record.models] == ["meta-srgan", "meta-srgan-through-plane"]
    assert json.loads(text)["GeneratedBy"][0]["Name"] == "napari-metasr"


def test_what_lies_in_gaps_is_doubted(tmp_path, scan):
    """Slices of 2.5 mm that are 1 mm thick were not there for the most part."""
    doubted = work_on(scan, tmp_path / "out.nii", scale=(1, 1, 2), thickness=1).plan.concerns
    assert "leave gaps in which nothing was measured" in doubted[0]
    assert not work_on(scan, tmp_path / "out.nii", scale=(1, 1, 2), thickness=2).plan.concerns
    assert not work_on(scan, tmp_path / "out.nii", scale=(2, 2, 1), thickness=1).plan.concerns


def test_slabs_make_no_difference(tmp_path, scan, monkeypatch):
    upscaled(scan, tmp_path / "whole.nii", scale=(2,))
    monkeypatch.setattr(parts, "SLAB_BYTES", 20_000)
    upscaled(scan, tmp_path / "slabs.nii", scale=(2,))
    assert (tmp_path / "whole.nii").read_bytes() == (tmp_path / "slabs.nii").read_bytes()


@pytest.mark.parametrize(("stop", "left"), [(1, 17), (2, 15), (6, 11), (12, 5), (16, 1)], ids=str)
def test_stopped_work_goes_on_to_the_same_file(tmp_path, scan, monkeypatch, stop, left):
    """The input is read, 3, 6 and 6 slabs follow, and compression."""
    monkeypatch.setattr(parts, "SLAB_BYTES", 20_000)
    monkeypatch.setattr(parts, "LEAST_PARTS", 1)
    upscaled(scan, tmp_path / "whole.nii.gz", scale=(2,))
    output = tmp_path / "out.nii.gz"
    steps = work_on(scan, output, scale=(2,)).steps()
    for _ in range(stop):
        next(steps)
    steps.close()
    assert not output.exists()
    assert sum(1 for _ in work_on(scan, output, scale=(2,), resume=True).steps()) == left
    assert output.read_bytes() == (tmp_path / "whole.nii.gz").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_work_whose_output_is_gone_is_upscaled_again(tmp_path, scan):
    """It was renamed, and then moved away, when the process ended."""
    output = tmp_path / "out.nii"
    steps = work_on(scan, output, scale=(2,)).steps()
    for progress in steps:
        if progress.stage is PassKind.SECOND_VIEW and progress.done == 1:
            break
    steps.close()
    (tmp_path / ".out.nii.unfinished" / "output.raw").rename(tmp_path / "moved.nii")
    for _ in work_on(scan, output, scale=(2,), resume=True).steps():
        pass
    assert output.read_bytes() == (tmp_path / "moved.nii").read_bytes()


def test_unfinished_work_of_other_options_is_not_gone_on_with(tmp_path, scan):
    steps = work_on(scan, tmp_path / "out.nii", scale=(2,)).steps()
    next(steps)
    steps.close()
    with pytest.raises(ValueError, match="begun from another input"):
        next(work_on(scan, tmp_path / "out.nii", scale=(3,), resume=True).steps())
    with pytest.warns(UserWarning, match=r"\.out\.nii\.unfinished: .* is discarded") as caught:
        upscaled(scan, tmp_path / "out.nii", scale=(3,))
    assert len(caught) == 1


def test_work_that_was_stopped_at_its_last_rename_goes_on(tmp_path, scan, monkeypatch):
    """The sidecar is there already: it is replaced, and the output appears."""
    output = tmp_path / "out.nii"
    with monkeypatch.context() as patch:
        patch.setattr(Workspace, "remove", lambda _: None)
        upscaled(scan, output, scale=(2, 2, 1))
    expected = output.read_bytes()
    output.rename(tmp_path / ".out.nii.unfinished" / "output.raw")
    for _ in work_on(scan, output, scale=(2, 2, 1), resume=True).steps():
        pass
    assert output.read_bytes() == expected


def test_two_processes_do_not_write_one_output(tmp_path, scan):
    steps = work_on(scan, tmp_path / "out.nii", scale=(2,)).steps()
    next(steps)
    with pytest.raises(ValueError, match="another process is working on this output"):
        next(work_on(scan, tmp_path / "out.nii", scale=(2,)).steps())
    steps.close()


def test_a_damaged_input_leaves_no_output(tmp_path, scan):
    scan.write_bytes(scan.read_bytes()[:-500])
    with pytest.raises(ValueError, match="truncated or damaged"):
        upscaled(scan, tmp_path / "out.nii", scale=(2,))
    assert [path.name for path in tmp_path.iterdir()] == ["in.nii.gz"]


def test_models_that_are_not_for_this_are_refused(tmp_path, scan):
    with pytest.raises(ValueError, match="expected a model for slices"):
        work_on(scan, tmp_path / "out.nii", scale=(2, 2, 1), model="meta-srgan-through-plane")
    with pytest.raises(ValueError, match="expected a model for what is between slices"):
        work_on(scan, tmp_path / "out.nii", scale=(1, 1, 2), through_plane_model="meta-srgan")
    with pytest.raises(ValueError, match="found a thickness of 9 mm"):
        work_on(scan, tmp_path / "out.nii", scale=(1, 1, 2), thickness=9)
