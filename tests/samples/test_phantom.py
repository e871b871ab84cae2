"""The simulated phantom: deterministic, on the side it should be, true to its mask."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine

from napari_metasr.io import read_volume, write_volume
from napari_metasr.samples.anatomy import LESION_CENTRE, Anatomy, separable_field, sheet_distance
from napari_metasr.samples.phantom import CONTRASTS, LABELS, glioma_contrasts, glioma_phantom

SHAPE, SPACING = (40, 52, 44), 4.0


@pytest.fixture(scope="module")
def coarse():
    return glioma_contrasts(SHAPE, SPACING)


@pytest.fixture(scope="module")
def fine_slab():
    """A few slices through the tumour at 1 mm (the middle of the field of view is the brain's)."""
    volumes, mask = glioma_contrasts((61, 240, 240), 1.0)
    return volumes, mask


def centroid(volume, labelled):
    indices = np.argwhere(labelled).mean(axis=0)
    return apply_affine(volume.affine, indices[::-1])


def test_form(coarse):
    volumes, mask = coarse
    volume = volumes["t1c"]
    assert list(volumes) == list(CONTRASTS)
    assert volume.data.shape == mask.shape == SHAPE
    assert (volume.data.dtype, mask.dtype) == (np.uint16, np.uint8)
    assert volume.spacing == (SPACING,) * 3
    np.testing.assert_allclose(apply_affine(volume.affine, (21.5, 25.5, 19.5)), 0)
    assert set(np.unique(mask)) == {0, *LABELS.values()}


def test_a_seed_is_an_individual(coarse):
    volumes, mask = coarse
    again, mask_again = glioma_phantom(SHAPE, SPACING, contrast="t2")
    np.testing.assert_array_equal(again.data, volumes["t2"].data)
    np.testing.assert_array_equal(mask_again, mask)
    other, _ = glioma_phantom(SHAPE, SPACING, seed=1, contrast="t2")
    assert (other.data != again.data).mean() > 0.1


def test_the_tumour_is_on_the_right_and_only_there(coarse):
    volumes, mask = coarse
    found = centroid(volumes["t1c"], mask == LABELS["enhancing tumour"])
    assert np.abs(found - LESION_CENTRE).max() < 4
    x = apply_affine(volumes["t1c"].affine, np.argwhere(np.isin(mask, (1, 3)))[:, ::-1])[:, 0]
    assert x.min() > 0


def test_the_rim_encloses_the_core_in_the_oedema(fine_slab):
    from scipy.ndimage import binary_dilation

    _, mask = fine_slab
    core = mask == LABELS["necrotic core"]
    around = binary_dilation(core) & ~core
    assert (mask[around] == LABELS["enhancing tumour"]).mean() > 0.99
    whole = np.isin(mask, (1, 3))
    shell = binary_dilation(whole, iterations=2) & ~whole
    assert (mask[shell] == LABELS["oedema"]).mean() > 0.6


def test_contrasts_look_as_in_the_clinic(fine_slab):
    volumes, mask = fine_slab
    at = {
        contrast: {name: np.median(volume.data[mask == label]) for name, label in LABELS.items()}
        for contrast, volume in volumes.items()
    }
    tissue = {name: np.median(v.data[(v.data > 0) & (mask == 0)]) for name, v in volumes.items()}
    assert at["t1c"]["enhancing tumour"] > 1.4 * tissue["t1c"]
    assert at["t1c"]["necrotic core"] < 0.6 * tissue["t1c"]
    assert at["t1c"]["oedema"] < tissue["t1c"]
    assert at["t2"]["oedema"] > 1.3 * tissue["t2"]
    assert at["flair"]["oedema"] > 1.3 * tissue["flair"]
    assert at["flair"]["necrotic core"] < tissue["flair"]


def test_there_is_detail_for_super_resolution(fine_slab):
    """Halving the resolution must cost something in the brain: folds and vessels are fine."""
    from skimage.transform import resize

    volumes, _ = fine_slab
    image = volumes["t1c"].data[48].astype(np.float32)
    small = resize(image, (120, 120), order=1, anti_aliasing=True)
    error = resize(small, (240, 240), order=3) - image
    brain = image > 0
    quiet = glioma_phantom((61, 240, 240), 1.0, noise=0)[0].data[48].astype(np.float32)
    noise = np.std((image - quiet)[brain])
    assert np.std(error[brain]) > 2 * noise


def test_noise_is_rician_and_the_background_empty(coarse):
    volumes, _ = coarse
    noisy = volumes["t1c"].data.astype(float)
    clean = glioma_phantom(SHAPE, SPACING, noise=0)[0].data.astype(float)
    assert ((noisy == 0) == (clean == 0)).mean() > 0.999
    bright = clean > 500
    assert np.std((noisy - clean)[bright]) == pytest.approx(20, rel=0.05)
    assert noisy[:, 0].max() == 0


def test_grids_sample_the_same_individual():
    """The truth on a grid of half the spacing, averaged, is the truth on the coarse one."""
    _, coarse = glioma_phantom((40, 52, 44), 4.0)
    _, fine = glioma_phantom((80, 104, 88), 2.0)
    tumour = np.isin(fine, (1, 3)).reshape(40, 2, 52, 2, 44, 2).mean(axis=(1, 3, 5))
    inside = np.isin(coarse, (1, 3))
    assert tumour[inside].mean() > 0.85
    assert tumour[~inside].mean() < 0.005


def test_folds_agree_with_the_lengths_they_are_given():
    """Half a wave lies between two sheets, so the distance to them reaches a quarter of one."""
    z = np.linspace(-20, 20, 400, dtype=np.float32)[:, np.newaxis, np.newaxis]
    wave = np.broadcast_to(np.sin(2 * np.pi * z / 10), (400, 3, 3))
    distance = sheet_distance(wave, 10, (40 / 399, 1.0, 1.0))
    expected = np.abs((z + 2.5) % 5 - 2.5)
    np.testing.assert_allclose(distance, np.broadcast_to(expected, distance.shape), atol=0.06)


def test_fields_have_unit_variance():
    axes = tuple(
        np.linspace(-90, 90, 60, dtype=np.float32).reshape(shape)
        for shape in ((1, 1, 60), (1, 60, 1), (60, 1, 1))
    )
    field = separable_field(np.random.default_rng(0), axes, 12.0)
    assert field.shape == (60, 60, 60)
    assert abs(field.mean()) < 0.1
    assert field.std() == pytest.approx(1, abs=0.1)


def test_covers_are_fractions():
    axes = tuple(
        np.linspace(-80, 80, 20, dtype=np.float32).reshape(shape)
        for shape in ((1, 1, 20), (1, 20, 1), (20, 1, 1))
    )
    names = set()
    for tissue, cover in Anatomy(axes, (8.4, 8.4, 8.4), 0).coats():
        names.add(tissue)
        assert cover.min() >= 0
        assert cover.max() <= 1
    assert names == set(CONTRASTS["t1c"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (10, 10)}, "three axes"),
        ({"shape": (1, 10, 10)}, "at least 2 voxels"),
        ({"spacing": 0}, "positive spacing"),
        ({"spacing": np.nan}, "positive spacing"),
        ({"noise": -1}, "noise of at least 0"),
        ({"contrast": "pd"}, "t1c, t2, flair, found 'pd'"),
    ],
)
def test_nonsense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        glioma_phantom(**{"shape": (10, 10, 10), **arguments})


