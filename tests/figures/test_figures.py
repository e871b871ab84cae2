"""Figures: what they show, where, which way round, and that they appear whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from napari_metasr.degradations import degrade
from napari_metasr.figures import animation
from napari_metasr.figures import frames as frame_files
from napari_metasr.figures.animation import save_animation, zoom_path
from napari_metasr.figures.canvas import Canvas
from napari_metasr.figures.caption import (
    description_text,
    quality_text,
    scale_text,
    super_resolved_text,
)
from napari_metasr.figures.comparison import Comparison, Locator, save_comparison
from napari_metasr.figures.panel import View, bar_length, panel_size
from napari_metasr.figures.sequence import run_sequence, save_sequence
from napari_metasr.files import replacing
from napari_metasr.quality.trial import Quality, run_trial
from napari_metasr.volume import Plane
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from pathlib import Path


class Interpolating:
    """A model that stands in for a network: Lanczos interpolation."""

    class Encoded:
        def __init__(self, image: np.ndarray, value_range: tuple[float, float] | None) -> None:
            self.image, self.value_range = image, value_range

        def prepare(self, window=None) -> None:
            pass

    def encode(self, image, intensity_range=None, value_range=None) -> Encoded:
        return self.Encoded(image, value_range)

    def render(self, encoded: Encoded, scale, window=None) -> np.ndarray:
        return interpolate(encoded.image, scale, window, "lanczos", encoded.value_range)


def view(limits: tuple[float, float] = (0.0, 1.0), plane: Plane | None = Plane.AXIAL) -> View:
    return View(plane, limits)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float64)


def quadrants(shape: tuple[int, int] = (60, 60)) -> np.ndarray:
    """Right anterior 0.9, left anterior 0.6, right posterior 0.3, left posterior 0.1."""
    image = np.empty(shape)
    half_y, half_x = shape[0] // 2, shape[1] // 2
    image[half_y:, half_x:] = 0.9
    image[half_y:, :half_x] = 0.6
    image[:half_y, half_x:] = 0.3
    image[:half_y, :half_x] = 0.1
    return image


def compared(image: np.ndarray, **more) -> Comparison:
    return Comparison(image, image, (0.5, 0.5), (2.0, 2.0), "Meta-SRGAN", "a head", **more)


def test_comparison_is_radiological(tmp_path: Path) -> None:
    """The patient's right is on the left of the picture, anterior is on top."""
    path = save_comparison(tmp_path / "a.png", compared(quadrants()), view=view())
    page = pixels(path)
    bright = np.argwhere(np.abs(page - 255 * 0.9) < 2)
    others = {
        value: np.argwhere(np.abs(page - 255 * value) < 2).mean(axis=0) for value in (0.6, 0.3)
    }
    assert bright.mean(axis=0)[0] < others[0.3][0]  # anterior above posterior
    left_panel = bright[bright[:, 1] < page.shape[1] / 2]
    left_anterior = np.argwhere(np.abs(page[:, : page.shape[1] // 2] - 255 * 0.6) < 2)
    assert left_panel[:, 1].mean() < left_anterior[:, 1].mean()  # the patient's right on the left


def test_comparison_draws_every_pixel_as_it_is(tmp_path: Path) -> None:
    """Both panels hold the image's grey values exactly, each pixel a whole square."""
    image = np.random.default_rng(1).uniform(0, 1, (150, 150))
    page = pixels(save_comparison(tmp_path / "a.png", compared(image), view=view()))
    expected = np.kron(np.rint(255 * image[::-1, ::-1])[40:60, 40:60], np.ones((4, 4)))
    places = [
        (y, x)
        for y, x in np.argwhere(page[:-80, :-80] == expected[0, 0])
        if np.abs(page[y : y + 80, x : x + 80] - expected).max() == 0
    ]
    assert len(places) == 2
    assert places[0][0] == places[1][0]


def test_comparison_with_truth_has_three_panels_and_one_intensity_window(tmp_path: Path) -> None:
    image = np.full((100, 100), 30.0)
    image[40:60, 40:60] = 50.0
    both = compared(image)
    three = compared(image, truth=image, data_range=100.0)
    limits = view((0.0, 100.0))
    two_panels = pixels(save_comparison(tmp_path / "two.png", both, view=limits))
    three_panels = pixels(save_comparison(tmp_path / "three.png", three, view=limits))
    count = [(np.abs(page - 127.5) <= 1).sum() for page in (two_panels, three_panels)]
    assert count[1] == pytest.approx(1.5 * count[0], rel=0.02)


def test_locator_frames_the_window_where_it_is(tmp_path: Path) -> None:
    slice_ = np.zeros((80, 100))
    part = np.zeros((40, 40))
    path = save_comparison(
        tmp_path / "a.png",
        compared(part),
        view=view(),
        locator=Locator(slice_, (1.0, 1.0), (50.0, 60.0, 70.0, 80.0)),
    )
    with Image.open(path) as picture:
        page = np.asarray(picture.convert("RGB"), int)
    orange = np.argwhere((page[..., 0] > 200) & (page[..., 2] < 120))
    top, left = orange.min(axis=0)
    bottom, right = orange.max(axis=0)
    width, height = panel_size((80, 100), (1.0, 1.0), 0.55 * 600)
    # anterior rows 50..70 of 80 and right columns 60..80 of 100, seen from the feet
    assert (bottom - top) / height == pytest.approx(20 / 80, abs=0.02)
    assert (right - left) / width == pytest.approx(20 / 100, abs=0.02)
    assert left - 28 == pytest.approx((1 - 80 / 100) * width, abs=4)


def test_figures_keep_true_proportions() -> None:
    assert panel_size((20, 100), (5.0, 1.0)) == (600, 600)
    assert panel_size((100, 100), (1.0, 1.0)) == (600, 600)
    assert panel_size((4000, 1000), (1.0, 1.0)) == (400, 1600)


def test_no_text_leaves_the_page(tmp_path: Path) -> None:
    """The page's margin stays empty, however long the words."""
    comparison = Comparison(
        np.zeros((30, 200)), np.zeros((30, 200)), (1.0, 1.0), (2.0, 3.5), "A model of " + 90 * "x",
        "name " * 80, "details " * 60,
    )  # fmt: skip
    page = pixels(save_comparison(tmp_path / "a.png", comparison, view=view()))
    background = page[0, 0]
    for margin in (page[:12], page[-12:], page[:, :12], page[:, -12:]):
        assert (margin == background).all()


def test_long_text_loses_its_middle_and_breaks_into_lines() -> None:
    canvas = Canvas(400, 100)
    canvas.text("first " + 50 * "word " + "last", 0, 50, 15, max_width=300)
    shown = canvas.figure.texts[-1].get_text()
    assert shown.startswith("first")
    assert shown.endswith("last")
    assert "…" in shown
    lines = canvas.lines("one two three four five six seven eight nine ten", 15, 120)
    assert len(lines) > 2
    assert " ".join(lines) == "one two three four five six seven eight nine ten"


def test_every_figure_says_what_it_is(tmp_path: Path) -> None:
    path = save_comparison(tmp_path / "a.png", compared(quadrants()), view=view())
    with Image.open(path) as picture:
        words = picture.text["Description"]
    assert "Super-resolved by Meta-SRGAN, ×2" in words
    assert "research use" in words
    pdf = save_comparison(tmp_path / "a.pdf", compared(quadrants()), view=view())
    assert pdf.read_bytes().startswith(b"%PDF")


def test_output_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="exists"):
        save_comparison(path, compared(quadrants()), view=view())
    assert path.read_bytes() == b"mine"
    save_comparison(path, compared(quadrants()), view=view(), overwrite=True)
    assert path.read_bytes() != b"mine"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save_comparison(tmp_path / "none" / "a.png", compared(quadrants()), view=view())
    with pytest.raises(ValueError, match=r"\.png or \.pdf, found '\.bmp'"):
        save_comparison(tmp_path / "a.bmp", compared(quadrants()), view=view())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail_half_way() -> None:
        with replacing(path, overwrite=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_comparison_refuses_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="one shape"):
        Comparison(np.zeros((4, 4)), np.zeros((4, 5)), (1, 1), (2, 2), "m", "h")
    with pytest.raises(ValueError, match="data range"):
        compared(np.zeros((4, 4)), truth=np.zeros((4, 4)))


@pytest.mark.parametrize(
    ("plane", "letters"),
    [
        (Plane.AXIAL, ("A", "P", "R", "L")),
        (Plane.CORONAL, ("S", "I", "R", "L")),
        (Plane.SAGITTAL, ("S", "I", "A", "P")),
    ],
)
def test_letters_at_the_edges(plane: Plane, letters: tuple[str, ...]) -> None:
    shown = view(plane=plane).letters
    assert tuple(shown[side] for side in ("top", "bottom", "left", "right")) == letters


def test_a_plain_picture_has_neither_sides_nor_millimetres(tmp_path: Path) -> None:
    plain = view(plane=None)
    assert plain.letters == {}
    path = save_comparison(tmp_path / "a.png", compared(quadrants()), view=plain)
    with Image.open(path) as picture:
        assert "0.5 × 0.5 px" in picture.text["Description"]


@pytest.mark.parametrize(("extent", "length"), [(240, 50), (64, 20), (17, 5), (3.2, 1), (0.9, 0.2)])
def test_scale_bars_are_round(extent: float, length: float) -> None:
    assert bar_length(extent) == pytest.approx(length)


def test_captions() -> None:
    assert scale_text((3.7, 3.7)) == "×3.7"
    assert scale_text((2.0, 3.692307)) == "×2 (rows), ×3.692 (columns)"
    assert scale_text((3.7, 3.701), short=True) == "×3.70"
    assert scale_text((3.7, 2.0), short=True) == "×3.70, ×2.00"
    assert super_resolved_text("M", (4.0, 4.0), (0.25, 0.5)) == (
        "Super-resolved by M, ×4, output spacing 0.25 × 0.5 mm; "
        "for research use, not for diagnosis."
    )
    assert description_text("M", (3.7, 2.0)) == (
        "For research use, super-resolved by M, ×3.7 (rows), ×2 (columns)"
    )
    assert quality_text(Quality(34.123, 0.9621)) == "PSNR 34.12 dB · SSIM 0.962"
    assert quality_text(Quality(34.123, float("nan"))) == "PSNR 34.12 dB"


@pytest.fixture
def head() -> np.ndarray:
    """A slice of 82 x 99 pixels with detail, 0..1000."""
    noise = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=(82, 99)), 1.5)
    y, x = np.mgrid[-1:1:82j, -1:1:99j]
    return np.where(y**2 + x**2 < 0.8, 500 + 3000 * noise, 0).clip(0, 1000)


