"""Discriminator and critics: size, range, and what a gradient penalty needs of them."""

from __future__ import annotations

import pytest
import torch

from napari_metasr.networks import build


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_parameter_count():
    assert parameters(build("discriminator")) == 5_214_273
    assert parameters(build("critic", norm="batch")) == 5_214_273
    assert parameters(build("critic", norm="instance")) == 5_214_273
    # each normalisation holds a scale and a shift for every feature
    features = 64 + 2 * (128 + 256 + 512)
    assert parameters(build("critic", norm="none")) == 5_214_273 - 2 * features


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (96, 96)])
def test_one_number_an_image(size):
    image = torch.rand(2, 1, *size)
    with torch.no_grad():
        probability = build("discriminator")(image)
    assert probability.shape == (2, 1)
    assert ((probability > 0) & (probability < 1)).all()


def test_the_discriminator_is_the_critic_behind_a_sigmoid():
    discriminator, critic = build("discriminator").eval(), build("critic").eval()
    critic.load_state_dict(discriminator.state_dict())
    image = torch.rand(2, 1, 24, 24)
    with torch.no_grad():
        expected = 1 / (1 + torch.exp(-critic(image)))
        torch.testing.assert_close(discriminator(image), expected)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_a_gradient_penalty_reaches_the_weights(norm):
    """Double backward: the penalty's gradient is its finite difference along a direction."""
    critic = build("critic", norm=norm).double()
    image = torch.rand(2, 1, 20, 20, dtype=torch.float64, requires_grad=True)

    def penalty():
        (gradient,) = torch.autograd.grad(critic(image).sum(), image, create_graph=True)
        return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()

    weight = critic.features[2].weight
    (slope,) = torch.autograd.grad(penalty(), weight)
    direction = torch.randn_like(weight)
    direction /= direction.norm()
    step = 1e-5
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            weight += sign * step * direction
        values.append(penalty().item())
        with torch.no_grad():
            weight -= sign * step * direction
    expected = (values[0] - values[1]) / (2 * step)
    assert (slope * direction).sum().item() == pytest.approx(expected, rel=1e-3, abs=1e-9)
    assert slope.abs().max() > 0


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_without_batch_normalisation_images_are_judged_one_by_one(norm):
    critic = build("critic", norm=norm)
    images = torch.rand(3, 1, 20, 20)
    with torch.no_grad():
        together = critic(images)
        alone = torch.cat([critic(image[None]) for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)


def test_bad_input():
    with pytest.raises(ValueError, match=r"at least 16 x 16 pixels, found \(2, 1, 15, 40\)"):
        build("discriminator")(torch.rand(2, 1, 15, 40))
    with pytest.raises(ValueError, match="at least 17 x 17"):
        build("critic", norm="instance")(torch.rand(2, 1, 16, 16))
    with pytest.raises(ValueError, match=r"expected a normalisation among .* found 'layer'"):
        build("critic", norm="layer")
