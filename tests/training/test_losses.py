"""Losses against values computed by hand, and against derivatives that are known."""

from __future__ import annotations

import math
from urllib.error import URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from metasr_training import losses
from metasr_training.perceptual import PerceptualConfig, perceptual_features
from napari_metasr.degradations import degrade
from napari_metasr.networks import build


def images(seed=0, n=3, size=6):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(seed))


def probabilities(*values):
    return torch.tensor(values).reshape(-1, 1).requires_grad_()


def test_pixel_losses():
    output, truth = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [6.0, 4.0]])
    assert losses.l1_loss(output, truth).item() == pytest.approx((2 + 3) / 4)
    assert losses.mse_loss(output, truth).item() == pytest.approx((4 + 9) / 4)


def test_pixel_losses_of_a_half_precision_output_are_float32():
    truth = torch.full((1, 1, 300, 300), 1.0)
    output = torch.full_like(truth, 1.5, dtype=torch.bfloat16)
    for loss, expected in ((losses.l1_loss, 0.5), (losses.mse_loss, 0.25)):
        value = loss(output, truth)
        assert value.dtype == torch.float32
        assert value.item() == expected


def test_log_form():
    d_hr, d_sr = probabilities(0.9, 0.6), probabilities(0.2, 0.5)
    generator = losses.log_generator_loss(d_sr)
    assert generator.item() == pytest.approx(-(math.log(0.2) + math.log(0.5)) / 2)
    discriminator = losses.log_discriminator_loss(d_hr, d_sr)
    expected = -(math.log(0.9) + math.log(0.6)) / 2 - (math.log(0.8) + math.log(0.5)) / 2
    assert discriminator.item() == pytest.approx(expected, rel=1e-6)
    (slope,) = torch.autograd.grad(generator, d_sr)
    torch.testing.assert_close(slope, torch.tensor([[-1 / 0.2 / 2], [-1 / 0.5 / 2]]))


def test_log_form_at_the_optimal_discriminator_is_log_four():
    """D = 1/2 everywhere: Goodfellow et al. 2014, theorem 1."""
    half = probabilities(0.5, 0.5)
    assert losses.log_discriminator_loss(half, half).item() == pytest.approx(math.log(4))


def test_a_discriminator_that_is_certain_gives_finite_losses_and_gradients():
    d_hr, d_sr = probabilities(0.0, 1.0), probabilities(1.0, 0.0)
    value = losses.log_discriminator_loss(d_hr, d_sr) + losses.log_generator_loss(d_sr)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(d_hr.grad).all()
    assert torch.isfinite(d_sr.grad).all()


def test_percentage_form():
    d_hr, d_sr = probabilities(0.9, 0.7), probabilities(0.2, 0.4)
    assert losses.percentage_generator_loss(d_sr).item() == pytest.approx(-0.3)
    loss = losses.percentage_discriminator_loss(d_hr, d_sr)
    assert loss.item() == pytest.approx(1 - 0.8 - 0.7)
    loss.backward()
    torch.testing.assert_close(d_hr.grad, torch.full((2, 1), -0.5))
    torch.testing.assert_close(d_sr.grad, torch.full((2, 1), 0.5))


@pytest.mark.parametrize(("d_hr", "d_sr", "expected"), [(1.0, 0.0, -1), (0.0, 1.0, 1)])
def test_percentage_form_runs_from_all_told_to_none(d_hr, d_sr, expected):
    loss = losses.percentage_discriminator_loss(probabilities(d_hr), probabilities(d_sr))
    assert loss.item() == expected


def test_wasserstein():
    d_hr, d_sr = probabilities(3.0, -1.0), probabilities(-2.0, 6.0)
    assert losses.wasserstein_generator_loss(d_sr).item() == pytest.approx(-2)
    assert losses.wasserstein_critic_loss(d_hr, d_sr).item() == pytest.approx(2 - 1)


def test_clipping_keeps_small_weights_and_running_statistics():
    critic = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    with torch.no_grad():
        critic[0].bias.copy_(torch.tensor([0.004, -3.0]))
        critic[1].running_var.fill_(7)
    losses.clip_weights(critic, 0.01)
    assert critic[0].bias.tolist() == pytest.approx([0.004, -0.01])
    assert critic[1].weight.tolist() == pytest.approx([0.01, 0.01])
    assert critic[1].running_var.tolist() == [7, 7]
    assert max(parameter.abs().max() for parameter in critic.parameters()) <= 0.01
    assert all(parameter.requires_grad for parameter in critic.parameters())


def test_gradient_penalty_of_a_linear_critic():
    """D(x) = w.x has the slope w everywhere: (||w|| - 1)^2, and its derivative by w."""
    w = torch.randn(36, generator=torch.Generator().manual_seed(5)).requires_grad_()
    penalty = losses.gradient_penalty(
        lambda x: x.flatten(1) @ w, images(1), images(2), torch.Generator()
    )
    norm = w.detach().norm()
    torch.testing.assert_close(penalty, (norm - 1).square())
    (slope,) = torch.autograd.grad(penalty, w)
    torch.testing.assert_close(slope, 2 * (norm - 1) * w.detach() / norm)


