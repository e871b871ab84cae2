"""Figures by ``napari-metasr zoom``: their size, profiles, mosaics, all lesions at once."""

from __future__ import annotations

import csv

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from napari_metasr.cli import main
from napari_metasr.figures import blink
from napari_metasr.geometry.windows import Line
from napari_metasr.io import write_volume
from napari_metasr.zoom.loading import load_model


@pytest.fixture
def scan(tmp_path, phantom_volume):
    return write_volume(
        tmp_path / "scan.nii.gz", phantom_volume.data, phantom_volume.affine, phantom_volume.source
    )


@pytest.fixture
def segmentation(tmp_path, phantom_volume):
    """Two lesions: the phantom's bright one, and a block of six slices."""
    labels = (phantom_volume.data > 700).astype(np.uint8)
    labels[3:9, 4:9, 14:19] = 1
    return write_volume(
        tmp_path / "seg.nii.gz", labels, phantom_volume.affine, phantom_volume.source
    )


def zoom(scan, output, *words):
    return main(["zoom", str(scan), "--scale", "2", "--output", str(output), *words])


@pytest.mark.parametrize(("dpi", "width"), [(300, 85), (600, 180)])
def test_a_figure_has_the_width_and_the_dots_that_are_asked_for(scan, tmp_path, dpi, width):
    output = tmp_path / "figure.png"
    words = ["--region", "4,6,10,8", "--dpi", str(dpi), "--width", str(width)]
    assert zoom(scan, output, *words) == 0
    with Image.open(output) as picture:
        assert picture.width == pytest.approx(width / 25.4 * dpi, abs=1)
        assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.1)
        ink = np.asarray(picture.convert("L")) > 60
    assert 0.05 < ink.mean() < 0.9


def test_a_pdf_has_the_width_that_is_asked_for(scan, tmp_path):
    output = tmp_path / "figure.pdf"
    assert zoom(scan, output, "--region", "4,6,10,8", "--width", "85") == 0
    box = output.read_bytes().split(b"/MediaBox [")[1].split(b"]")[0].split()
    assert float(box[2]) == pytest.approx(85 / 25.4 * 72, abs=0.5)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--dpi", "20"], "--dpi of 50 to 1200, found 20"),
        (["--width", "2"], "--width of 40 to 1000 mm, found 2"),
        (["--profile", "1,1,1,1"], "two points r0,c0,r1,c1"),
        (["--profile", "1,1,300,1", "--region", "0,0,9,9"], "leaves the region"),
        (["--mosaic", "3"], "expected --lesion, found none"),
        (["--profile", "1,1,3,3", "--width", "85"], "expected --width or --profile, found both"),
    ],
)
def test_what_does_not_go_together_is_refused(scan, tmp_path, capsys, words, refusal):
    assert zoom(scan, tmp_path / "figure.png", *words) == 2
    assert refusal in capsys.readouterr().err
    assert not (tmp_path / "figure.png").exists()


def test_before_and_after_in_turn(scan, tmp_path, capsys, phantom_volume):
    """Two frames: the region by interpolation, then by the network, both in the same place."""
    output = tmp_path / "blink.gif"
    assert zoom(scan, output, "--blink", "--consistent", "bicubic") == 0
    assert "in turn" in capsys.readouterr().out
    with Image.open(output) as film:
        assert film.n_frames == 2
        assert film.info["duration"] == blink.SHOWN_MS
        pages = []
        for number in range(2):
            film.seek(number)
            pages.append(np.asarray(film.convert("L"), float))
    differs = pages[0] != pages[1]
    rows = np.flatnonzero(differs.any(axis=1))
    assert rows.max() >= blink.HEADER  # the pictures differ,
    assert not differs[-blink.FOOTER :].any()  # what stands below does not
    inner = slice(blink.HEADER, -blink.FOOTER)
    assert np.corrcoef(pages[0][inner].ravel(), pages[1][inner].ravel())[0, 1] > 0.9


def test_blinking_is_of_animations(scan, tmp_path, capsys):
    assert zoom(scan, tmp_path / "f.png", "--blink") == 2
    assert "--blink is of .gif, .webp, .mp4" in capsys.readouterr().err


def test_options_of_figures_are_refused_for_volumes(scan, tmp_path, capsys):
    assert zoom(scan, tmp_path / "out.nii", "--width", "85") == 2
    assert "--width is of figures, .png or .pdf" in capsys.readouterr().err


