"""The loop: losses, games, logs and what may go wrong in it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes.training import config, game, losses, slices, train, trainer

from metasr_training.beginning import check_patients
from metasr_training.distributed import World
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder
from metasr_training.stage import RateRule, Stage
from metasr_training.stopwatch import Stopwatch
from metasr_training.tasks.super_resolution import SuperResolution


def test_training_lowers_the_loss(tmp_path):
    stage = Stage(name="l1", updates=60, losses={"l1": 1}, rate=RateRule(initial=2e-3))
    train(trainer(tmp_path, stages=(stage,)))
    found = list(losses(tmp_path).values())
    assert len(found) == 60
    assert np.mean(found[-10:]) < 0.7 * np.mean(found[:10])


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


def test_patients_on_both_sides_are_named():
    with pytest.raises(ValueError, match="found in both training and validation: disc 1"):
        check_patients(slices(3), slices(2)[1:])


def test_a_patient_with_another_contrast_is_the_same_patient():
    other = [replace(one, source=f"contrasts/{one.source}") for one in slices(1)]
    with pytest.raises(ValueError, match="found in both training and validation: disc"):
        check_patients(other, slices(1))