def test_a_trial_measures_both_against_the_truth(head: np.ndarray) -> None:
    low = degrade(head, (41, 33))
    trial = run_trial(
        low, head, Interpolating(), intensity_range=(0.0, 1000.0), value_range=(0.0, 1000.0)
    )
    assert trial.scale == (2.0, 3.0)
    expected = interpolate(low, (2, 3), value_range=(0.0, 1000.0))
    np.testing.assert_array_equal(trial.interpolated, expected)
    whole = trial.quality(trial.interpolated, in_box=False)
    error = np.mean((expected.astype(float) - head) ** 2)
    assert whole.psnr == pytest.approx(20 * np.log10(1000 / np.sqrt(error)))
    top, left, bottom, right = trial.box
    assert trial.quality(trial.interpolated, in_box=True) == Quality.of(
        expected[top:bottom, left:right], head[top:bottom, left:right], 1000.0
    )
    assert trial.quality(trial.truth, in_box=True).ssim == pytest.approx(1)


def test_sequence_reduces_by_four_and_back(head: np.ndarray) -> None:
    """At x4 the truth is the slice itself, at x1 the input: as in the publication's figure 8."""
    low, trials = run_sequence(
        head, Interpolating(), intensity_range=(0.0, 1000.0), scales=(1.0, 2.5, 4.0)
    )
    assert low.shape == (20, 24)
    np.testing.assert_allclose(low, degrade(head[:80, :96], (20, 24)), atol=1e-3)
    np.testing.assert_allclose(trials[0].truth, low, atol=1e-3)
    assert trials[1].truth.shape == (50, 60)
    np.testing.assert_allclose(trials[1].truth, degrade(head[:80, :96], (50, 60)), atol=1e-3)
    np.testing.assert_allclose(trials[2].truth, head[:80, :96], atol=1e-3)
    assert [trial.scale for trial in trials] == [(1.0, 1.0), (2.5, 2.5), (4.0, 4.0)]