@pytest.mark.parametrize(
    "codes",
    [
        "".join(codes)
        for axes in itertools.permutations(("RL", "AP", "SI"))
        for codes in itertools.product(*axes)
    ],
)
def test_the_phantom_survives_every_orientation(tmp_path, coarse, codes):
    """Stored in any orientation, it is read the same, and the tumour stays on the right."""
    volume, mask = coarse[0]["t1c"], coarse[1]
    ras = nib.Nifti1Image(volume.data.T, volume.affine)
    change = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(codes)
    )
    nib.save(ras.as_reoriented(change), tmp_path / "stored.nii")

    read = read_volume(tmp_path / "stored.nii")
    assert read.source.orientation == codes
    np.testing.assert_array_equal(read.data, volume.data)
    np.testing.assert_allclose(read.affine, volume.affine, atol=1e-5)
    assert centroid(read, mask == LABELS["enhancing tumour"])[0] > 20

    write_volume(tmp_path / "written.nii", read.data, read.affine, read.source)
    before, after = nib.load(tmp_path / "stored.nii"), nib.load(tmp_path / "written.nii")
    np.testing.assert_array_equal(np.asanyarray(after.dataobj), np.asanyarray(before.dataobj))
    np.testing.assert_allclose(after.affine, before.affine, atol=1e-5)
