"""The two-player games, played with critics whose scores are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from metasr_training.games import GAMES, game
from metasr_training.losses import gradient_penalty


class Brightness(nn.Module):
    """D(x) = sigmoid(a mean(x)) or a mean(x)."""

    def __init__(self, slope, probability):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope)))
        self.probability = probability

    def forward(self, image):
        score = self.slope * image.mean((1, 2, 3))[:, None]
        return score.sigmoid() if self.probability else score


def players(value, probability, slope=1.0):
    sr = torch.full((2, 1, 4, 4), float(value), requires_grad=True)
    hr = torch.full((2, 1, 4, 4), 1.0)
    return Brightness(slope, probability), sr, hr


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_vanilla():
    critic, sr, hr = players(-2, probability=True)
    one = game("vanilla")
    assert one.generator_loss(critic, sr).item() == pytest.approx(-math.log(sigmoid(-2)))
    found = one.critic_loss(critic, sr, hr, torch.Generator())
    expected = -math.log(sigmoid(1)) - math.log(1 - sigmoid(-2))
    assert {name: loss.item() for name, loss in found.items()} == pytest.approx(
        {"critic": expected}
    )


def test_lfsr():
    critic, sr, hr = players(-2, probability=True)
    one = game("lfsr")
    assert one.generator_loss(critic, sr).item() == pytest.approx(-sigmoid(-2))
    found = one.critic_loss(critic, sr, hr, torch.Generator())
    assert found["critic"].item() == pytest.approx(1 - sigmoid(1) - (1 - sigmoid(-2)))


def test_wgan():
    critic, sr, hr = players(-2, probability=False, slope=3)
    one = game("wgan")
    assert one.generator_loss(critic, sr).item() == pytest.approx(6)
    assert one.critic_loss(critic, sr, hr, torch.Generator())["critic"].item() == pytest.approx(-9)


def test_wgan_gp():
    critic, sr, hr = players(-2, probability=False, slope=3)
    found = game("wgan-gp", penalty=5.0).critic_loss(critic, sr, hr, torch.Generator())
    slope_norm = 3 / 16 * math.sqrt(16)
    assert found["critic"].item() == pytest.approx(-9)
    assert found["penalty"].item() == pytest.approx(5 * (slope_norm - 1) ** 2)
    assert game("wgan-gp").penalty == 10


def test_the_critic_of_a_penalty_has_no_norm_over_the_batch():
    assert game("wgan-gp").critic_options == {"norm": "instance"}
    assert game("wgan-gp", norm="none").critic_options == {"norm": "none"}
    with pytest.raises(ValueError, match="expected a norm among instance, none, found 'batch'"):
        game("wgan-gp", norm="batch")


def test_the_penalty_follows_the_given_random_numbers():
    class Square(nn.Module):
        def forward(self, x):
            return x.square().flatten(1).sum(1, keepdim=True)

    _, sr, hr = players(-2, probability=False)
    rng = [torch.Generator().manual_seed(3) for _ in range(2)]
    found = game("wgan-gp").critic_loss(Square(), sr, hr, rng[0])["penalty"]
    torch.testing.assert_close(found, 10 * gradient_penalty(Square(), hr, sr, rng[1]))


@pytest.mark.parametrize("name", GAMES)
def test_the_critic_s_loss_leaves_the_generator_alone(name):
    critic, sr, hr = players(-2, probability=name in {"vanilla", "lfsr"}, slope=0.5)
    sum(game(name).critic_loss(critic, sr, hr, torch.Generator()).values()).backward()
    assert sr.grad is None
    assert critic.slope.grad.abs() > 0


@pytest.mark.parametrize("name", GAMES)
def test_each_player_s_step_hurts_the_other(name):
    """The critic's step raises the gap between real and made; the generator's closes it."""
    critic, sr, hr = players(-2, probability=name in {"vanilla", "lfsr"}, slope=0.005)
    one = game(name)

    def gap():
        with torch.no_grad():
            return (critic(hr) - critic(sr)).mean().item()

    before = gap()
    optimiser = torch.optim.SGD(critic.parameters(), 0.001)
    sum(one.critic_loss(critic, sr, hr, torch.Generator()).values()).backward()
    optimiser.step()
    one.after_critic_step(critic)
    trained = gap()
    assert trained > before
    optimiser.zero_grad()
    (slope,) = torch.autograd.grad(one.generator_loss(critic, sr), sr)
    with torch.no_grad():
        sr -= 1000 * slope
    assert gap() < trained


@pytest.mark.parametrize("name", GAMES)
def test_only_wgan_clips(name):
    critic = Brightness(3, probability=False)
    one = game(name)
    one.after_critic_step(critic)
    assert critic.slope.item() == pytest.approx(0.01 if name == "wgan" else 3)


def test_the_clip_is_an_option():
    critic = Brightness(-3, probability=False)
    game("wgan", clip=0.5).after_critic_step(critic)
    assert critic.slope.item() == -0.5


def test_who_plays():
    assert {name: (one().critic, one().critic_options) for name, one in GAMES.items()} == {
        "vanilla": ("discriminator", {}),
        "lfsr": ("discriminator", {}),
        "wgan": ("critic", {"norm": "batch"}),
        "wgan-gp": ("critic", {"norm": "instance"}),
    }


def test_refusals():
    with pytest.raises(ValueError, match=r"found 'wgan_gp'; did you mean 'wgan-gp'\?"):
        game("wgan_gp")
    with pytest.raises(ValueError, match="the game vanilla takes no options, found 'clip'"):
        game("vanilla", clip=0.1)
    with pytest.raises(ValueError, match="takes the options clip, found 'penalty'"):
        game("wgan", penalty=1)
    with pytest.raises(ValueError, match="expected a clip above 0, found -1"):
        game("wgan", clip=-1)
    with pytest.raises(ValueError, match="at least 0, found nan"):
        game("wgan-gp", penalty=math.nan)