def test_gradient_penalty_is_two_sided_and_zero_at_slope_one():
    def value(slope):
        return losses.gradient_penalty(
            lambda x: slope * x[:, 0, 2, 3], images(1), images(2), torch.Generator()
        ).item()

    assert value(1.0) == pytest.approx(0)
    assert value(0.5) == pytest.approx(0.25)
    assert value(1.5) == pytest.approx(0.25)
    assert value(0.0) == pytest.approx(1)


def test_gradient_penalty_looks_between_real_and_made_images():
    """D(x) = ||x||^2 / 2 has the slope x: the penalty tells the points, one share an image."""
    hr, sr, seed = images(1), images(2), 11
    penalty = losses.gradient_penalty(
        lambda x: x.square().flatten(1).sum(1) / 2, hr, sr, torch.Generator().manual_seed(seed)
    )
    share = torch.rand(3, generator=torch.Generator().manual_seed(seed)).tolist()
    points = [e * h + (1 - e) * s for e, h, s in zip(share, hr, sr, strict=True)]
    expected = np.mean([(np.linalg.norm(x.numpy()) - 1) ** 2 for x in points])
    assert penalty.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_penalty_is_float32_under_autocast_and_takes_no_global_randomness():
    seen = []

    def critic(x):
        seen.append((x @ x).dtype)
        return x.flatten(1).sum(1)

    state = torch.random.get_rng_state()
    with torch.autocast("cpu", torch.bfloat16):
        losses.gradient_penalty(
            critic, images(1).bfloat16(), images(2).bfloat16(), torch.Generator()
        )
    assert seen == [torch.float32]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_perceptual_loss_of_known_features():
    def phi(x):
        return torch.cat([2 * x, x.square()], dim=1)

    output, truth = torch.full((2, 1, 3, 3), 3.0), torch.full((2, 1, 3, 3), 1.0)
    output.requires_grad_(), truth.requires_grad_()
    loss = losses.perceptual_loss(phi, output, truth)
    assert loss.item() == pytest.approx(((6 - 2) ** 2 + (9 - 1) ** 2) / 2)
    loss.backward()
    slope = (2 * 4 * 2 + 2 * 8 * 2 * 3) / output.numel() / 2
    torch.testing.assert_close(output.grad, torch.full_like(output, slope))
    assert truth.grad is None


def test_halved_is_the_degradation_and_has_a_gradient(rng):
    image = rng.random((2, 1, 12, 20)).astype(np.float32)
    tensor = torch.from_numpy(image).requires_grad_()
    small = losses.halved(tensor)
    np.testing.assert_allclose(small.detach(), degrade(image, (6, 10)), atol=1e-6)
    small.sum().backward()
    assert tensor.grad.sum().item() == pytest.approx(small.numel(), rel=1e-5)


def small_vgg(**options):
    """relu1_2 of random weights: 39 thousand weights instead of 20 million."""
    return PerceptualConfig(layer="relu1_2", weights="random", **options)


def test_perceptual_features_are_frozen_and_the_gradient_flows_to_the_image():
    features, name = perceptual_features(small_vgg())
    assert name == "VGG19 relu1_2, random weights (Liu et al. 2021)"
    image = images(size=16).requires_grad_()
    losses.perceptual_loss(features, image, images(8, size=16)).backward()
    assert image.grad.abs().sum() > 0
    with torch.no_grad():
        torch.testing.assert_close(features(image), perceptual_features(small_vgg())[0](image))
        other, _ = perceptual_features(small_vgg(seed=1))
        assert not torch.allclose(features(image), other(image))
    assert not features(images(size=16)).requires_grad


def test_perceptual_features_from_a_file_are_those_of_the_file(tmp_path):
    network = build("vgg19", layer="relu1_2", weights="random", seed=4)
    path = tmp_path / "vgg19-of-mine.safetensors"
    save_file(network.state_dict(), path)
    config = PerceptualConfig(layer="relu1_2", weights=str(path))
    features, name = perceptual_features(config)
    assert name == "VGG19 relu1_2, vgg19-of-mine.safetensors"
    torch.testing.assert_close(features(images(size=16)), network(images(size=16)))
    path.unlink()
    with pytest.raises(ValueError, match="vgg19-of-mine"):
        perceptual_features(config)


def test_without_imagenet_random_weights_are_not_taken_unasked(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def offline(*args, **kwargs):
        raise URLError("no internet")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(ValueError, match=r"no internet.*a file of them, or 'random'"):
        perceptual_features(PerceptualConfig(layer="relu1_2"))


def test_the_lesion_detector_s_encoder_in_eval_mode():
    detector = build("lesion-detector", widths=(2, 3)).train()
    config = PerceptualConfig(network="lesion-detector")
    features, name = perceptual_features(config, detector=detector)
    assert name == "lesion detector's encoder"
    batch = images(size=32)
    torch.testing.assert_close(features(batch)[:1], features(batch[:1]))
    assert not features(batch).requires_grad
    with pytest.raises(ValueError, match="path of its weights, found 'imagenet'"):
        perceptual_features(config)
