"""Volumes whose slices are made consistent with the input."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes.acquisition import texture
from pydantic import ValidationError

from napari_metasr.cli import main
from napari_metasr.degradations import named_reduction, reduce_image
from napari_metasr.io import read_volume, write_volume
from napari_metasr.upscaling.options import UpscaleOptions
from napari_metasr.volume import Source


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "head.nii.gz"
    slices = np.stack([texture(seed, (40, 44)) for seed in range(4)]).astype(np.float32)
    write_volume(path, slices, np.diag([1.0, 1.0, 3.0, 1.0]), Source("head"))
    return path


def upscaled(scan, *options):
    output = scan.with_name("out.nii.gz")
    words = ("upscale", scan, "--output", output, "--scale", "1.5,1.5,1", "--device", "cpu")
    assert main([*map(str, words), "--dtype", "float32", "--overwrite", *options]) == 0
    return read_volume(output).data, json.loads(scan.with_name("out.json").read_text())


def distance(result, volume):
    """Root mean square of the input minus the result, reduced again."""
    reduction = (named_reduction("box"),) * 2
    again = np.stack([reduce_image(one, volume.data.shape[1:], reduction) for one in result])
    return np.sqrt(np.mean(np.square(again - volume.data, dtype=np.float64)))


def test_slices_reduced_again_are_the_input_and_the_sidecar_says_under_what(scan):
    volume = read_volume(scan)
    plain, record = upscaled(scan)
    assert "ConsistentWith" not in record
    result, record = upscaled(scan, "--consistent", "box")
    assert distance(result, volume) < 0.3 * distance(plain, volume)
    assert record["ConsistentWith"] == "box"
    assert record["Options"]["consistent"] == "box"
    assert (
        main(["replay", str(scan.with_name("out.json")), "--input", str(scan), "--overwrite"]) == 0
    )


def test_an_unknown_acquisition_is_refused(scan, capsys):
    with pytest.raises(ValidationError, match="an acquisition among auto, bicubic"):
        UpscaleOptions(scale=(2,), consistent="sinc")
    words = ["upscale", str(scan), "--output", "o.nii.gz", "--scale", "2", "--consistent", "sinc"]
    assert main(words) == 2
    assert "expected an acquisition among auto" in " ".join(capsys.readouterr().err.split())
