"""A time point of a series by ``napari-metasr zoom``: as if its volume were alone."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from fakes.acquisition import texture, zero_filled
from fakes.models import told_model
from scipy.ndimage import gaussian_filter

from napari_metasr.cli import main
from napari_metasr.io import write_volume
from napari_metasr.volume import Source

SHARP = np.stack([texture(seed, (48, 52)) for seed in range(6)]).astype(np.float32)


def others():
    """Volumes whose acquisition is unlike that of the first: blurred, noisy, zero-filled."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 5, (2, *SHARP.shape))
    return {
        "blurred": gaussian_filter(SHARP, (0, 0.8, 0.8)),
        "dark and noisy": np.hypot(0.02 * SHARP + noise[0], noise[1]).astype(np.float32),
        "zero-filled": np.stack([zero_filled(one, 0.6, 1) for one in SHARP]).astype(np.float32),
    }


@pytest.fixture
def zoomed(tmp_path):
    """Zoom into a volume alone, and into it as the second of a series; give what is written."""

    def zoom(data, ending, *words):
        affine, written = np.diag([0.5, 0.5, 3.0, 1.0]), []
        folders = {"alone": (data, ()), "series": (np.stack([SHARP, data]), ("--time", 1))}
        for name, (voxels, time) in folders.items():
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            scan = folder / "T1c.nii"
            write_volume(scan, voxels, affine, Source("T1c"), overwrite=True)
            output = folder / f"out{ending}"
            told = ("zoom", scan, "--scale", 2, "--device", "cpu", "--output", output)
            assert main([*map(str, (*told, *time, *words, "--overwrite"))]) == 0
            written.append(output)
        return written

    return zoom


def records(paths):
    found = [json.loads(path.with_suffix(".json").read_text()) for path in paths]
    for one in found:
        del one["TimePoint"]
    return found


@pytest.mark.parametrize("name", ["blurred", "dark and noisy"])
def test_a_network_is_told_of_the_time_point(zoomed, tmp_path, name):
    model = told_model(tmp_path)
    alone, series = records(zoomed(others()[name], ".nii", "--model", model))
    assert series["Told"] == alone["Told"]


def test_a_result_is_consistent_within_the_noise_of_the_time_point(zoomed):
    words = ("--consistent", "k-space")
    alone, series = records(zoomed(others()["dark and noisy"], ".nii", *words))
    assert series["ConsistentWith"] == alone["ConsistentWith"]


def test_marks_hold_for_what_was_acquired_of_the_time_point(zoomed):
    alone, series = records(zoomed(others()["zero-filled"], ".nii", "--risk"))
    assert "stores many more pixels than it acquired" in series["Marks"]["Guarantee"]
    assert series["Marks"] == alone["Marks"]


def test_a_page_has_the_contrast_of_the_time_point(zoomed):
    alone, series = (
        json.loads(re.search(r'\{"model":.*\}', path.read_text(encoding="utf-8"))[0])
        for path in zoomed(others()["dark and noisy"], ".html", "--region", "4,4,16,16")
    )
    assert series["contrast"] == alone["contrast"]
    assert series == alone


def test_an_animation_has_the_contrast_of_the_time_point(zoomed):
    words = ("--region", "4,4,16,16", "--blink")
    alone, series = zoomed(others()["dark and noisy"], ".gif", *words)
    assert series.read_bytes() == alone.read_bytes()
