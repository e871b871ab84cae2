"""Scans that show little of how they were acquired, and every verb that tells a model of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model

from napari_metasr.cli import main
from napari_metasr.io import write_volume
from napari_metasr.volume import Source

RNG = np.random.default_rng(3)


def tissue(count=6):
    return np.stack([texture(seed, (36, 40)) for seed in range(count)]).astype(np.float32)


def defaced():
    data = tissue()
    data[:, 20:, 10:30] = 0
    return data


def masked_at_the_border():
    data = tissue()
    data[:, :, 30:] = 0
    data[:, 25:] = 0
    return data


def with_empty_time_points():
    data = np.zeros((3, *tissue(4).shape), np.float32)
    data[1] = tissue(4)
    return data


SCANS = {
    "12 voxels": lambda: np.arange(12, dtype=np.float32).reshape(1, 3, 4),
    "one value": lambda: np.full((4, 30, 30), 7, np.float32),
    "pure noise": lambda: RNG.normal(0, 1, (6, 36, 40)).astype(np.float32),
    "no background": tissue,
    "defaced": defaced,
    "mask at the border": masked_at_the_border,
    "empty time points": with_empty_time_points,
}


@pytest.fixture
def model(tmp_path):
    return told_model(tmp_path)


@pytest.fixture
def scan(tmp_path):
    def write(name):
        folder = tmp_path / "scans"
        folder.mkdir()
        path = folder / "scan.nii.gz"
        write_volume(path, SCANS[name](), np.diag([1.0, 1.0, 3.0, 1.0]), Source("scan"))
        return path

    return write


def done(*words):
    return main([*map(str, words), "--device", "cpu"])


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scans_that_show_little_are_super_resolved_all_the_same(name, scan, model, tmp_path):
    path = scan(name)
    region, volume = tmp_path / "region.nii", tmp_path / "volume.nii"
    for words in (("--assume", "auto"), ("--assume", "k-space,2%", "--overwrite")):
        assert done("zoom", path, "--scale", 2, "--model", model, "--output", region, *words) == 0
        assert json.loads(region.with_suffix(".json").read_text())["Told"]
        told = ("upscale", path, "--scale", "2,2,1", "--model", model, "--output", volume, *words)
        assert done(*told) == 0
        assert json.loads(volume.with_suffix(".json").read_text())["Told"]
    assert main(["info", str(path)]) == 0


@pytest.mark.parametrize("name", ["one value", "empty time points"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_replay_and_a_cohort_tell_the_same(name, scan, model, tmp_path, capsys):
    path, volume = scan(name), tmp_path / "volume.nii"
    words = ("--scale", "2,2,1", "--model", model, "--assume", "box,1%")
    assert done("upscale", path, *words, "--output", volume) == 0
    again = tmp_path / "again.nii"
    sidecar = volume.with_suffix(".json")
    replayed = ["replay", sidecar, "--input", path, "--model", model, "--output", again]
    assert main([*map(str, replayed)]) == 0
    assert again.read_bytes() == volume.read_bytes()
    assert done("cohort", path.parent, tmp_path / "out", *words) == 0
    (made,) = (tmp_path / "out").rglob("*desc-metasr*.json")
    told = json.loads(sidecar.read_text())["Told"]
    assert json.loads(made.read_text())["Told"] == told == "box; noise 1%"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--assume", "sinc"), "expected an acquisition among auto, nothing, k-space"),
        (("--assume", "box,9%"), "noise of 0% to 5%"),
        (("--assume", "box,-1%"), "noise of 0% to 5%"),
        (("--assume", "box", "--model", "meta-srgan"), "cannot be told how a scan was acquired"),
    ],
)
@pytest.mark.parametrize("verb", ["zoom", "upscale", "cohort"])
def test_what_cannot_be_told_is_refused_in_one_line(
    verb, words, message, scan, model, tmp_path, capsys
):
    path, output = scan("no background"), tmp_path / "out" / "no.nii"
    output.parent.mkdir()
    words = words if "--model" in words else (*words, "--model", model)
    places = {
        "zoom": (path, "--output", output),
        "upscale": (path, "--output", output),
        "cohort": (path.parent, output.parent / "no"),
    }
    assert done(verb, *places[verb], "--scale", "2" if verb == "zoom" else "2,2,1", *words) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert message in error
    assert list(output.parent.iterdir()) == []
