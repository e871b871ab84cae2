"""Beside every picture of a rendition lies the record of how it came about: both, or neither."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes.widgets import FakeEngine
from PIL import Image

from napari_metasr.figures.blink import save_blink
from napari_metasr.figures.mosaic import save_mosaic
from napari_metasr.figures.panel import View
from napari_metasr.figures.profile import Profile, save_profile
from napari_metasr.figures.record import record_of
from napari_metasr.figures.rendition import Marks, Slice, caption_of, render
from napari_metasr.figures.rendition_files import save_figure
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Line, Window
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.trust.risk import Guarantee
from napari_metasr.volume import Plane
from napari_metasr.widgets.zoom.rendition import FileKind

VIEW = View(Plane.AXIAL, (0.0, 900.0))


def made(volume, index=9):
    image = volume.slice(Plane.AXIAL, index)
    return render(
        FakeEngine(),
        Slice(image, volume, Plane.AXIAL, index),
        OutputGrid.at_scale(image.shape, 2),
        Window.whole(image.shape),
        intensity_range=(0.0, 900.0),
        value_range=(0.0, 900.0),
    )


def figure(path, rendition, **options):
    save_figure(path, rendition, view=VIEW, heading="head", **options)


def profile(path, rendition, **options):
    along = Profile.of(rendition, Line(4.5, 3.5, 20.5, 15.5))
    save_profile(path, rendition, along, view=VIEW, heading="head", dpi=100, **options)


def mosaic(path, rendition, **options):
    save_mosaic(path, [rendition], view=VIEW, heading="head", **options)


def blink(path, rendition, **options):
    save_blink(path, rendition, view=VIEW, **options)


PICTURES = {
    FileKind.FIGURE_PNG: figure,
    FileKind.FIGURE_PDF: figure,
    FileKind.PROFILE_PNG: profile,
    FileKind.BLINK_GIF: blink,
}


@pytest.mark.parametrize("kind", PICTURES)
def test_the_record_says_what_a_region_s_sidecar_says(kind, phantom_volume, tmp_path):
    rendition = replace(made(phantom_volume), told="box; noise 2%")
    path = tmp_path / f"a{kind.endings[0]}"
    PICTURES[kind](path, rendition)
    assert {file.name for file in tmp_path.iterdir()} == {one.name for one in kind.files(path)}
    record = json.loads((tmp_path / f"{path.name}.json").read_text(encoding="utf-8"))
    assert record == json.loads(json.dumps(record_of(rendition)))
    assert record["Told"] == "box; noise 2%"
    assert record["Model"]["Name"] == "fake"


def test_a_mosaic_names_all_of_its_slices(phantom_volume, tmp_path):
    path = tmp_path / "m.png"
    save_mosaic(path, [made(phantom_volume, k) for k in (8, 9, 11)], view=VIEW, heading="head")
    assert json.loads((tmp_path / "m.png.json").read_text(encoding="utf-8"))["Slice"] == [8, 9, 11]


def marked(rendition, rows):
    """The rendition with its first rows marked."""
    where = np.zeros(rendition.super_resolved.shape, bool)
    where[:rows] = True
    return replace(rendition, marks=Marks(where, float(where.mean()), Guarantee(0.1, "S.", True)))


def coloured(path):
    """Pixels of a picture in the colours of marks."""
    red, _, blue = np.asarray(Image.open(path).convert("RGB"), int).transpose(2, 0, 1)
    return int(np.count_nonzero(red > blue + 40))


def test_marks_that_a_caption_tells_of_are_drawn(phantom_volume, tmp_path):
    plain = [made(phantom_volume, k) for k in (8, 9)]
    with_marks = [marked(one, rows) for one, rows in zip(plain, (10, 30), strict=True)]
    for name, one in (("plain", plain), ("marks", with_marks)):
        save_mosaic(tmp_path / f"{name}.png", one, view=VIEW, heading="head")
        profile(tmp_path / f"{name}-line.png", one[0])
    assert coloured(tmp_path / "plain.png") == 0
    assert coloured(tmp_path / "marks.png") > 100
    assert coloured(tmp_path / "marks-line.png") > coloured(tmp_path / "plain-line.png") + 100


def test_a_mosaic_tells_what_holds_for_all_of_its_slices(phantom_volume, tmp_path):
    ones = [marked(made(phantom_volume, k), rows) for k, rows in ((8, 30), (9, 10), (11, 20))]
    shares = [one.marks.share for one in ones]
    told = caption_of(ones)
    assert f"; {min(shares):.1%} to {max(shares):.1%} of the tissue is marked. S; for res" in told
    assert f"; {shares[0]:.1%} of the tissue is marked. S; for res" in ones[0].caption
    save_mosaic(tmp_path / "m.png", ones, view=VIEW, heading="head")
    record = json.loads((tmp_path / "m.png.json").read_text(encoding="utf-8"))
    assert record["Description"] == told
    assert record["Marks"]["MarkedShare"] == shares
    assert record["Marks"]["Threshold"] == 0.1
    assert record["BeyondLocalRange"] == [one.beyond for one in ones]
    assert record["Scale"] == [2, 2]
    assert record["Slice"] == [8, 9, 11]


@pytest.mark.parametrize("save", [figure, profile, mosaic])
@pytest.mark.parametrize("taken", ["a.png", "a.png.json"])
def test_neither_is_replaced_unasked(save, taken, phantom_volume, tmp_path):
    former = json.dumps({"Purpose": RESEARCH_USE})
    (tmp_path / taken).write_text(former)
    with pytest.raises(FileExistsError):
        save(tmp_path / "a.png", made(phantom_volume))
    assert [file.name for file in tmp_path.iterdir()] == [taken]
    save(tmp_path / "a.png", made(phantom_volume), overwrite=True)
    assert (tmp_path / taken).read_bytes() != former.encode()


@pytest.mark.parametrize("save", [figure, profile, mosaic])
def test_a_file_of_others_is_kept_whatever_is_asked(save, phantom_volume, tmp_path):
    (tmp_path / "a.png.json").write_text('{"EchoTime": 1}')
    with pytest.raises(FileExistsError, match="found another file"):
        save(tmp_path / "a.png", made(phantom_volume), overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png.json"]


def test_a_picture_that_cannot_be_drawn_leaves_no_record(phantom_volume, tmp_path):
    with pytest.raises(ValueError, match=r"written as \.png or \.pdf"):
        figure(tmp_path / "a.bmp", made(phantom_volume))
    assert list(tmp_path.iterdir()) == []
