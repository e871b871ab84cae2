"""Every experiment's smoke preset from data to the report, by the commands a user types."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from fakes.training import write_data
from PIL import Image

import napari_metasr
from metasr_training import evaluate, export, loop, report, train
from metasr_training.catalogue import experiment, experiment_ids
from metasr_training.detector import find_detector
from metasr_training.lineage import all_updates
from metasr_training.trained import load_trained
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.lesions.detector import load_detector
from napari_metasr.weights import OperatingPoint, load_network

RECONSTRUCTION = ("loss/l1", "loss/mse", "loss/box", "loss/cross-entropy")


@pytest.fixture(scope="module")
def few_statistics():
    """Estimate the statistics of the many networks with batch normalisation from a few batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "STATISTICS_BATCHES", 4)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory, few_statistics):
    """All experiments trained and evaluated in one run folder, the detector's first."""
    folder = tmp_path_factory.mktemp("experiments")
    data = write_data(folder / "data", shape=(136, 128))
    names = sorted(experiment_ids(), key=lambda name: name != "lfsr-detection")
    for name in names:
        done = train.main(
            [name, "--preset", "smoke", "--data", str(data), "--output", str(folder / "run")]
            + ["--precision", "float32"]  # the quicker one differs from machine to machine
            + (["--resume"] if name != names[0] else [])
        )
        assert done == 0, name
        there = ["--sources", "tcga-lgg"] if experiment(name).sources else []
        asked = ["experiment", name, "--output", str(folder / "run"), *there]
        assert evaluate.main(asked) == 0, name
    assert report.main([str(folder / "run"), "--output", str(folder / "report")]) == 0
    return folder


@pytest.mark.parametrize("name", experiment_ids())
def test_every_network_was_trained_to_the_end_and_learned(run, name):
    for recipe, condition in experiment(name).networks():
        trained = load_trained(run / "run", recipe.network_name(condition))
        history = trained.history()
        planned = sum(stage.updates for stage in trained.config.stages)
        assert history[-1]["update"] == planned
        values = [
            value for line in history for value in line.values() if not isinstance(value, str)
        ]
        assert np.isfinite(values).all()
        for term in RECONSTRUCTION:
            found = [line[term] for line in history if term in line]
            if found and recipe.start is None and recipe.shipped is None:
                third = max(len(found) // 3, 1)
                assert np.mean(found[-third:]) < np.mean(found[:third]), f"{trained.name} {term}"


@pytest.mark.parametrize("name", experiment_ids())
def test_every_table_and_figure_is_there_with_finite_values(run, name):
    folder = run / "run" / "evaluation" / name
    about = json.loads((folder / "about.json").read_text())
    assert about["preset"] == "smoke"
    tables, figures = list(folder.glob("*.csv")), list(folder.glob("*.png"))
    assert tables or figures
    for path in tables:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows, path.name
        for row in rows:
            for key in ("psnr", "ssim"):
                if row.get(key):
                    assert math.isfinite(float(row[key])), (path.name, row)
    for path in figures:
        assert np.asarray(Image.open(path).convert("L")).std() > 1, path.name


def test_the_report_holds_every_experiment(run):
    text = (run / "report" / "README.md").read_text()
    for name in experiment_ids():
        assert name in text
        assert experiment(name).title in text
    assert str(run) not in text


@pytest.mark.parametrize("name", ["srresnet-x4", "ms-gan-x4", "srgan-x2", "meta-srgan"])
def test_a_trained_network_becomes_a_model_of_the_plugin(run, tmp_path, name):
    arguments = ["--run", str(run / "run"), "--network", name, "--output", str(tmp_path / "models")]
    assert export.main([*arguments, "--precision", "float16"]) == 0
    path = tmp_path / "models" / f"{name}.safetensors"
    _, card = load_network(path)
    trained = load_trained(run / "run", name)
    assert card.updates == all_updates(trained.lineage)
    assert "10.1007" in card.citation or "SPIE" in card.citation or "ISBI" in card.citation
    assert card.standardisation == tuple(trained.weights["task"]["standardisation"])
    assert card.licence == "CC-BY-NC-SA-4.0"
    image = np.random.default_rng(0).random((24, 28)).astype(np.float32)
    scale = 4 if name.endswith("x4") else 2
    model = napari_metasr.load_model(path, device="cpu")
    output = model.upscale(image, scale)
    assert output.shape == (24 * scale, 28 * scale)
    grid = OutputGrid.at_scale(image.shape, scale)
    np.testing.assert_allclose(output, trained.upscale(image, grid), atol=0.02)


@pytest.mark.parametrize("name", ["lesion-detector", "lesion-segmenter"])
def test_a_trained_detector_becomes_a_model_with_its_operating_point(run, tmp_path, capsys, name):
    arguments = ["--run", str(run / "run"), "--network", name, "--output", str(tmp_path / "models")]
    assert export.main(arguments) == 2
    assert "expected the operating point (--point) of a detector" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
    point = OperatingPoint(threshold=0.25, level=0.5, margin=0.0)
    (tmp_path / "point.json").write_text(point.model_dump_json())
    assert export.main([*arguments, "--point", str(tmp_path / "point.json")]) == 0
    detector = load_detector(tmp_path / "models" / f"{name}.safetensors", device="cpu")
    assert detector.point == point
    image = np.zeros((64, 64), np.float32)
    image[10:50, 12:52] = 0.5
    trained = find_detector(run / "run").detect(image, (0.0, 1.0), point=point)
    if name == "lesion-segmenter":  # which is the one that is preferred
        assert detector.detect(image, (0.0, 1.0)) == trained


def test_a_generator_has_no_operating_point(run, tmp_path, capsys):
    (tmp_path / "point.json").write_text("{}")
    arguments = ["--run", str(run / "run"), "--network", "srgan-x2", "--output", str(tmp_path)]
    assert export.main([*arguments, "--point", str(tmp_path / "point.json")]) == 2
    assert "srgan-x2: expected no operating point" in capsys.readouterr().err
