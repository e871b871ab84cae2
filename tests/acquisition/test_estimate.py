"""What is known of a whole scan; a scan that shows nothing raises nothing."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from fakes.acquisition import scan, texture, zero_filled

from napari_metasr.acquisition import Acquisition, estimate
from napari_metasr.io.images import read_picture
from napari_metasr.volume import Plane


def head(seed=0, shape=(12, 96, 104), noise=2.0):
    """A ball of texture in noisy air."""
    rng = np.random.default_rng(seed)
    inside = np.hypot(*np.mgrid[-1 : 1 : shape[1] * 1j, -1 : 1 : shape[2] * 1j]) < 0.7
    stack = np.stack([texture(seed + k, shape[1:]) * inside for k in range(shape[0])])
    real, imaginary = noise * rng.standard_normal((2, *shape))
    return np.hypot(stack + real, imaginary)


def test_the_band_of_each_axis_is_told_in_samples():
    stack = np.stack([zero_filled(one, 0.625, 0) for one in head(shape=(12, 128, 104))])
    found = estimate(scan(stack, (3, 0.5, 0.5)))
    assert found.rows.direction == "posterior-anterior"
    assert found.rows.acquired == pytest.approx(80, abs=3)
    assert found.rows.told_by == "spectrum"
    assert found.columns.acquired == found.columns.stored == 104
    assert found.slices.stored == 12
    assert found.slices.acquired is None
    assert found.rows.true_scale(2) == 2 * found.rows.acquired / 128
    assert found.resolution == (
        f"stored 128 x 104, acquired about {found.rows.acquired} x 104: "
        f"x2 along rows is truly x{found.rows.true_scale(2):.3g}"
    )


def test_the_sentence_of_the_page():
    values = {"direction": "rows", "stored": 512, "spacing": 0.5, "told_by": "spectrum"}
    whole = {**values, "direction": "columns", "acquired": 512}
    found = Acquisition(rows={**values, "acquired": 320}, columns=whole)
    assert found.resolution == (
        "stored 512 x 512, acquired about 320 x 512: x2 along rows is truly x1.25"
    )
    alike = Acquisition(rows={**whole, "direction": "rows"}, columns=whole)
    assert alike.resolution == "stored 512 x 512, acquired alike"


@pytest.mark.parametrize("sigma", [2.0, 6.0, 12.0])
def test_noise_is_told_by_the_air_and_without_air_by_flat_tissue(sigma):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[-1:1:120j, -1:1:120j]
    tissue = 120 * (np.hypot(y, x) < 0.7) * (1 + 0.2 * x)
    stack = np.hypot(
        tissue + sigma * rng.standard_normal((6, 120, 120)),
        sigma * rng.standard_normal((6, 120, 120)),
    )
    air = estimate(scan(stack, (3, 1, 1))).noise
    assert air.told_by == "air"
    assert air.sigma == pytest.approx(sigma, rel=0.05)
    assert air.share == pytest.approx(sigma / 150, rel=0.35)
    masked = estimate(scan(stack * (tissue > 0), (3, 1, 1))).noise
    assert masked.told_by == "tissue"
    assert masked.sigma == pytest.approx(sigma, rel=0.12)


@pytest.mark.parametrize("sigma", [1.25, 1.6, 2.3])
def test_noise_of_a_few_grey_levels_is_told_as_it_is(sigma):
    """An image of 8 bits, as of many archives: the median of whole numbers is a whole number."""
    rng = np.random.default_rng(3)
    tissue = 200 * (np.hypot(*np.mgrid[-1:1:120j, -1:1:120j]) < 0.7)
    noise = sigma * rng.standard_normal((2, 6, 120, 120))
    stack = np.hypot(tissue + noise[0], noise[1]).round().clip(0, 255).astype(np.uint8)
    found = estimate(scan(stack, (3, 1, 1))).noise
    assert found.told_by == "air"
    assert found.sigma == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize("level", [-1024.0, -60.0, 30.0])
def test_the_noise_of_signed_images_is_not_taken_for_that_of_magnitudes(level):
    """Tissue near 0, or far below it, whose noise is normal: CT, or intensities standardised."""
    rng = np.random.default_rng(4)
    tissue = np.hypot(*np.mgrid[-1:1:120j, -1:1:120j]) < 0.7
    stack = level + 20 * rng.standard_normal((6, 120, 120)) + 500 * tissue - 500
    found = estimate(scan(stack, (3, 1, 1))).noise
    assert found.told_by == "tissue"
    assert found.sigma == pytest.approx(20, rel=0.1)


def test_a_masked_scan_tells_the_same_when_its_intensities_were_standardised():
    rng = np.random.default_rng(5)
    inside = np.hypot(*np.mgrid[-1:1:128j, -1:1:104j]) < 0.75
    stack = np.stack([zero_filled(texture(k, (128, 104)) + 200, 0.625, 0) for k in range(12)])
    stack = stack + 3 * rng.standard_normal(stack.shape)
    mean, deviation = stack[:, inside].mean(), stack[:, inside].std()
    masked = estimate(scan(np.where(inside, stack, 0), (3, 1, 1)))
    found = estimate(scan(np.where(inside, (stack - mean) / deviation, 0), (3, 1, 1)))
    assert masked.rows.interpolated
    assert found.rows.acquired == masked.rows.acquired
    assert found.noise.told_by == "tissue"
    assert found.noise.sigma == pytest.approx(masked.noise.sigma / deviation, rel=0.1)


def test_weak_signals_noise_is_not_underestimated():
    from napari_metasr.acquisition.noise import rician_sigma

    rng = np.random.default_rng(2)
    for signal in (0.0, 1.0, 2.0, 4.0, 50.0):
        real, imaginary = rng.standard_normal((2, 400_000))
        magnitudes = np.hypot(real + signal, imaginary)
        found = rician_sigma(magnitudes.mean(), magnitudes.std())
        assert found == pytest.approx(1, abs=0.02 if signal != 1 else 0.06)


def test_a_blurred_axis_is_told_from_a_sharp_one():
    from scipy import ndimage

    stack = head(noise=0.1)
    blurred = ndimage.gaussian_filter1d(stack, 0.5, axis=1)
    found = estimate(scan(blurred, (3, 1, 1)))
    assert found.rows.blur > found.columns.blur + 0.5


def test_scans_that_show_nothing_say_so():
    rng = np.random.default_rng(0)
    nothing = {
        "twelve voxels": rng.random((2, 2, 3)),
        "one voxel": np.ones((1, 1, 1)),
        "one value": np.full((20, 40, 40), 7),
        "nothing finite": np.full((4, 40, 40), np.nan),
    }
    for name, data in nothing.items():
        found = estimate(scan(data, (1, 1, 1)))
        assert found.rows.acquired is None, name
        assert found.noise is None, name
        assert "acquired resolution: cannot tell" in found.resolution
        assert "noise: cannot tell" in found.lines
        assert "blur: cannot tell" in found.lines
    noise = estimate(scan(np.abs(rng.standard_normal((20, 64, 64))), (1, 1, 1)))
    assert noise.rows.acquired is None
    assert "contrast: cannot tell (expected one of T1c, T1, T2, FLAIR, PD)" in noise.lines


def test_odd_scans_raise_nothing():
    stack = head()
    defaced = stack.copy()
    defaced[:, 60:, 20:70] = 0
    touching = np.where(np.arange(104) < 70, stack, 0)
    filled = stack + 200  # no background
    series = np.zeros((3, *stack.shape))
    series[2] = stack  # two time points are empty
    gaps = stack.copy()
    gaps[:, 40:44] = np.nan
    for data in (defaced, touching, filled, series, gaps, -stack, stack.astype(np.int16)):
        found = estimate(scan(data, (3, 1, 1)))
        assert found.columns.stored == 104
        assert found.columns.acquired is not None
    found = estimate(scan(series, (3, 1, 1)))
    assert found.noise is not None
    assert found.lines[-1] == "looked at: time point 2"
    assert estimate(scan(series, (3, 1, 1)).at_time(2)).remarks == ()


def test_the_plane_that_was_acquired():
    for spacing, across in [
        ((1, 1, 1), "inferior-superior"),
        ((1, 4, 1), "posterior-anterior"),
        ((1, 1, 4), "left-right"),
    ]:
        assert estimate(scan(np.zeros((4, 5, 6)), spacing)).slices.direction == across
    rows = estimate(scan(head(), (1, 1, 1)), Plane.SAGITTAL).rows
    assert rows.direction == "inferior-superior"


class Watched:
    """A volume that notes which axial slices are read."""

    def __init__(self, volume):
        self.volume, self.axial = volume, set()

    def __getattr__(self, name):
        return getattr(self.volume, name)

    def slice(self, plane, index, time=0):
        if plane is Plane.AXIAL:
            self.axial.add(index)
        return self.volume.slice(plane, index, time)


def test_of_large_slices_fewer_are_looked_at(monkeypatch):
    module = importlib.import_module("napari_metasr.acquisition.estimate")
    monkeypatch.setattr(module, "MOST_PIXELS", 3 * 96 * 104)
    watched = Watched(scan(head(), (3, 1, 1)))
    assert estimate(watched).columns.acquired == 104
    assert len(watched.axial - {6}) <= 3  # the middle one tells whether there are values


def test_a_picture_has_rows_and_columns(tmp_path):
    from PIL import Image

    Image.fromarray(zero_filled(texture(1), 0.7, 1).astype(np.uint8)).save(tmp_path / "t2w.png")
    found = estimate(read_picture(tmp_path / "t2w.png"))
    assert found.columns.direction == "columns"
    assert found.columns.interpolated
    assert not found.rows.interpolated
    assert found.slices is None
    assert found.contrast == "T2"


def test_the_header_tells_what_the_spectrum_does_not():
    told = {
        "AcquisitionMatrix": [0, 80, 64, 0],  # 80 along columns, 64 phase encoded along rows
        "PercentSampling": 75.0,
        "SeriesDescription": "ax t2 tse DRB",
        "ConvolutionKernel": "sharp",
    }
    volume = scan(head(), (3, 1, 1), told=told, orientation="LPS")
    found = estimate(volume)
    assert (found.rows.acquired, found.columns.acquired) == (48, 80)
    assert found.rows.told_by == "header"
    assert (found.contrast, found.contrast_told_by) == ("T2", "header")
    assert found.remarks == (
        "header: reconstruction kernel sharp",
        "header: reconstructed by the scanner's own network (DRB)",
    )
    assert estimate(volume, contrast="FLAIR").contrast == "FLAIR"
    turned = scan(head(), (3, 1, 1), told=told, orientation="PLS")  # columns run to the back
    assert estimate(turned).rows.acquired == 80


def test_what_the_spectrum_shows_is_believed_before_the_header():
    stack = np.stack([zero_filled(one, 0.7, 1) for one in head()])
    found = estimate(scan(stack, (3, 1, 1), told={"AcquisitionMatrix": [0, 100, 96, 0]}))
    assert found.columns.told_by == "spectrum"
    assert found.columns.acquired == pytest.approx(73, abs=3)


@pytest.mark.parametrize(
    ("told", "contrast"),
    [
        ({"EchoTime": 3, "RepetitionTime": 8, "InversionTime": 450}, "T1"),
        ({"EchoTime": 10, "RepetitionTime": 550}, "T1"),
        ({"EchoTime": 10, "RepetitionTime": 550, "ContrastBolusAgent": "Gd"}, "T1c"),
        ({"EchoTime": 90, "RepetitionTime": 4000}, "T2"),
        ({"EchoTime": 90, "RepetitionTime": 9000, "InversionTime": 2500}, "FLAIR"),
        ({"EchoTime": 15, "RepetitionTime": 3000}, "PD"),
        ({"EchoTime": 45, "RepetitionTime": 3000}, None),
        ({"EchoTime": "odd"}, None),
        ({}, None),
    ],
)
def test_times_tell_the_contrast(told, contrast):
    found = estimate(scan(np.ones((2, 2, 2)), (1, 1, 1), told=told, name="brain"))
    assert found.contrast == contrast
