"""Trained networks as evaluations find them in a run folder."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fakes.training import config, disc, slices

from metasr_training import detector
from metasr_training.datasets.detection import DetectionConfig
from metasr_training.detector import (
    LD,
    LD_PLUS,
    UNTUNED,
    find_detector,
    find_weights,
    keep_point,
    point_file,
    trained_weights,
)
from metasr_training.evaluation.detection.remembering import remembering
from metasr_training.lineage import Past
from metasr_training.players import build_generator
from metasr_training.run_folder import RunFolder
from metasr_training.trained import UntrainedError, load_trained, network_folder
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks import build
from napari_metasr.weights import OperatingPoint, load_network
from napari_metasr.zoom.encoded import Tiling
from napari_metasr.zoom.engine import ZoomModel


def keep(run, name, *, updates=12, module=None, **changes):
    """A network of a run, as the loop leaves it at its end; it was not trained."""
    wanted = config(name=name, **changes)
    folder = RunFolder(network_folder(run, name))
    folder.write_config(wanted)
    network = build_generator(wanted, "cpu") if module is None else module
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
    found = network.upscale(dim, grid, intensity_range=(0, 200), value_range=(-1e9, 1e9))
    np.testing.assert_allclose(found, expected, atol=1e-3)
    by_itself = network.upscale(dim, grid, value_range=(-1e9, 1e9))
    assert np.abs(by_itself - expected).max() > 1
    clipped = network.upscale(dim, grid, intensity_range=(0, 200), value_range=(10, 20))
    np.testing.assert_allclose(clipped, expected.clip(10, 20), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "scale"), [("meta-srgan", (2.7, 1.9)), ("srresnet-x4", 4), ("srresnet-x4", 2.7)]
)
def test_evaluations_measure_what_the_plugin_shows(tmp_path, name, scale):
    """The whole slice at once and tiles with halos are the same function of the weights."""
    weights, card = load_network(name)
    folder = keep(tmp_path, name, network=card.network, options=card.options, module=weights)
    network = load_trained(tmp_path, name)
    assert folder.path == network.folder.path
    card = card.model_copy(update={"standardisation": (0.25, 0.5)})
    device, tiling = torch.device("cpu"), Tiling(tile=16)
    model = ZoomModel(weights, card, device=device, tiling=tiling, continued=False)
    for image in (slices(1)[0].image, slices(1)[0].image.astype(np.float32) * 7 - 300):
        grid, ranges = OutputGrid.at_scale(image.shape, scale), ((-10.0, 1100.0), (-1e9, 1e9))
        shown = model.render_pixels(model.encode(image, *ranges), grid, grid.pixel_range())
        measured = network.upscale(image, grid, intensity_range=ranges[0], value_range=ranges[1])
        np.testing.assert_allclose(measured, shown, atol=1e-6 * 1110)


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
    "content", [b"", b"no weights", b"PK\x03\x04 cut short", [1, 2], {"network": {}}, RunFolder]
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
    keep(tmp_path, "small", module=torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="small is not of srgan of its configuration: missing"):
        _ = load_trained(tmp_path, "small").network


SMALL = {
    "lesion-detector": {"widths": (4, 8), "grid": 2},
    "lesion-segmenter": {"widths": (4, 8, 8), "field": 64},
}


def keep_detector(run, name):
    """A detector of a run, that was not trained."""
    detection = DetectionConfig(batch=2, canvas=64)
    return keep(run, name, network=name, options=SMALL[name], pairs=None, detection=detection)


@pytest.fixture
def shipped(monkeypatch):
    """Shipped detectors, none at first: names to what their cards say."""
    points = {}

    def load(model):
        network = "lesion-segmenter" if model == "ld-plus" else "lesion-detector"
        card = SimpleNamespace(
            name=model, network=network, sha256="0123456789", detection=points[model], detects=True
        )
        return build(network, **SMALL[network]), card

    monkeypatch.setattr(detector, "shipped_names", lambda: tuple(points))
    monkeypatch.setattr(detector, "load_network", load)
    return points


def test_the_better_detector_of_the_run_is_taken_when_it_is_finished(tmp_path, shipped):
    run = tmp_path / "run"
    with pytest.raises(UntrainedError, match="expected the network") as refused:
        find_detector(run)
    assert refused.value.experiment == "lfsr-detection"
    shipped["ld"] = OperatingPoint(threshold=0.3, level=0.5, margin=0.1)
    found = find_detector(run)
    assert (found.title, found.point) == ("shipped ld 01234567", shipped["ld"])
    shipped["ld-plus"] = OperatingPoint(threshold=0.4, level=0.2, margin=0.05)
    found = find_detector(run)
    assert (found.title, found.point.level) == ("shipped ld-plus 01234567", 0.2)
    keep_detector(run, "lesion-detector")
    assert find_detector(run).title == "run/lesion-detector"
    better = keep_detector(run, "lesion-segmenter")
    assert find_detector(run).title == "run/lesion-segmenter"
    assert find_weights(run, order=(LD, LD_PLUS)).title == "run/lesion-detector"
    better.final.rename(better.best)
    assert find_detector(run).title == "run/lesion-detector"


def test_a_runs_detector_is_read_as_was_chosen(tmp_path):
    keep_detector(tmp_path, LD_PLUS)
    assert find_detector(tmp_path).point == UNTUNED
    point = OperatingPoint(threshold=0.2, level=0.1, margin=0.05, planes=("axial", "coronal"))
    keep_point(tmp_path, LD_PLUS, point)
    assert find_detector(tmp_path).point == point
    point_file(tmp_path, LD_PLUS).write_text('{"threshold": 7}')
    with pytest.raises(ValueError, match=r"expected an operating point in .*point\.json"):
        find_detector(tmp_path)


@pytest.mark.parametrize("name", SMALL)
def test_a_remembering_detector_looks_once_and_answers_as_the_one_it_was_made_of(tmp_path, name):
    keep_detector(tmp_path, name)
    plain = trained_weights(tmp_path, name)
    looks = []

    def counted(network):
        """Remembers, and counts looks at what is not remembered."""

        def look(image):
            looks.append(1)
            return network(image)

        return remembering(look)

    ran = []
    plain.network.head.register_forward_hook(lambda module, *_: ran.append(module))  # copies too
    asked = plain.detector(wrapped=counted)
    images = [disc(seed, (64, 80))[0] for seed in (1, 2, 1)]
    for level in (0.01, 0.02):
        for margin in (0.0, 0.1):
            point = OperatingPoint(threshold=0.0, level=level, margin=margin)
            for image in images:
                found = asked.detect(image, (0, 200), point=point)
                assert found == plain.detector().detect(image, (0, 200), point=point)
                assert found
    assert len(looks) == 2  # once for each image that differs
    asked.detect(images[0], (0, 100))
    assert len(looks) == 3
    assert ran
    assert all(module is not plain.network.head for module in ran)  # the detector's own copy ran
