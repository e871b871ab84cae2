"""Losses: pure functions of tensors, each with its equation.

``SR`` is what a generator made, ``HR`` the truth, both (batch, 1, rows, columns); ``D`` is a
discriminator that gives the probability of being real, (batch, 1) in 0..1, or a critic that gives
a score without bounds. The adversarial losses are of D's outputs, which are computed once by
the caller. Everything after a network is computed in float32.

Meta-SRGAN is Tan, Zhu, Lio 2020; LFSR is Zhu, Yang, Lio 2018; MS-GAN is Zhu, Yang, Lio 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from napari_metasr.degradations import degradation_matrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

SMALLEST_PROBABILITY = torch.finfo(torch.float32).tiny


def l1_loss(output: Tensor, truth: Tensor) -> Tensor:
    """Compute the mean absolute error (Meta-SRGAN, eq. 3, with the mean over all values)."""
    return (output.float() - truth).abs().mean()


def mse_loss(output: Tensor, truth: Tensor) -> Tensor:
    """Compute the mean squared error (MS-GAN, eq. 4, with the mean over the batch too)."""
    return (output.float() - truth).square().mean()


def perceptual_loss(features: Callable[[Tensor], Tensor], output: Tensor, truth: Tensor) -> Tensor:
    """Compute the mean squared error of feature maps, ``||phi(SR) - phi(HR)||^2 / CHW``.

    Meta-SRGAN, eq. 5; MS-GAN, eq. 5. No gradient flows to the truth.

    Parameters
    ----------
    features
        ``phi``: (batch, 1, rows, columns) to (batch, channels, rows', columns').
    output, truth
        SR and HR, as ``features`` expects them.
    """
    with torch.no_grad():
        expected = features(truth).float()
    return mse_loss(features(output), expected)


def _negative_log(probability: Tensor) -> Tensor:
    return -probability.float().clamp_min(SMALLEST_PROBABILITY).log().mean()


def log_generator_loss(d_sr: Tensor) -> Tensor:
    """Compute ``-mean log D(SR)``, the form of Meta-SRGAN's eq. 4 that does not saturate.

    A generator that minimises ``log(1 - D(SR))`` as eq. 4 has it gets no gradient while the
    discriminator still wins; Goodfellow et al. 2014, section 3, train with this one, and so does
    SRGAN (Ledig et al. 2017, eq. 6). A probability of 0 counts as the smallest float.
    """
    return _negative_log(d_sr)


def log_discriminator_loss(d_hr: Tensor, d_sr: Tensor) -> Tensor:
    """Compute ``-mean log D(HR) - mean log(1 - D(SR))`` (Meta-SRGAN, eq. 4, its sign turned)."""
    return _negative_log(d_hr) + _negative_log(1 - d_sr.float())


def percentage_generator_loss(d_sr: Tensor) -> Tensor:
    """Compute ``-l_GD``: minus the share of SR images taken for real (LFSR, section 2.2).

    The paper counts images, which has no gradient; here ``l_GD = mean D(SR)``.
    """
    return -d_sr.float().mean()


def percentage_discriminator_loss(d_hr: Tensor, d_sr: Tensor) -> Tensor:
    """Compute ``1 - l_DT - l_DF`` from the shares told correctly (LFSR, section 2.2); -1 to 1.

    ``l_DT = mean D(HR)`` and ``l_DF = mean (1 - D(SR))`` instead of counts.
    """
    return 1 - d_hr.float().mean() - (1 - d_sr.float()).mean()


def wasserstein_generator_loss(d_sr: Tensor) -> Tensor:
    """Compute ``-mean D(SR)`` (MS-GAN, the adversarial loss of eq. 7; Arjovsky et al. 2017)."""
    return -d_sr.float().mean()


def wasserstein_critic_loss(d_hr: Tensor, d_sr: Tensor) -> Tensor:
    """Compute ``mean D(SR) - mean D(HR)``, minus the distance (MS-GAN, eq. 2, its sign turned)."""
    return d_sr.float().mean() - d_hr.float().mean()


@torch.no_grad()
def clip_weights(critic: nn.Module, clip: float) -> None:
    """Move every parameter of a critic into ``[-clip, clip]`` (Arjovsky et al. 2017, alg. 1).

    Weights and biases, those of the normalisation too; running statistics stay.
    """
    for parameter in critic.parameters():
        parameter.clamp_(-clip, clip)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], hr: Tensor, sr: Tensor, rng: torch.Generator
) -> Tensor:
    """Compute ``mean (||grad D(x)||_2 - 1)^2`` at ``x = e HR + (1 - e) SR``.

    Gulrajani et al. 2017, algorithm 1. Two-sided; computed in float32 outside autocast, since the
    gradient of a gradient in half precision under- and overflows. The weight (their lambda, 10)
    is the caller's.

    Parameters
    ----------
    critic
        Its score of an image must not depend on the others of the batch (no batch norm).
    hr, sr
        Real and made images of the same shape.
    rng
        On the CPU, so that a run takes the same ``e``, one an image and uniform in 0..1, on
        every device.
    """
    share = torch.rand(len(hr), *[1] * (hr.ndim - 1), generator=rng).to(hr.device)
    with torch.autocast(hr.device.type, enabled=False):
        mixed = share * hr.detach().float() + (1 - share) * sr.detach().float()
        mixed.requires_grad_()
        (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def halved(image: Tensor) -> Tensor:
    """Halve an image's size, ``I_dr`` of MS-GAN's eq. 6; gradients pass through.

    Antialiased bicubic, like the low-resolution images. Variant 5 of MS-GAN compares the halved
    x4 output with the halved truth.

    Parameters
    ----------
    image
        (..., rows, columns); the result has (rows // 2, columns // 2).
    """
    rows, columns = (
        torch.tensor(degradation_matrix("bicubic", size, size // 2), dtype=torch.float32)
        for size in image.shape[-2:]
    )
    return rows.to(image.device) @ image.float() @ columns.T.to(image.device)


def box_loss(found: Tensor, boxes: Tensor, present: Tensor) -> Tensor:
    """Compute LD's L2 loss of box and score (Zhu, Yang, Lio 2018, sec. 2.2).

    ``mean_i present_i |box_i - truth_i|^2 + mean_i (score_i - present_i)^2``: a slice without a
    tumour has no box to be wrong about.

    Parameters
    ----------
    found
        (batch, 5): top, left, bottom, right, score.
    boxes, present
        (batch, 4) and (batch,): the true boxes, and 1 where there is one.
    """
    found = found.float()
    error = (found[:, :4] - boxes).square().sum(1)
    return (present * error).mean() + (found[:, 4] - present).square().mean()


def cross_entropy_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean of ``-(m log p + (1 - m) log(1 - p))`` over a map, p = sigmoid.

    Parameters
    ----------
    logits, mask
        (batch, 1, rows, columns); the mask is 0 or 1.
    """
    return functional.binary_cross_entropy_with_logits(logits.float(), mask)


def dice_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """Compute ``1 - (2 sum p m + 1) / (sum p + sum m + 1)`` (Milletari et al. 2016).

    The sums run over the batch, so that a slice without a tumour costs what is found in it and no
    more.

    Parameters
    ----------
    logits, mask
        As ``cross_entropy_loss``.
    """
    found = logits.float().sigmoid()
    return 1 - (2 * (found * mask).sum() + 1) / (found.sum() + mask.sum() + 1)
