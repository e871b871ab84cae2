"""ONNX files: run by onnxruntime, they agree with torch at any size."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
import torch

from metasr_training import export
from metasr_training.onnx_files import write_onnx
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks import build
from napari_metasr.weights import load_network, model_card

CLOSE = 1e-4


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def image():
    return torch.rand(2, 1, 21, 34, generator=torch.Generator().manual_seed(0))


def test_an_image_at_any_scale_is_made_of_the_encoders_g(tmp_path, image):
    """The formula of the docstring, in numpy, from nothing but the file."""
    network, card = load_network("meta-srgan")
    path = tmp_path / "meta-srgan.onnx"
    write_onnx(network, card, path)
    run = session(path)
    (g,) = run.run(["g"], {"image": image.numpy()})
    assert g.shape == (2, 21, 34, 257)
    found = run.get_modelmeta().custom_metadata_map
    assert json.loads(found["card"])["sha256"] == card.sha256
    layer = json.loads(found["first_layer"])
    weight, bias = np.array(layer["weight"]), np.array(layer["bias"])
    grid = OutputGrid.at_scale((21, 34), 2.7)
    dy, dx = (axis.offsets(layer["convention"]) for axis in (grid.rows, grid.columns))
    rows, columns = (axis.cells(layer["convention"]) for axis in (grid.rows, grid.columns))
    v = np.stack(np.broadcast_arrays(dy[:, None], dx[None, :], grid.inverse_scale), axis=-1)
    hidden = np.maximum(v @ weight.T + bias, 0)
    cells = g[:, rows[:, None], columns[None, :]]
    made = (hidden * cells[..., :-1]).sum(-1) + cells[..., -1]
    with torch.inference_mode():
        expected = network.eval()(image, grid)[:, 0].numpy()
    np.testing.assert_allclose(made, expected, atol=CLOSE)


@pytest.mark.parametrize(
    ("name", "options", "outputs"),
    [
        ("srgan", {"features": 8, "blocks": 1, "scale": 2}, {"x2": 2}),
        ("srresnet", {"features": 8, "blocks": 1, "scale": 4}, {"x4": 4}),
        ("edsr", {"features": 8, "blocks": 1, "scale": 2}, {"x2": 2}),
        ("ms-gan", {"features": 8, "blocks": 1}, {"x2": 2, "x4": 4}),
    ],
)
def test_networks_of_fixed_scales(tmp_path, image, name, options, outputs):
    network = build(name, **options)
    card = model_card("srgan-x2").model_copy(update={"name": name, "network": name})
    path = tmp_path / f"{name}.onnx"
    write_onnx(network, card, path)
    found = session(path).run(list(outputs), {"image": image.numpy()})
    with torch.inference_mode():
        expected = network.eval()(image)
    expected = (expected,) if isinstance(expected, torch.Tensor) else expected
    for one, other, scale in zip(found, expected, outputs.values(), strict=True):
        assert one.shape == (2, 1, 21 * scale, 34 * scale)
        np.testing.assert_allclose(one, other.numpy(), atol=CLOSE)


def test_the_command_writes_a_model_by_its_name(tmp_path):
    assert export.main(["--model", "srgan-x2", "--onnx", "--output", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["srgan-x2.onnx"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "ld", "--onnx"], "found ld, which is of lesion-detector"),
        (["--model", "meta-srgn", "--onnx"], "did you mean 'meta-srgan'?"),
        (["--model", "meta-srgan"], "--onnx"),
        (["--onnx"], "expected --run with --network, or --model"),
        (["--model", "meta-srgan", "--run", "run", "--network", "x"], "or --model"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(tmp_path, capsys, arguments, words):
    folder = tmp_path / "models"
    assert export.main([*arguments, "--output", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("metasr-export: ")
    assert said.count("\n") == 1
    assert words in said
    assert not folder.exists()
