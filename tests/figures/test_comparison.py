"""Figures that compare two images: proportions, orientation, text, letters, scale bars."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import pytest
from fakes.figures import pixels, view
from PIL import Image

from napari_metasr.figures.canvas import Canvas
from napari_metasr.figures.caption import (
    description_text,
    quality_text,
    scale_text,
    super_resolved_text,
)
from napari_metasr.figures.comparison import Comparison, Locator, save_comparison
from napari_metasr.figures.panel import View, panel_size
from napari_metasr.files import replacing
from napari_metasr.io import read
from napari_metasr.quality.trial import Quality
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from pathlib import Path


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
    saved = tmp_path / "slice.png"
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(saved)
    plain = View.of(read(saved), Plane.AXIAL, (0.0, 1.0))
    assert plain.letters == {}
    path = save_comparison(tmp_path / "a.png", compared(quadrants()), view=plain)
    with Image.open(path) as picture:
        assert "0.5 × 0.5 px" in picture.text["Description"]


@pytest.mark.parametrize("oriented", [True, False])
def test_a_flat_image_has_the_unit_and_the_sides_that_its_header_knows(
    tmp_path: Path, oriented: bool
) -> None:
    image = nib.Nifti1Image(np.ones((32, 32), np.float32), np.diag([-0.5, 0.5, 1, 1]))
    for name in ("sform", "qform"):
        getattr(image, f"set_{name}")(image.affine, int(oriented))
    nib.save(image, tmp_path / "flat.nii")
    with nullcontext() if oriented else pytest.warns(UserWarning, match="no orientation"):
        flat = View.of(read(tmp_path / "flat.nii"), Plane.AXIAL, (0.0, 1.0))
    assert flat.unit == "mm"
    assert "".join(flat.letters.values()) == ("APRL" if oriented else "")


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
