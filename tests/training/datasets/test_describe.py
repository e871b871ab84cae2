"""Other contrasts beside T1 post-contrast, and what is told of a folder before training."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from fakes.acquisition import texture, zero_filled
from fakes.training import disc
from PIL import Image

from metasr_training.catalogue import recipe
from metasr_training.condition import Condition
from metasr_training.datasets.describe import describe_data, description_table
from metasr_training.datasets.layouts import recognise
from metasr_training.datasets.slices import load_slices
from metasr_training.train import main


def volume(path, share=1.0, count=9):
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    stack = [
        zero_filled(texture(k, (96, 96)), share, 0) * (np.hypot(y, x) < 0.8) for k in range(count)
    ]
    data = np.stack(stack).transpose(2, 1, 0).astype(np.uint8)
    nib.save(nib.Nifti1Image(data, np.eye(4)), path)


@pytest.fixture
def data(tmp_path):
    """Pictures without a name for their contrast, and three sets of other contrasts."""
    for split, seeds in (("train", range(4)), ("val", range(4, 6))):
        (tmp_path / "tumour-slices" / "brats20" / split).mkdir(parents=True)
        for seed in seeds:
            picture = Image.fromarray(disc(seed)[0])
            picture.save(tmp_path / "tumour-slices" / "brats20" / split / f"{seed}.png")
    contrasts = tmp_path / "contrasts"
    volume(contrasts / "lit" / "p1_s1_flair.nii.gz", 0.7)
    volume(contrasts / "lit" / "p1_s2_t2.nii.gz", 0.7)
    volume(contrasts / "own" / "train" / "A_7_t1.nii.gz")
    volume(contrasts / "own" / "val" / "B_8_t1.nii.gz")
    volume(contrasts / "validation" / "C-t2w.nii.gz")
    (contrasts / "own" / "slices.csv").write_text("patient,split\nA_7,train\n")
    return tmp_path


def test_contrasts_are_told_by_their_names_and_split_by_their_folders(data):
    found = {
        (one.source, one.patient, one.split, one.contrast)
        for one in recognise(data)
        if one.source.startswith("contrasts/")
    }
    assert found == {
        ("contrasts/lit", "p1", "train", "FLAIR"),
        ("contrasts/lit", "p1", "train", "T2"),
        ("contrasts/own", "A_7", "train", "T1"),
        ("contrasts/own", "B_8", "val", "T1"),
        ("contrasts/validation", "C", "val", "T2"),
    }


def test_contrasts_take_part_where_they_are_asked_for(data):
    assert {one.source for one in load_slices(data, "train")} == {"brats20"}
    asked = load_slices(data, "train", contrasts=True)
    assert {one.source for one in asked} == {"brats20", "contrasts/lit", "contrasts/own"}
    named = load_slices(data, "val", ("contrasts/validation",))
    assert {one.contrast for one in named} == {"T2"}
    resolved = {
        name: recipe(name).resolve("smoke", Condition()) for name in ("zoom", "zoom-native")
    }
    assert not resolved["zoom"].contrasts
    assert resolved["zoom-native"].contrasts


def test_bands_come_from_all_slices_of_a_volume_and_out_of_the_cache(data, tmp_path):
    for _ in range(2):
        slices = load_slices(data, "train", ("contrasts/lit",), cache=tmp_path / "cache")
        assert {one.contrast for one in slices} == {"FLAIR", "T2"}
        for one in slices:
            assert one.band[0] == pytest.approx(0.7, abs=0.04)
            assert one.band[1] == 1.0


def test_a_folder_is_described(data):
    found = {(one.source, one.split): one for one in describe_data(data)}
    assert list(found) == [
        ("brats20", "train"), ("contrasts/lit", "train"), ("contrasts/own", "train"),
        ("brats20", "val"), ("contrasts/own", "val"), ("contrasts/validation", "val"),
    ]  # fmt: skip
    lit = found["contrasts/lit", "train"]
    assert (lit.patients, lit.slices, lit.outlined) == (1, 18, 0)
    assert lit.contrasts == {"FLAIR": 9, "T2": 9}
    assert lit.limited == 1
    assert lit.bands[0] == pytest.approx(0.7, abs=0.04)
    assert lit.bands[1] is None
    assert found["brats20", "train"].stripped == 1.0
    assert found["contrasts/own", "val"].limited == 0
    table = description_table(list(found.values())).splitlines()
    assert "| contrasts/lit | train | 1 | 18 | 0 | FLAIR 9, T2 9 | 100% | 0.7" in table[3]


def test_the_verb_prints_it(data, capsys):
    assert main(["describe", "--data", str(data), "--sources", "brats20"]) == 0
    out = capsys.readouterr().out
    assert "| brats20 | train | 4 | 4 | 0 | T1c 4 |" in out
    assert "contrasts" not in out.splitlines()[2]
    assert main(["describe", "--data", str(data / "none")]) == 2
    assert "expected a data folder" in capsys.readouterr().err


def test_a_recipe_that_extends_another_says_only_what_differs():
    base, native = recipe("zoom"), recipe("zoom-native")
    assert native.network == base.network
    assert native.average == base.average
    assert native.pairs.scales == base.pairs.scales
    assert native.pairs.truths == "acquired"
    assert base.pairs.truths == "stored"
    assert native.presets["workstation"] == base.presets["workstation"]
