"""The loop: losses, games, checkpoints, budgets and everything that may go wrong."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch
from fakes.training import config, losses, slices

from metasr_training.beginning import begun_budget, check_patients, check_unchanged
from metasr_training.distributed import World
from metasr_training.generators import super_resolve
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder, locked
from metasr_training.stage import RateRule, Stage
from metasr_training.stopwatch import Stopwatch
from metasr_training.tasks.super_resolution import SuperResolution
from metasr_training.telemetry import Telemetry
from metasr_training.trained import load_trained
from napari_metasr.geometry.grids import OutputGrid


def trainer(folder, **changes):
    run = config(**changes)
    found = slices(5)
    task = SuperResolution(run, {"mri": found[:4]}, found[4:])
    return Trainer(run, task, RunFolder(folder))


def train(one):
    telemetry = Telemetry(one.folder, update=one.update)
    one.run(telemetry)
    telemetry.close()
    return one


def game(name, **changes):
    rate = RateRule(initial=1e-3)
    terms = {"mse": 1, "adversarial": 0.01}
    return Stage(name="game", updates=6, losses=terms, game=name, rate=rate, **changes)


def test_training_lowers_the_loss(tmp_path):
    stage = Stage(name="l1", updates=60, losses={"l1": 1}, rate=RateRule(initial=2e-3))
    train(trainer(tmp_path, stages=(stage,)))
    found = list(losses(tmp_path).values())
    assert len(found) == 60
    assert np.mean(found[-10:]) < 0.7 * np.mean(found[:10])


def test_a_resumed_run_is_the_run_that_was_not_stopped(tmp_path):
    train(trainer(tmp_path / "whole"))
    stopped = trainer(tmp_path / "pieces")
    coming = stopped.drawing.after(stopped.update)
    for _ in range(4):
        stopped.step(next(coming))
    coming.close()
    stopped.save()
    resumed = trainer(tmp_path / "pieces")
    assert resumed.resume()
    assert resumed.update == 4
    train(resumed)
    whole, pieces = losses(tmp_path / "whole"), losses(tmp_path / "pieces")
    assert whole.keys() == set(range(1, 13))
    assert all(pieces[update] == whole[update] for update in range(5, 13))
    final = [torch.load(tmp_path / k / "final.pt", weights_only=True) for k in ("whole", "pieces")]
    for key, value in final[0]["network"].items():
        assert torch.equal(value, final[1]["network"][key])


def test_a_line_holds_losses_rate_and_speed(tmp_path):
    train(trainer(tmp_path, stages=(game("vanilla"),), validate_every=3))
    first = next(line for line in RunFolder(tmp_path).history() if "stage" in line)
    assert {"update", "stage", "rate", "updates_per_second", "seconds"} <= first.keys()
    named = {key for key in first if key.startswith("loss/")}
    assert named == {"loss/total", "loss/mse", "loss/adversarial", "loss/critic"}
    assert first["loss/total"] == pytest.approx(
        first["loss/mse"] + 0.01 * first["loss/adversarial"], rel=1e-5
    )
    checked = [line for line in RunFolder(tmp_path).history() if "val/psnr" in line]
    assert [line["update"] for line in checked] == [0, 3, 6]
    assert checked[0]["val/gain"] == checked[0]["val/psnr"] - checked[0]["val/psnr_bicubic"]
    assert any((tmp_path / "tensorboard").iterdir())


@pytest.mark.parametrize("name", ["vanilla", "lfsr", "wgan", "wgan-gp"])
def test_each_player_moves_its_own_weights_alone(tmp_path, name):
    one = trainer(tmp_path, stages=(game(name),))
    drawn = next(one.drawing.after(one.update))
    generator = [value.clone() for value in one.generator.network.parameters()]
    critic = one.critics["game"]
    before = [value.clone() for value in critic.network.parameters()]
    outcome = one.forward(drawn, drawn.batches[-1])
    one.play(critic, drawn, outcome)
    assert all(map(torch.equal, generator, one.generator.network.parameters()))
    assert not all(map(torch.equal, before, critic.network.parameters()))
    before = [value.clone() for value in critic.network.parameters()]
    one.generator.descend(one.judge(critic, drawn, outcome))
    assert all(map(torch.equal, before, critic.network.parameters()))
    assert not all(map(torch.equal, generator, one.generator.network.parameters()))


def test_a_clipped_critic_stays_clipped(tmp_path):
    one = train(trainer(tmp_path, stages=(game("wgan"),)))
    critic = one.critics["game"]
    assert max(value.abs().max() for value in critic.network.parameters()) <= 0.01 + 1e-9


def test_each_stage_has_the_critic_of_its_own_game(tmp_path):
    """Weight clipping with batch norm, and a gradient penalty without any: two critics."""
    rate = RateRule(initial=1e-3)
    terms = {"mse": 1, "adversarial": 0.01}
    stages = tuple(
        Stage(name=name, updates=2, losses=terms, game=rules, game_options=options, rate=rate)
        for name, rules, options in (
            ("clipped", "wgan", {}),
            ("penalised", "wgan-gp", {"norm": "none"}),
            ("clipped again", "wgan", {}),
        )
    )
    one = trainer(tmp_path, stages=stages)
    norms = {
        name: any(isinstance(part, torch.nn.BatchNorm2d) for part in critic.network.modules())
        for name, critic in one.critics.items()
    }
    assert norms == {"clipped": True, "penalised": False, "clipped again": True}
    assert one.critics["clipped"] is one.critics["clipped again"]
    train(one)
    resumed = trainer(tmp_path, stages=stages)
    assert resumed.resume()
    for name in ("clipped", "penalised"):
        for mine, theirs in zip(
            one.critics[name].network.parameters(),
            resumed.critics[name].network.parameters(),
            strict=True,
        ):
            assert torch.equal(mine, theirs)


def test_each_process_draws_its_own_points_for_the_gradient_penalty(tmp_path):
    """Where two processes had the same, two halves of a batch were punished at the same shares."""

    class Watched:
        def __init__(self, rules):
            self.rules, self.states = rules, []

        def critic_loss(self, critic, sr, hr, rng):
            self.states.append(torch.rand(4, generator=rng))
            return self.rules.critic_loss(critic, sr, hr, rng)

        def after_critic_step(self, critic):
            self.rules.after_critic_step(critic)

    class Alone(World):
        """One of two processes, whose averages are its own values."""

        def average(self, value):
            return value

        def average_gradients(self, parameters):
            pass

        def agree(self, value):
            return value

    found = []
    for rank in (0, 1):
        run = config(stages=(game("wgan-gp"),))
        images = slices(5)
        task = SuperResolution(run, {"mri": images[:4]}, images[4:])
        one = Trainer(run, task, RunFolder(tmp_path / str(rank)), world=Alone(rank, 2))
        one.games["game"] = Watched(one.games["game"])
        coming = one.drawing.after(one.update)
        drawn = next(coming)
        coming.close()
        one.play(one.critics["game"], drawn, one.forward(drawn, drawn.batches[-1]))
        found += one.games["game"].states
    assert not torch.equal(found[0], found[1])


def test_five_steps_of_the_critic_see_five_batches(tmp_path):
    one = trainer(tmp_path, stages=(game("wgan", critic_steps=5),))
    drawn = next(one.drawing.after(one.update))
    assert len(drawn.batches) == 5
    assert not torch.equal(drawn.batches[0].truth, drawn.batches[1].truth)
    assert torch.equal(drawn.batches[3].truth, one.task.draw(3, "mri", 0, 1).truth)


def test_the_pixel_loss_is_of_standardised_intensities(tmp_path):
    one = trainer(tmp_path)
    assert 0 < one.task.mean < 1
    batch = one.task.draw(0, "mri", 0, 1)
    stage = one.config.stages[0]
    found = one.task.evaluate(one.generator.network, batch, stage, one.device)
    expected = ((found.made - batch.truth.clamp(0, 1)).abs() / one.task.std).mean()
    inside = (found.made > 0) & (found.made < 1)
    assert inside.float().mean() > 0.2
    assert found.losses["l1"].item() >= expected.item() - 1e-6  # clamping only brings it nearer


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


def test_a_run_starts_from_another_ones_weights(tmp_path):
    first = train(trainer(tmp_path / "first"))
    second = trainer(tmp_path / "second")
    second.task.mean = 9.0
    weights = first.weights()
    second.start_from(weights["network"], weights["task"])
    assert second.task.mean == first.task.mean
    for mine, theirs in zip(
        second.generator.network.parameters(), first.generator.network.parameters(), strict=True
    ):
        assert torch.equal(mine, theirs)


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path):
    folder = RunFolder(tmp_path)
    for update in (1, 2, 3):
        folder.log(update=update, value=update)
    with folder.metrics.open("a") as file:
        file.write('{"update": 4, "val')  # the line that a kill cut short
    folder.cut_log(2)
    kept = folder.metrics.read_text().splitlines()
    assert [json.loads(line)["update"] for line in kept] == [1, 2]


def test_the_last_losses_of_a_run_are_logged(tmp_path):
    """Twelve updates, a line every five: the last line is the mean of the last two."""
    train(trainer(tmp_path / "each"))
    train(trainer(tmp_path / "five", log_every=5))
    each, five = losses(tmp_path / "each"), losses(tmp_path / "five")
    assert list(five) == [5, 10, 12]
    assert five[12] == pytest.approx((each[11] + each[12]) / 2)
    train(trainer(tmp_path / "hundred", log_every=100))
    (line,) = (one for one in RunFolder(tmp_path / "hundred").history() if "stage" in one)
    assert line["update"] == 12
    assert line["updates_per_second"] > 0


def test_the_speed_is_of_updates_not_of_pauses_and_validation(tmp_path):
    stage = Stage(name="l1", updates=3, losses={"l1": 1})
    one = trainer(tmp_path, validate_every=1, stages=(stage,))
    one.task.validate = slow(one.task.validate)
    train(one)
    lines = [line for line in RunFolder(tmp_path).history() if "stage" in line]
    assert len(lines) == 3
    assert min(line["updates_per_second"] for line in lines) > 1 / WAIT


WAIT = 2.0


def slow(function):
    def waiting(*arguments):
        time.sleep(WAIT)
        return function(*arguments)

    return waiting


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


def test_a_budget_ends_the_run(tmp_path):
    stage = Stage(name="l1", updates=100_000, losses={"l1": 1})
    one = train(trainer(tmp_path, budget=1e-3, stages=(stage,)))
    assert one.update == 1
    assert (tmp_path / "final.pt").exists()


def test_asked_to_stop_it_finishes_the_update_and_saves(tmp_path):
    one = trainer(tmp_path)
    one.stop = Event()
    one.stop.set()
    train(one)
    assert one.update == 1
    assert RunFolder(tmp_path).load_checkpoint()["update"] == 1
    assert not (tmp_path / "final.pt").exists()


def test_a_loss_that_is_not_finite_stops_with_the_batch(tmp_path):
    one = trainer(tmp_path)
    drawn = next(one.drawing.after(one.update))
    drawn.batches[-1].truth[0, 0, 0, 0] = np.nan
    with pytest.raises(
        FloatingPointError, match="expected finite losses, found l1 nan at update 0"
    ):
        one.step(drawn)
    saved = torch.load(tmp_path / "batch-not-finite-0.pt", weights_only=True)
    assert torch.isnan(saved["truth"][0, 0, 0, 0])


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    trainer(tmp_path).save()
    with pytest.raises(ValueError, match=r"expected a checkpoint of small \(edsr\).*found .*srgan"):
        trainer(tmp_path, network="edsr", options={"features": 8, "blocks": 1}).resume()
    with pytest.raises(ValueError, match="is not of small as it is configured now"):
        trainer(tmp_path, options={"features": 16, "blocks": 1, "scale": 2}).resume()


def test_another_configuration_is_refused_and_named(tmp_path):
    one = trainer(tmp_path)
    one.folder.write_config(one.config)
    check_unchanged(one.folder, config(seed=5))  # nothing was trained yet
    one.save()
    with pytest.raises(ValueError, match="seed 0 is now 5"):
        check_unchanged(one.folder, config(seed=5))


def test_a_network_keeps_the_budget_it_was_begun_with(tmp_path):
    one = trainer(tmp_path, budget=60.0)
    assert begun_budget(one.folder, 5.0) == 5.0  # not begun yet
    one.folder.write_config(one.config)
    one.save()
    assert begun_budget(one.folder, 5.0) == 60.0
    assert begun_budget(one.folder, None) == 60.0


def test_losses_between_two_lines_survive_a_resume(tmp_path):
    """A checkpoint in the middle of a logged interval: its line is the mean of all of it."""
    train(trainer(tmp_path / "whole", log_every=6))
    stopped = trainer(tmp_path / "pieces", log_every=6)
    coming = stopped.drawing.after(stopped.update)
    for _ in range(4):
        stopped.losses.add(stopped.step(next(coming)))
    coming.close()
    stopped.save()
    resumed = trainer(tmp_path / "pieces", log_every=6)
    resumed.resume()
    train(resumed)
    assert losses(tmp_path / "pieces") == losses(tmp_path / "whole")


def test_pauses_do_not_count():
    watch = Stopwatch()
    for interval in (1.0, 2.0, 1.0, 3600.0):
        watch.count(interval)
    assert watch.elapsed == 1 + 2 + 1 + 1
    slow = Stopwatch(10.0)
    for interval in (40.0, 45.0, 50.0):
        slow.count(interval)
    assert slow.elapsed == 10 + 40 + 45 + 50


def test_a_warm_up_begins_anew_with_each_stage(tmp_path):
    rate = RateRule(initial=1e-3, warm_up=3)
    stages = tuple(Stage(name=n, updates=4, losses={"l1": 1}, rate=rate) for n in ("one", "two"))
    train(trainer(tmp_path, stages=stages))
    rates = [line["rate"] for line in RunFolder(tmp_path).history() if "rate" in line]
    assert rates == pytest.approx([1e-3 / 3, 2e-3 / 3, 1e-3, 1e-3] * 2)


def test_a_batch_that_the_processes_cannot_share(tmp_path):
    with pytest.raises(ValueError, match="a batch that 3 processes share evenly, found 2"):
        Trainer(config(), None, RunFolder(tmp_path), world=World(0, 3))


def test_a_damaged_checkpoint_is_named(tmp_path):
    one = trainer(tmp_path)
    one.save()
    one.folder.checkpoint.write_bytes(one.folder.checkpoint.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"expected a checkpoint at .*last\.pt"):
        one.resume()
    torch.save([1, 2], one.folder.checkpoint)
    with pytest.raises(ValueError, match="found a list"):
        one.resume()


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    one = trainer(tmp_path)
    one.save()
    before = one.folder.checkpoint.read_bytes()

    def full(state, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    one.update = 7
    with pytest.raises(OSError, match=r"No space left on device.*; the one before is still there"):
        one.save()
    assert one.folder.checkpoint.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt"]


def test_a_live_folder_is_locked(tmp_path):
    def second():
        with locked(tmp_path):
            pass

    with locked(tmp_path), pytest.raises(FileExistsError, match="another process is training in"):
        second()
    second()


def test_patients_on_both_sides_are_named():
    with pytest.raises(ValueError, match="found in both training and validation: disc 1"):
        check_patients(slices(3), slices(2)[1:])


def test_a_patient_with_another_contrast_is_the_same_patient():
    other = [replace(one, source=f"contrasts/{one.source}") for one in slices(1)]
    with pytest.raises(ValueError, match="found in both training and validation: disc"):
        check_patients(other, slices(1))


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


# The command line, in processes of its own
