"""Convergence: PSNR for networks of pixel losses, the loss and a perceptual measure for games."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes.evaluation import FakeNetwork
from fakes.training import config

from metasr_training.evaluation.convergence import converged, still_falling
from metasr_training.evaluation.scores import Average
from metasr_training.stage import Stage

BICUBIC = Average(9, 30.0, 1.0, 0.9, 0.01, 0.5, 0.2, 0.0)
GAME = Stage(name="game", updates=9, losses={"mse": 1, "adversarial": 1}, game="wgan")


def lines(losses, stage="game"):
    return [{"update": k, "stage": stage, "loss/total": loss} for k, loss in enumerate(losses)]


def played(losses):
    run = config(stages=(Stage(name="mse", updates=3, losses={"mse": 1}), GAME))
    return FakeNetwork("net", config=run, lines=[*lines([9.0] * 9, "mse"), *lines(losses)])


def flat(seed=0):
    rng = np.random.default_rng(seed)
    return list(3 * np.exp(-np.arange(24)) + rng.normal(0, 0.01, 24))


def test_a_network_of_pixel_losses_is_judged_by_psnr():
    network = FakeNetwork("net", lines=lines(np.linspace(9, 1, 24), "l1"))
    assert converged(network, replace(BICUBIC, vif=0.1), BICUBIC)
    assert not converged(network, replace(BICUBIC, psnr=29.9, vif=0.9), BICUBIC)


def test_a_network_that_played_a_game_may_have_a_lower_psnr():
    assert converged(played(flat()), replace(BICUBIC, psnr=28.0, vif=0.52), BICUBIC)


def test_not_if_its_images_are_perceptually_worse_than_bicubic():
    assert not converged(played(flat()), replace(BICUBIC, psnr=33.0, vif=0.48), BICUBIC)


def test_not_if_the_loss_of_its_game_still_falls():
    falling = played(np.linspace(9, 1, 24))
    assert not converged(falling, replace(BICUBIC, psnr=33.0, vif=0.6), BICUBIC)


@pytest.mark.parametrize("seed", range(5))
def test_a_loss_that_has_settled_does_not_fall(seed):
    assert not still_falling(flat(seed))
    assert not still_falling([-value for value in np.linspace(9, 1, 24)])  # it rises


def test_few_losses_do_not_tell():
    assert not still_falling(np.linspace(9, 1, 7))
    assert still_falling(np.linspace(9, 1, 8))
