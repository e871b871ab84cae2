"""Sheets, curves, and the evaluations that are mostly pictures."""

from __future__ import annotations

import csv

import nibabel
import numpy as np
import pytest
from fakes.evaluation import FakeNetwork, bench, experiment
from fakes.training import disc, slices
from PIL import Image

from metasr_training.condition import Condition
from metasr_training.datasets.slices import Slice
from metasr_training.evaluation.cases import RegionOptions, make_case
from metasr_training.evaluation.every_scale import evaluate_every_scale
from metasr_training.evaluation.noise import noise_sigma, signal_to_noise
from metasr_training.evaluation.output.plots import Line, Panel, save_plot
from metasr_training.evaluation.output.sheets import Tile, compared_tile, save_sheet, truth_tile
from metasr_training.evaluation.samples import (
    SampleOptions,
    evaluate_samples,
    sample_lines,
    selected,
)
from metasr_training.evaluation.scales import evaluate_scales, scale_cases
from metasr_training.evaluation.stacks import THICK, THIN, thinned, volume_views
from metasr_training.evaluation.through_plane import evaluate_through_plane
from napari_metasr.acquisition import slice_code
from napari_metasr.degradations import degrade


def read(folder, name="table.csv"):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_sheet_is_gray_and_shows_every_pixel_of_its_tiles(tmp_path, rng):
    image = rng.integers(0, 256, (20, 30)).astype(np.float64)
    tiles = [Tile(image, (0, 255), "one"), Tile(image[::-1], (0, 255), "two", "below")]
    path = save_sheet(tmp_path / "sheet.png", [tiles, tiles[:1]], "Both", width=90)
    with Image.open(path) as picture:
        assert picture.mode == "L"
        assert picture.info["Description"] == "Both"
        page = np.asarray(picture)
    assert page.shape[1] == 2 * 16 + 2 * 90 + 10
    drawn = np.repeat(np.repeat(image.astype(np.uint8), 3, 0), 3, 1)[3:-3, 3:-3]  # but its frame
    places = np.lib.stride_tricks.sliding_window_view(page, drawn.shape)
    rows, columns = np.nonzero(places[:, :, 0, 0] == drawn[0, 0])
    assert any(np.array_equal(places[y, x], drawn) for y, x in zip(rows, columns, strict=True))
    wide = [Tile(np.zeros((20, 200)), (0, 1)), Tile(np.zeros((20, 30)), (0, 1))]
    path = save_sheet(tmp_path / "sizes.png", [wide], "As they are", width=200, magnify=False)
    with Image.open(path) as picture:
        assert picture.size[0] == 2 * 16 + 200 + 10 + 150
    with pytest.raises(ValueError, match="at least one picture"):
        save_sheet(tmp_path / "none.png", [[]], "None", width=90)
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize("magnify", [True, False])
def test_figures_below_a_tile_are_not_cut(tmp_path, magnify):
    """Two notes that differ in their middle alone: cut, both would be ``PSNR 3...0.935``."""
    pages = []
    for name, note in (
        ("a", "PSNR 31.19 dB · SSIM 0.935 of all"),
        ("b", "PSNR 31.1\N{FIGURE DASH}9 dB · SSIM 0.935 of all"),
    ):
        tile = Tile(np.zeros((20, 30)), (0, 1), "x", note)
        path = tmp_path / f"{name}.png"
        save_sheet(path, [[tile, tile], [tile]], "", width=90, magnify=magnify)
        with Image.open(path) as picture:
            pages.append(np.asarray(picture))
    assert pages[0].shape[0] == pages[1].shape[0]
    assert min(page.shape[1] for page in pages) > 2 * 16 + 2 * 200 + 10


def test_captions_carry_psnr_and_ssim_and_the_truths_contrast():
    truth = np.tile(np.arange(40.0), (20, 1))
    tile = compared_tile(truth + 2.55, truth, 255.0, "m")
    assert tile.note.startswith("PSNR 40.00 dB")
    assert tile.limits == truth_tile(truth).limits


def test_a_plot_needs_a_curve(tmp_path):
    panel = Panel("t", "x", "y", (Line("a", [0, 1], [1, 2]), Line("r", [0, 1], [1, 1], True)))
    save_plot(tmp_path / "plot.png", [panel, panel], "Both")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.size[0] > 900
    with pytest.raises(ValueError, match="at least one curve"):
        save_plot(tmp_path / "none.png", [Panel("t", "x", "y", ())], "None")