def test_sequence_figure(tmp_path: Path, head: np.ndarray) -> None:
    low, trials = run_sequence(
        head, Interpolating(), intensity_range=(0.0, 1000.0), scales=(2.0, 4.0)
    )
    sizes = []
    for count in (1, 2):
        path = save_sequence(
            tmp_path / f"{count}.png", low, trials[:count], view=view((0, 1000)),
            spacing=(4.0, 4.0), window=(5.0, 5.0, 15.0, 15.0), model="Meta-SRGAN", heading="a head",
        )  # fmt: skip
        page = pixels(path)
        assert page.std() > 10
        sizes.append(page.shape)
    assert sizes[1][1] > sizes[0][1] + 200


def test_sequence_refuses_other_scales(head: np.ndarray) -> None:
    with pytest.raises(ValueError, match="scales of 1 to 4"):
        run_sequence(head, Interpolating(), intensity_range=(0.0, 1.0), scales=(5.0,))
    with pytest.raises(ValueError, match="at least 4 x 4"):
        run_sequence(head[:3], Interpolating(), intensity_range=(0.0, 1.0))


def test_zoom_path_grows_steadily_about_one_point() -> None:
    views = zoom_path((240, 240), (1.0, 1.0), (100.0, 40.0, 180.0, 120.0), 30)
    scales = np.array([zoom.scale[0] for zoom in views])
    assert scales[0] == pytest.approx(1.5)
    assert scales[-1] == pytest.approx(4.5)
    assert (np.diff(scales) > 0).all()
    assert views[0].centre == (120.0, 120.0)
    assert views[-1].centre == pytest.approx((140.0, 80.0))
    # a zoom has a fixed point: scale x (fixed point - centre) is the same in all frames
    slope = np.polyfit(1 / scales, [zoom.centre[0] for zoom in views], 1)
    np.testing.assert_allclose(
        np.polyval(slope, 1 / scales), [zoom.centre[0] for zoom in views], atol=1e-6
    )


