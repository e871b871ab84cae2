"""A model that is told how slices were acquired, as the zoom and the commands use it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model
from scipy.ndimage import gaussian_filter

from napari_metasr.acquisition import acquisition_code
from napari_metasr.cli import main
from napari_metasr.degradations import named_reduction
from napari_metasr.io import write_volume
from napari_metasr.volume import Source
from napari_metasr.weights import WeightsError
from napari_metasr.zoom.engine import TOLD_KEPT
from napari_metasr.zoom.loading import load_model


@pytest.fixture
def path(tmp_path):
    return told_model(tmp_path)


def code(name, noise=0.0):
    return acquisition_code((named_reduction(name),) * 2, noise)


def test_what_it_is_told_changes_what_it_makes_and_any_of_them_renders_it(path):
    model = load_model(path, device="cpu")
    image = texture(0, (40, 44)).astype(np.float32)
    told = model.told(code("box"))
    untold, made = model.upscale(image, 2.3), told.upscale(image, 2.3)
    assert np.abs(untold - made).max() > 0.1
    np.testing.assert_array_equal(made, model.render(told.encode(image), 2.3))
    np.testing.assert_allclose(untold, model.told(np.zeros_like(code("box"))).upscale(image, 2.3))


def test_those_told_lately_are_kept_and_no_more(path):
    model = load_model(path, device="cpu")
    first = model.told(code("box"))
    assert model.told(code("box")) is first
    for noise in range(TOLD_KEPT):
        model.told(code("box", 0.01 * (noise + 1)))
    assert model.told(code("box")) is not first


def test_where_nothing_is_told_another_model_may_take_its_place(tmp_path):
    path = told_model(tmp_path, untold="meta-srgan")
    model, other = load_model(path, device="cpu"), load_model("meta-srgan", device="cpu")
    image = texture(0, (40, 44)).astype(np.float32)
    expected = other.upscale(image, 2.3)
    np.testing.assert_array_equal(model.upscale(image, 2.3), expected)
    told = model.told(code("box"))
    encoded = told.encode(image)
    np.testing.assert_array_equal(model.render(encoded, 2.3), told.render(encoded, 2.3))
    assert np.abs(model.render(encoded, 2.3) - expected).max() > 0.1
    nothing = model.told(np.zeros_like(code("box")))
    np.testing.assert_array_equal(nothing.upscale(image, 2.3), expected)


def test_the_other_must_be_of_its_kind(tmp_path):
    with pytest.raises(WeightsError, match="expected a Meta-SRGAN of the same standardisation"):
        load_model(told_model(tmp_path, untold="srgan-x2"), device="cpu")


def test_another_model_cannot_be_told():
    model = load_model("meta-srgan", device="cpu")
    with pytest.raises(WeightsError, match="Meta-SRGAN cannot be told how a scan was acquired"):
        model.told(code("box"))


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "head.nii.gz"
    slices = np.stack([texture(seed, (40, 44)) for seed in range(3)])
    blurred = gaussian_filter(slices, (0, 0.8, 0.8)).astype(np.float32)  # clearly
    write_volume(path, blurred, np.diag([1.0, 1.0, 3.0, 1.0]), Source("head"))
    return path


def done(*words):
    return main([*map(str, words), "--device", "cpu", "--overwrite"])


def test_the_zoom_command_tells_it_and_the_sidecar_says_what(scan, path, tmp_path, capsys):
    output = tmp_path / "region.nii"
    words = ("zoom", scan, "--scale", 2, "--model", path, "--output", output)
    assert done(*words, "--assume", "box,2%") == 0
    assert "told: box; noise 2%" in capsys.readouterr().out
    record = json.loads(output.with_suffix(".json").read_text())
    assert record["Told"] == "box; noise 2%"
    assert "told: box; noise 2%" in record["Description"]
    assert done(*words) == 0
    assert "estimated" in json.loads(output.with_suffix(".json").read_text())["Told"]


def test_the_upscale_command_tells_it_and_the_sidecar_says_what(scan, path, tmp_path):
    output = tmp_path / "out.nii"
    words = ("upscale", scan, "--scale", "2,2,1", "--model", path, "--output", output)
    results = []
    for assumed in ("box,2%", "nothing"):
        assert done(*words, "--assume", assumed) == 0
        results.append(output.read_bytes())
        record = json.loads(output.with_suffix(".json").read_text())
        assert record["Options"]["assume"] == assumed
    assert record["Told"] == "nothing"
    assert results[0] != results[1]


@pytest.mark.parametrize("verb", ["zoom", "upscale"])
def test_what_cannot_be_told_is_refused_in_one_line(verb, scan, path, tmp_path, capsys):
    output = tmp_path / "no.nii"
    words = (verb, scan, "--scale", "2,2", "--output", output)
    words = words if verb == "zoom" else (verb, scan, "--scale", "2,2,1", "--output", output)
    assert done(*words, "--assume", "box") == 2
    assert "Meta-SRGAN cannot be told how a scan was acquired" in capsys.readouterr().err
    assert done(*words, "--model", path, "--assume", "box,9%") == 2
    assert "noise of 0% to 5%" in " ".join(capsys.readouterr().err.split())
    assert not output.exists()
