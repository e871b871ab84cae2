"""Which weights of a training run are kept: the average or the raw ones, the best, the first."""

from __future__ import annotations

import pytest
import torch
from fakes.training import game, slices, train, trainer

from metasr_training.campaign import described
from metasr_training.fine_tuning import best
from metasr_training.generators import super_resolve
from metasr_training.run_folder import RunFolder
from metasr_training.stage import RateRule, Stage
from metasr_training.trained import load_trained
from napari_metasr.geometry.grids import OutputGrid


def test_the_average_or_the_weights_are_kept_whichever_is_better(tmp_path):
    train(trainer(tmp_path, average=0.5))
    lines = [line for line in RunFolder(tmp_path).history() if "kept" in line]
    assert [line["update"] for line in lines] == [0, 6, 12]
    for line in lines[1:]:
        scores = {name: line[f"val/score_of_{name}"] for name in ("weights", "average")}
        assert scores["weights"] != scores["average"]
        assert line["kept"] == max(scores, key=scores.get)
        assert line["val/psnr"] == scores[line["kept"]]
    final = torch.load(tmp_path / "final.pt", weights_only=True)
    assert final["kept"] == lines[-1]["kept"]


@pytest.mark.parametrize("kept", ["weights", "average"])
def test_a_trained_network_tells_whether_it_is_an_average(tmp_path, kept):
    one = trainer(tmp_path / "networks" / "small", average=0.5)
    one.folder.write_config(one.config, task=one.task.about())
    one.kept, one.kept_as = one.generator.candidates()[kept], kept
    one.folder.save(one.folder.final, one.weights())
    assert load_trained(tmp_path, "small").is_average == (kept == "average")


@pytest.mark.parametrize("decay", [0.99, 0.999])
def test_what_is_kept_of_a_short_run_is_what_it_learned(tmp_path, decay):
    """After 20 updates a constant decay of 0.99 would hold 82 % of the initial network."""
    stage = Stage(name="mse", updates=20, losses={"mse": 1}, rate=RateRule(initial=1e-3))
    one = trainer(
        tmp_path,
        network="srresnet",
        options={"features": 16, "blocks": 2, "scale": 2},
        interpolating_start=True,
        average=decay,
        stages=(stage,),
        validate_every=50,
        validation_batches=8,
    )
    start = one.task.validate(one.generator.network.eval(), one.device).score
    train(one)
    raw = one.task.validate(one.generator.network.eval(), one.device).score
    kept = torch.load(tmp_path / "final.pt", weights_only=True)["network"]
    one.generator.network.load_state_dict(kept)
    found = one.task.validate(one.generator.network.eval(), one.device).score
    assert raw > start + 0.1
    assert found >= start
    assert found >= raw - 0.1


def test_the_best_weights_are_those_of_the_best_validation(tmp_path):
    one = train(trainer(tmp_path, validate_every=2))
    checked = {
        line["update"]: line["val/psnr"]
        for line in RunFolder(tmp_path).history()
        if "val/psnr" in line and line["update"]
    }
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["update"] == max(checked, key=checked.get)
    assert one.best_score == max(checked.values())


def test_validation_begins_with_what_the_network_was(tmp_path):
    """A curve of a run shorter than ``validate_every`` has two points and not one."""
    train(trainer(tmp_path, validate_every=100))
    checked = [line["update"] for line in RunFolder(tmp_path).history() if "val/psnr" in line]
    assert checked == [0, 12]


def test_a_network_that_was_better_before_it_was_trained_is_still_one_that_was_trained(tmp_path):
    stage = Stage(name="l1", updates=4, losses={"l1": 1}, rate=RateRule(initial=0.3))  # it diverges
    train(trainer(tmp_path, stages=(stage,), interpolating_start=True, validate_every=2))
    lines = [line for line in RunFolder(tmp_path).history() if "val/psnr" in line]
    assert max(lines, key=lambda line: line["val/psnr"])["update"] == 0
    assert torch.load(tmp_path / "best.pt", weights_only=True)["update"] > 0