def test_zoom_path_never_shrinks_pixels_and_makes_them_square() -> None:
    views = zoom_path((700, 100), (1.0, 5.0), (0.0, 0.0, 50.0, 10.0), 5)
    assert min(min(zoom.scale) for zoom in views) >= 1
    for zoom in views:
        assert zoom.scale[1] == pytest.approx(5 * zoom.scale[0])


def test_animation_does_not_tremble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spot is where the zoom says, in every frame, to a fraction of a pixel."""
    monkeypatch.setattr(frame_files, "GREY_LEVELS", (256,))
    monkeypatch.setattr(animation, "draw_letters", lambda *_: None)
    monkeypatch.setattr(animation, "draw_scale_bar", lambda *_: None)
    y, x = np.mgrid[:120, :120]
    spot = (70.3, 41.7)
    image = 1000 * np.exp(-((y + 0.5 - spot[0]) ** 2 + (x + 0.5 - spot[1]) ** 2) / 18)
    window = (50.0, 20.0, 90.0, 60.0)
    path = save_animation(
        tmp_path / "z.gif", image, Interpolating(), title="M", trained_scales=(1.1, 4.0),
        view=view((0, 1000)), spacing=(1.0, 1.0), window=window,
        intensity_range=(0.0, 1000.0), frames=9,
    )  # fmt: skip
    views = zoom_path((120, 120), (1.0, 1.0), window, 9)
    panel = animation.PANEL
    with Image.open(path) as frames:
        assert frames.n_frames == 9
        for number, zoom in enumerate(views):
            frames.seek(number)
            page = np.asarray(frames.convert("L"), float)[animation.HEADER :][:panel]
            for left in (animation.GAP, 2 * animation.GAP + panel):
                found = ndimage.center_of_mass(page[:, left : left + panel] ** 2)
                expected = [
                    panel / 2 - (spot[axis] - zoom.centre[axis]) * zoom.scale[axis] - 0.5
                    for axis in (0, 1)
                ]
                assert found == pytest.approx(expected, abs=0.25)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_files(tmp_path: Path, head: np.ndarray, suffix: str) -> None:
    path = save_animation(
        tmp_path / f"z{suffix}", head, Interpolating(), title="M", trained_scales=(1.1, 2.0),
        view=view((0, 1000)), spacing=(1.0, 1.0), window=(20.0, 20.0, 60.0, 60.0),
        intensity_range=(0.0, 1000.0), frames=4,
    )  # fmt: skip
    with Image.open(path) as frames:
        assert frames.n_frames == 4
    with pytest.raises(FileExistsError):
        save_animation(
            path, head, Interpolating(), title="M", trained_scales=(1.1, 2.0), view=view((0, 1)),
            spacing=(1.0, 1.0), window=(20.0, 20.0, 60.0, 60.0), intensity_range=(0.0, 1.0),
        )  # fmt: skip


def test_animation_gives_up_grey_levels_to_stay_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (200, 200))

    def size(largest: int) -> int:
        monkeypatch.setattr(frame_files, "LARGEST_BYTES", largest)
        path = save_animation(
            tmp_path / "z.gif", noise, Interpolating(), title="M", trained_scales=(1.1, 4.0),
            view=view(), spacing=(1.0, 1.0), window=(50.0, 50.0, 150.0, 150.0),
            intensity_range=(0.0, 1.0), frames=3, overwrite=True,
        )  # fmt: skip
        return path.stat().st_size

    free = size(10**9)
    assert size(free // 2) <= free // 2


def test_animation_refuses_other_formats(tmp_path: Path, head: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\.gif, \.webp, \.mp4, found '\.avi'"):
        save_animation(
            tmp_path / "z.avi", head, Interpolating(), title="M", trained_scales=(1, 4),
            view=view(), spacing=(1.0, 1.0), window=(0.0, 0.0, 9.0, 9.0),
            intensity_range=(0.0, 1.0),
        )  # fmt: skip
    with pytest.raises(ValueError, match="at least 2 frames"):
        zoom_path((9, 9), (1.0, 1.0), (0.0, 0.0, 9.0, 9.0), 1)
