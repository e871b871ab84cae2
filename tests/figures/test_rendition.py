"""A rendition's files: they say what they are for whatever else they must say."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from fakes.widgets import CARD, SHIFT, FakeEngine

from napari_metasr.figures.rendition import Slice, render
from napari_metasr.figures.rendition_files import save_nifti
from napari_metasr.files import InputReplacedError
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io import read_volume, write_volume
from napari_metasr.purpose import RESEARCH_USE
from napari_metasr.volume import Plane
from napari_metasr.weights import model_card, model_names

TITLES = [model_card(name).title for name in model_names()]
PHRASE = "For research use, super-resolved"


@pytest.fixture
def rendition(phantom_volume):
    image = phantom_volume.slice(Plane.CORONAL, 9)
    grid = OutputGrid.at_scale(image.shape, (2.1, 3.7))
    return render(
        FakeEngine(),
        Slice(image, phantom_volume, Plane.CORONAL, 9),
        grid,
        (2.0, 3.0, 12.0, 17.5),
        intensity_range=(0.0, 900.0),
        value_range=(0.0, 900.0),
    )


@pytest.mark.parametrize("title", [max(TITLES, key=len), "A model with a title " * 6])
def test_the_header_says_research_use_with_the_longest_title_and_two_scales(
    rendition, tmp_path, title
):
    named = replace(rendition, card=CARD.model_copy(update={"title": title}))
    path = save_nifti(tmp_path / "a.nii.gz", named)
    text = bytes(nib.load(path).header["descrip"]).decode().rstrip("\0")
    assert text.startswith(PHRASE)
    assert len(text) <= 79


def test_the_scale_of_the_finer_axis_is_the_true_one(phantom_volume):
    """A coronal slice of 18 x 22 voxels of 2.5 x 0.8 mm: ×3.7 makes 81.4 columns, rounded to 81."""
    cut = Slice(phantom_volume.slice(Plane.CORONAL, 9), phantom_volume, Plane.CORONAL, 9)
    assert cut.scale_on(OutputGrid.at_scale(cut.image.shape, (2.1, 3.7))) == 81 / 22


def test_both_results_are_the_window_on_the_grid(rendition):
    top, left, bottom, right = rendition.grid.pixel_range(rendition.window)
    assert rendition.super_resolved.shape == (bottom - top, right - left)
    assert rendition.interpolated.shape == rendition.super_resolved.shape
    whole = np.abs(rendition.super_resolved - SHIFT - rendition.interpolated).mean()
    assert 0 < whole < 100


def test_the_sidecar_says_how_it_came_about(rendition, tmp_path):
    save_nifti(tmp_path / "a.nii.gz", rendition)
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["Purpose"] == "for research use, not for diagnosis"
    assert record["Model"] == {"Name": "fake", "Title": "Fake-SR", "Sha256": "0" * 64}
    assert (record["Plane"], record["Slice"]) == ("coronal", 9)
    assert record["Window"] == [2.0, 3.0, 12.0, 17.5]
    np.testing.assert_allclose(record["Scale"], rendition.grid.true_scale)
    assert record["Sources"] == []
    assert record["Concerns"] == []


def test_doubts_about_scan_and_scale_are_recorded(phantom_volume, tmp_path):
    source = replace(phantom_volume.source, concerns=("it has no orientation",))
    phantom_volume = replace(phantom_volume, source=source)
    image = phantom_volume.slice(Plane.AXIAL, 9)
    rendition = render(
        FakeEngine(),
        Slice(image, phantom_volume, Plane.AXIAL, 9),
        OutputGrid.at_scale(image.shape, 6),
        (0.0, 0.0, *map(float, image.shape)),
        intensity_range=(0.0, 900.0),
        value_range=(0.0, 900.0),
    )
    save_nifti(tmp_path / "a.nii.gz", rendition)
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["Concerns"] == [
        "it has no orientation",
        "x6 in plane is beyond the x4 that Fake-SR was trained on",
    ]


def test_an_existing_sidecar_is_not_replaced_unasked(rendition, tmp_path):
    (tmp_path / "a.json").write_text("mine")
    with pytest.raises(FileExistsError):
        save_nifti(tmp_path / "a.nii.gz", rendition)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "mine"


@pytest.mark.parametrize("exists", [False, True])
def test_an_image_whose_sidecar_cannot_be_written_is_not_written(rendition, tmp_path, exists):
    former = json.dumps({"Purpose": RESEARCH_USE}).encode()
    before = {"a.json": former, "a.nii.gz": b"mine too"} if exists else {}
    for name, content in before.items():
        (tmp_path / name).write_bytes(content)
    card = rendition.card.model_copy(update={"name": object()})
    unwritable = replace(rendition, card=card)
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_nifti(tmp_path / "a.nii.gz", unwritable, overwrite=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_sidecar_of_the_source_is_never_replaced(rendition, tmp_path):
    volume = rendition.slice.volume
    scan, told = tmp_path / "scan.nii.gz", tmp_path / "scan.json"
    write_volume(scan, volume.data, volume.affine, volume.source)
    told.write_text('{"EchoTime": 0.004}')
    read = replace(rendition, slice=replace(rendition.slice, volume=read_volume(scan)))
    with pytest.raises(InputReplacedError, match="would replace the input"):
        save_nifti(tmp_path / "scan.nii", read, overwrite=True)
    assert told.read_text() == '{"EchoTime": 0.004}'
    assert not (tmp_path / "scan.nii").exists()