def diverging(folder, **changes):
    """A network that is best before it is trained."""
    stage = Stage(name="l1", updates=4, losses={"l1": 1}, rate=RateRule(initial=0.3))
    changes = {"stages": (stage,), "interpolating_start": True, "validate_every": 2} | changes
    one = trainer(folder, **changes)
    one.folder.write_config(one.config, task=one.task.about())
    return train(one)


def validations(one):
    return {line["update"]: line for line in one.folder.history() if "val/psnr" in line}


def test_what_is_said_of_a_network_is_what_its_weights_scored(tmp_path):
    one = diverging(tmp_path / "networks" / "small")
    lines, found = validations(one), load_trained(tmp_path, "small")
    kept = max(lines[2], lines[4], key=lambda line: line["val/psnr"])
    assert kept["val/psnr"] < lines[0]["val/psnr"]
    assert found.validation["val/psnr"] == found.validation["score"] == kept["val/psnr"]
    assert f"{kept['val/psnr']:.2f} dB ({kept['val/gain']:+.2f} over bicubic)" in described(found)


def test_after_a_game_it_is_what_the_last_weights_scored(tmp_path):
    one = diverging(tmp_path / "networks" / "small", stages=(game("vanilla"),))
    lines, found = validations(one), load_trained(tmp_path, "small")
    assert len({round(line["val/psnr"], 2) for line in lines.values()}) == 4
    assert found.validation["val/psnr"] == lines[6]["val/psnr"]
    assert f"{lines[6]['val/psnr']:.2f} dB" in described(found)


def test_of_older_files_it_is_read_from_the_log(tmp_path):
    one = diverging(tmp_path / "networks" / "small", average=0.5)
    weights = torch.load(one.folder.best, weights_only=True)
    expected = load_trained(tmp_path, "small").validation
    torch.save({key: weights[key] for key in weights if key != "validation"}, one.folder.best)
    older = load_trained(tmp_path, "small")
    assert expected.items() <= older.validation.items()
    one.folder.metrics.unlink()
    again = load_trained(tmp_path, "small")
    assert again.validation == {}
    assert described(again).endswith(" min")


def test_the_best_seed_is_that_of_the_best_weights_not_of_the_best_start(tmp_path):
    diverging(tmp_path / "ruined" / "networks" / "small")
    gentle = Stage(name="l1", updates=4, losses={"l1": 1}, rate=RateRule(initial=1e-4))
    diverging(tmp_path / "gentle" / "networks" / "small", stages=(gentle,))
    ruined, trained = (load_trained(tmp_path / name, "small") for name in ("ruined", "gentle"))
    assert ruined.validation["score"] < trained.validation["score"]
    ruined.folder.log(update=0, **{"val/psnr": 99.0})  # of the start
    assert best([ruined, trained]) is trained


def test_a_trained_network_upscales_a_slice(tmp_path):
    one = trainer(tmp_path / "networks" / "small")
    one.folder.write_config(one.config, task=one.task.about())
    train(one)
    found = load_trained(tmp_path, "small")
    assert found.updates in {6, 12}
    assert found.parameters == sum(value.numel() for value in one.generator.network.parameters())
    image = slices(1)[0].image
    output = found.upscale(image, OutputGrid.at_scale(image.shape, 2))
    assert output.shape == (120, 100)
    assert output.min() >= image.min()
    assert output.max() <= image.max()
    trebled = OutputGrid.at_scale(image.shape, 3)
    assert found.upscale(image, trebled).shape == (180, 150)  # resampled from x2
    with pytest.raises(ValueError, match="expected a grid of scale 2, found 3 x 3"):
        super_resolve(found.network, torch.zeros(1, 1, *image.shape), trebled)
    with pytest.raises(FileNotFoundError, match="did you mean 'small'"):
        load_trained(tmp_path, "smal")