def test_noise_is_estimated_and_smooth_slopes_are_not_taken_for_it(rng):
    y, x = np.mgrid[0:200, 0:200]
    slope = 100 + 0.5 * y + 0.002 * x**2
    noisy = slope + rng.normal(0, 7, slope.shape)
    assert noise_sigma(noisy) == pytest.approx(7, rel=0.05)
    assert noise_sigma(slope) < 0.1
    assert signal_to_noise(noisy) == pytest.approx(noisy.mean() / 7, rel=0.05)
    assert signal_to_noise(np.ones((5, 5))) == np.inf
    with pytest.raises(ValueError, match="at least 3 x 3"):
        noise_sigma(np.ones((2, 9)))


def test_samples_are_of_different_patients_and_sources_take_turns():
    image, mask = disc(1)
    pool = [
        Slice(image, (0, 200), source, patient, f"{source}{patient}{k}", mask)
        for source, patients in (("a", "123"), ("b", "4"))
        for patient in patients
        for k in range(2)
    ]
    found = selected(pool, SampleOptions(samples=3))
    assert len({(one.source, one.patient) for one in found}) == 3
    assert {one.source for one in found} == {"a", "b"}


def test_the_noisiest_truths_are_chosen(rng):
    parts = []
    for seed, sigma in ((1, 3.0), (2, 30.0), (3, 12.0)):
        image, mask = disc(seed, (64, 64))
        noisy = (image + rng.normal(0, sigma, image.shape)).clip(0, 255).astype(np.uint8)
        parts.append(Slice(noisy, (0.0, 200.0), "a", str(seed), str(seed), mask))
    options = SampleOptions(samples=2, select="noisiest", roi_size=32)
    assert [one.name for one in selected(parts, options)] == ["2", "3"]


def test_a_samples_lines_begin_with_the_slice_and_the_truth():
    case = make_case(slices(1)[0], Condition(scale=2), "crop", RegionOptions(crop_size=(36, 36)))
    outputs = {"m": case.truth + 1, "n": case.truth + 2}
    lines = sample_lines(case, outputs, detail=True)
    assert [[tile.title for tile in line] for line in lines] == [
        ["disc", "Truth", "m", "n"],
        ["detail", "Truth", "m", "n"],
    ]
    first, detail = lines
    assert first[0].image.shape == case.truth.shape
    assert first[1].image.shape == detail[0].image.shape == (36, 36)
    assert detail[1].image.shape == (12, 12)
    top, left, bottom, right = first[0].frame
    assert np.array_equal(first[0].image[top:bottom, left:right], first[1].image)
    many = sample_lines(case, {str(k): case.truth for k in range(6)}, detail=False)
    assert [len(line) for line in many] == [4, 4]


def test_samples_are_drawn_for_every_condition(tmp_path):
    wanted = experiment(
        "samples", region="roi", conditions=(Condition(scale=2), Condition(scale=4)),
        options={"roi_size": 24, "samples": 2},
    )  # fmt: skip
    bad = {"lfsr-x4": FakeNetwork("lfsr-x4", error=30)}
    one = bench(tmp_path, wanted, bad)
    findings = evaluate_samples(one)
    assert [name for name, _ in findings.figures] == ["samples-x2.png", "samples-x4.png"]
    assert all((one.output / name).stat().st_size > 0 for name, _ in findings.figures)
    assert findings.images == 2
    assert findings.not_converged["x4"] == ["LFSR"]
    assert len(read(one.output, "scores.csv")) == 2 * 2 * 2 * 4


def test_the_truth_at_each_scale_is_the_slice_reduced_by_what_is_left():
    part = slices(1)[0]
    cases = list(scale_cases(part, Condition(scale=4), (2.0, 2.5, 4.0)))
    finest = part.image[:60, :48].astype(np.float32)
    low = degrade(finest, (15, 12), "bicubic")
    assert all(np.array_equal(case.low_resolution, low) for case in cases)
    assert [case.truth.shape for case in cases] == [(30, 24), (38, 30), (60, 48)]
    assert np.allclose(cases[2].truth, finest)
    assert np.allclose(cases[0].truth, degrade(finest, (30, 24), "bicubic"))
    with pytest.raises(ValueError, match="scales up to the condition's 4, found 5"):
        list(scale_cases(part, Condition(scale=4), (2.0, 5.0)))


def test_scales_are_drawn_and_measured(tmp_path):
    wanted = experiment(
        "scales",
        conditions=(Condition(scale=4),),
        methods=(
            {"label": "Bicubic", "baseline": "bicubic"},
            {"label": "Meta-SRGAN", "recipe": "meta-srgan"},
        ),
        options={"scales": [2.0, 3.5]},
    )
    one = bench(tmp_path, wanted, {"meta-srgan": FakeNetwork("meta-srgan", error=-1)})
    findings = evaluate_scales(one)
    found = {
        (row["condition"], row["method"], row["region"], row["source"]) for row in read(one.output)
    }
    assert ("x3.5", "Meta-SRGAN", "brain", "all") in found
    assert set(findings.ranking) == {"x2", "x3.5"}
    names = [name for name, _ in findings.figures]
    assert names == ["scales.png", "over-scales.png", "curves.png"]
    assert all((one.output / name).stat().st_size > 0 for name in names)


