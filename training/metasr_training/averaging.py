"""The running average of a network's weights, and batch statistics that fit weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel


def decay_after(largest: float, updates: int) -> float:
    """Return the decay of the average at its next update, ``min(largest, (1 + n) / (10 + n))``.

    A constant decay of 0.99 leaves ``0.99^n`` of the initial network in the average: two thirds
    of it after 40 updates. With this warm-up (that of TensorFlow's ``ExponentialMovingAverage``)
    the average spans about the last tenth of the updates until it is ``1 / (1 - largest)`` long,
    and what the network was before its first update is gone within a few tens of them.

    Parameters
    ----------
    largest
        The decay that is approached, 0 to 1.
    updates
        How many networks the average holds, ``n``.
    """
    return min(largest, (1 + updates) / (10 + updates))


def averaged(network: nn.Module, largest: float) -> AveragedModel:
    """Make the running average of a network's parameters; its buffers are the network's own.

    Parameters
    ----------
    network
        The network that ``update_parameters`` will be called with.
    largest
        See ``decay_after``.
    """

    @torch.no_grad()
    def follow(mean: Any, now: Any, updates: Tensor | int) -> None:
        torch._foreach_lerp_(mean, now, 1 - decay_after(largest, int(updates)))

    return AveragedModel(network, multi_avg_fn=follow)


def normalisations(network: nn.Module) -> list[_BatchNorm]:
    """List the batch normalisations of a network that keep running statistics."""
    layers = [one for one in network.modules() if isinstance(one, _BatchNorm)]
    return [one for one in layers if one.track_running_stats]


def reestimate_statistics(network: nn.Module, forwards: Iterable[Callable[[], object]]) -> None:
    """Replace the running statistics of batch normalisation by those of these weights.

    Statistics that ran along with the training are of weights that are gone; an average of
    weights has never had any (Izmailov et al. 2018, section 3.2).

    Parameters
    ----------
    network
        Changed in place; its mode is kept. Without batch normalisation nothing is done.
    forwards
        Each runs the network on a batch; the statistics become the mean over all of them.
    """
    layers = normalisations(network)
    if not layers:
        return
    momenta = [one.momentum for one in layers]
    training = network.training
    network.train()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    with torch.no_grad():
        for forward in forwards:
            forward()
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.train(training)