def test_a_profile_is_the_results_along_the_line(scan, tmp_path, phantom_volume):
    output = tmp_path / "profile.png"
    assert zoom(scan, output, "--slice", "11", "--profile", "4.5,3.5,20.5,15.5") == 0
    with (tmp_path / "profile.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    assert list(values) == ["distance", "row", "column", "acquired", "bicubic", "super_resolved"]
    assert (values["row"][0], values["column"][-1]) == (4.5, 15.5)
    length = np.hypot(16 * 1.0, 12 * 0.8)
    assert values["distance"][-1] == pytest.approx(length, rel=1e-5)
    assert len(rows) == 41  # two for each of 20 pixels, and the first
    image = phantom_volume.data[11]
    cells = values["row"].astype(int), values["column"].astype(int)
    np.testing.assert_array_equal(values["acquired"], image[cells])
    model = load_model("meta-srgan", device="cpu")
    ranges = phantom_volume.intensity_range, phantom_volume.value_range
    whole = model.render(model.encode(image, *ranges), 2)
    place = 2 * values["row"][0] - 0.5, 2 * values["column"][0] - 0.5
    assert place == (8.5, 6.5)  # between four output pixels
    assert values["super_resolved"][0] == pytest.approx(whole[8:10, 6:8].mean(), rel=1e-4)
    with Image.open(output) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    blue = (pixels[..., 2] > 200) & (pixels[..., 0] < 120)
    assert blue.sum() > 500  # the curve of bicubic


def test_a_line_knows_its_surroundings():
    line = Line.parse("10,20,2,40")
    assert line.box == (2, 20, 10, 40)
    margin = 0.25 * np.hypot(8, 20)
    assert line.surroundings == pytest.approx((2 - margin, 20 - margin, 10 + margin, 40 + margin))


def test_all_lesions_become_figures_in_one_go(scan, segmentation, tmp_path, capsys):
    output = tmp_path / "lesion.png"
    assert zoom(scan, output, "--lesion", "all", "--mask", str(segmentation)) == 0
    assert sorted(path.name for path in tmp_path.glob("lesion*")) == [
        "lesion-1.png",
        "lesion-1.png.json",
        "lesion-2.png",
        "lesion-2.png.json",
    ]
    said = capsys.readouterr().out.splitlines()
    assert ["lesion 1 of 2" in said[0], "lesion 2 of 2" in said[1]] == [True, True]
    assert zoom(scan, output, "--lesion", "all", "--mask", str(segmentation)) == 2
    assert "overwrite" in capsys.readouterr().err


def test_all_lesions_as_volumes_keep_their_whole_ending(scan, segmentation, tmp_path):
    output = tmp_path / "lesion.nii.gz"
    assert zoom(scan, output, "--lesion", "all", "--mask", str(segmentation)) == 0
    assert nib.load(tmp_path / "lesion-2.nii.gz").shape[0] > 1
    assert (tmp_path / "lesion-1.json").exists()


def test_nothing_is_written_where_one_of_all_lesions_may_not_be(
    scan, segmentation, tmp_path, capsys
):
    (tmp_path / "lesion-2.png").write_bytes(b"mine")
    words = ["--lesion", "all", "--mask", str(segmentation)]
    assert zoom(scan, tmp_path / "lesion.png", *words) == 2
    assert "lesion-2.png" in capsys.readouterr().err
    assert not (tmp_path / "lesion-1.png").exists()


def test_a_mosaic_shows_slices_from_the_first_to_the_last(scan, segmentation, tmp_path, capsys):
    words = ["--lesion", "1", "--mask", str(segmentation)]
    sizes = {}
    for count in (3, 8):
        output = tmp_path / f"mosaic-{count}.png"
        assert zoom(scan, output, *words, "--mosaic", str(count)) == 0
        with Image.open(output) as picture:
            sizes[count] = picture.size
    assert sizes[8][0] > sizes[3][0]
    said = capsys.readouterr().out
    assert "3 slices, ×2, super-resolved by Meta-SRGAN, for research use" in said


def test_a_mosaic_with_marks_says_what_they_guarantee(scan, segmentation, tmp_path, capsys):
    words = ["--lesion", "1", "--mask", str(segmentation), "--mosaic", "2", "--risk"]
    assert zoom(scan, tmp_path / "mosaic.png", *words) == 0
    said = capsys.readouterr().out
    assert "of the tissue is marked." in said
    assert "guaranteed" in said or "are unmarked, on average over patients" in said