def test_a_stack_is_thinned_along_its_rows_alone():
    part = slices(1)[0]
    for thickness in (THICK, THIN):
        case = thinned(part, 4, thickness)
        assert case.low_resolution.shape == (15, 50)
        assert (case.grid.true_scale) == (4, 1)
        assert case.condition == f"x4-{thickness.name}"
    odd = thinned(part, 5, THIN)
    assert np.array_equal(odd.low_resolution, part.image[2::5])
    even = thinned(part, 2, THIN).low_resolution
    assert np.allclose(even, (part.image[::2].astype(float) + part.image[1::2]) / 2)


@pytest.fixture
def volume_folder(tmp_path):
    folder = tmp_path / "data" / "volumes"
    folder.mkdir(parents=True)
    z, y, x = np.mgrid[-1:1:24j, -1:1:30j, -1:1:26j]
    head = (z**2 + y**2 + x**2 < 1) * (400 + 100 * np.sin(9 * z) + 50 * np.cos(7 * y + 5 * x))
    image = nibabel.nifti1.Nifti1Image(head.transpose(2, 1, 0).astype(np.int16), np.eye(4))
    nibabel.nifti1.save(image, folder / "A-t1c.nii.gz")
    return tmp_path


def test_views_cross_the_slices_of_a_volume(volume_folder):
    found = list(volume_views(volume_folder / "data", ("volumes/*t1c.nii*",), 2))
    assert [one.source for one in found] == ["sagittal", "sagittal", "coronal", "coronal"]
    assert found[0].image.shape == (24, 30)
    assert found[2].image.shape == (24, 26)
    assert len({one.name for one in found}) == 4
    assert list(volume_views(volume_folder, ("nothing*",), 2)) == []


def test_the_gain_across_slices_is_over_cubic_interpolation(volume_folder):
    wanted = experiment(
        "through-plane",
        id="meta-srgan-through-plane",
        conditions=tuple(Condition(scale=s, degradation="slice-profile") for s in (2, 4)),
        methods=({"label": "Net", "recipe": "through-plane"},),
        options={"views": 2, "volumes": ["volumes/*t1c.nii*"]},
    )
    one = bench(volume_folder, wanted, {"through-plane": FakeNetwork("through-plane", error=20)})
    findings = evaluate_through_plane(one)
    rows = read(one.output)
    assert {row["data"] for row in rows} == {"all", "sagittal", "coronal", "disc"}
    assert {(row["thickness"], row["factor"]) for row in rows} == {
        (name, factor) for name in ("thick", "thin") for factor in ("2.0", "4.0")
    }
    for row in rows:
        gain = float(row["gain"])
        assert gain < 0 if row["method"] == "Net" else gain == 0
    assert findings.not_converged["x2-thick"] == ["Net"]
    names = [name for name, _ in findings.figures]
    assert names == ["gain.png", "views.png", "curves.png"]
    assert all((one.output / name).stat().st_size > 0 for name in names)


def test_a_network_across_slices_is_told_how_thick_they_are(volume_folder):
    wanted = experiment(
        "through-plane",
        conditions=(Condition(scale=2, degradation="slice-profile"),),
        methods=(
            {"label": "Told", "recipe": "through-plane-told"},
            {"label": "Net", "recipe": "through-plane"},
        ),
        options={"views": 1, "volumes": ["volumes/*t1c.nii*"]},
    )
    told = FakeNetwork("through-plane-told", can_be_told=True)
    plain = FakeNetwork("through-plane")
    networks = {one.name: one for one in (told, plain)}
    evaluate_through_plane(bench(volume_folder, wanted, networks))
    thick, thin = (slice_code(share, along_rows=True) for share in (1.0, 0.0))
    found = {code.tobytes() for code in told.codes}
    assert found == {thick.tobytes(), thin.tobytes()}
    assert plain.codes == []
    assert len(plain.seen) == len(told.seen)


def test_every_scale_is_measured_under_every_degradation(tmp_path):
    wanted = experiment(
        "zoom",
        conditions=(Condition(scale=1.5), Condition(scale=2)),
        methods=(
            {"label": "Bicubic", "baseline": "bicubic"},
            {"label": "Net", "recipe": "zoom"},
        ),
        options={"degradations": ["box", "k-space"]},
    )
    one = bench(tmp_path, wanted, {"zoom": FakeNetwork("zoom", error=15)})
    findings = evaluate_every_scale(one)
    assert len(read(one.output)) == 2 * 2 * 2
    assert findings.not_converged["disc, box, x1.5"] == ["Net"]
    assert "| disc | k-space | x2 | 3 |" in findings.tables[0][1]
