"""Trained networks as evaluations find them in a run folder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_fakes import config, slices

from metasr_training import detector
from metasr_training.detector import LesionFinder, find_detector
from metasr_training.eight_bits import intensity_limits
from metasr_training.lineage import Past
from metasr_training.players import build_generator
from metasr_training.run_folder import RunFolder
from metasr_training.trained import load_trained, network_folder
from napari_metasr.geometry import OutputGrid
from napari_metasr.networks import build


def keep(run, name, *, updates=12, network=None, **changes):
    """A network of a run, as the loop leaves it at its end; it was not trained."""
    wanted = config(name=name, **changes)
    folder = RunFolder(network_folder(run, name))
    folder.write_config(wanted)
    network = build_generator(wanted, "cpu") if network is None else network
    task = {"standardisation": [0.25, 0.5]}
    state = {"network": network.state_dict(), "task": task, "update": updates, "seconds": 6.0}
    folder.save(folder.final, state)
    return folder


def test_the_network_sees_zero_and_one_where_it_is_told(tmp_path):
    keep(tmp_path, "small")
    network = load_trained(tmp_path, "small")
    dim = slices(1)[0].image.astype(np.float32) / 4
    grid = OutputGrid.at_scale(dim.shape, 2)
    with torch.inference_mode():
        seen = (torch.from_numpy(dim)[None, None] / 200 - 0.25) / 0.5
        expected = (network.network(seen)[0, 0].numpy() * 0.5 + 0.25) * 200
    found = network.enlarge(dim, grid, intensity=(0, 200), limits=(-1e9, 1e9))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    by_itself = network.enlarge(dim, grid, limits=(-1e9, 1e9))
    assert np.abs(by_itself - expected).max() > 1
    clipped = network.enlarge(dim, grid, intensity=(0, 200), limits=(10, 20))
    np.testing.assert_allclose(clipped, expected.clip(10, 20), atol=1e-3)


def test_the_detector_sees_zero_and_one_where_it_is_told():
    finder = LesionFinder(build("lesion-detector").eval(), "new")
    one = slices(1)[0]
    as_stored = replace(one, image=one.image.astype(np.float32) * 5, limits=(0.0, 1000.0))
    bright, score = finder.detect(one.image, intensity_limits(one))
    again, same = finder.detect(as_stored.image, as_stored.limits)
    assert (*again, same) == pytest.approx((*bright, score), abs=1e-4)
    assert finder.detect(one.image)[1] != finder.detect(one.image, (0, 1000))[1]


def test_a_line_of_trainings_is_told_from_its_beginning(tmp_path):
    keep(tmp_path, "first", updates=303, interpolating_start=True)
    keep(tmp_path, "second", updates=100, start="first", interpolating_start=True)
    keep(tmp_path, "third", updates=780, start="second")
    assert load_trained(tmp_path, "third").lineage == (
        Past("first", 303, 6.0, "interpolation"), Past("second", 100, 6.0), Past("third", 780, 6.0),
    )  # fmt: skip


def test_a_start_that_is_shipped_or_gone_is_named(tmp_path):
    keep(tmp_path, "a", shipped="meta-srgan")
    keep(tmp_path, "b", start="gone")
    keep(tmp_path, "c")
    line = load_trained(tmp_path, "a").lineage
    assert line == (Past("shipped meta-srgan", None, None), Past("a", 12, 6.0))
    assert load_trained(tmp_path, "b").lineage[0] == Past("gone", None, None)
    assert load_trained(tmp_path, "c").lineage == (Past("c", 12, 6.0, "random weights"),)


@pytest.mark.parametrize(
    "content", [b"", b"no weights", b"PK\x03\x04 cut short", [1, 2], {"network": {}}, LesionFinder]
)
def test_a_file_that_holds_no_weights_is_named(tmp_path, content):
    final = keep(tmp_path, "small").final
    if isinstance(content, bytes):
        final.write_bytes(content)
    else:
        torch.save(content, final)
    with pytest.raises(ValueError, match=r"final\.pt"):
        load_trained(tmp_path, "small")


def test_weights_of_another_network_are_not_taken(tmp_path):
    keep(tmp_path, "small", network=torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="small is not of srgan of its configuration: missing"):
        _ = load_trained(tmp_path, "small").network


def test_the_runs_detector_is_taken_when_it_is_finished(tmp_path, monkeypatch):
    shipped = (build("lesion-detector"), type("Card", (), {"sha256": "0123456789"}))
    monkeypatch.setattr(detector, "model_names", lambda: (detector.NAME,))
    monkeypatch.setattr(detector, "load_network", lambda name: shipped)
    folder = keep(tmp_path / "run", detector.NAME)
    assert find_detector(tmp_path / "run").origin == "run/lesion-detector"
    folder.final.rename(folder.best)
    assert find_detector(tmp_path / "run").origin == "shipped 01234567"
