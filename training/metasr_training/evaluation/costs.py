"""What training and inference cost: seconds an epoch, memory of a step, seconds a data set."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import torch

from metasr_training.generators import super_resolve
from metasr_training.players import build_generator
from napari_metasr.geometry.grids import OutputGrid

if TYPE_CHECKING:
    from torch import Tensor

    from metasr_training.train_config import TrainConfig
    from metasr_training.trained import TrainedNetwork

RATE = "updates_per_second"
ADAM_COPIES = 4
"""Weights, gradients and Adam's two moments."""


def updates_per_second(network: TrainedNetwork) -> float | None:
    """Return the median update rate of the last stage, with its game; None if none was logged."""
    lines = [line for line in network.history() if line.get(RATE)]
    if not lines:
        return None
    stage = lines[-1].get("stage")
    return float(median(line[RATE] for line in lines if line.get("stage") == stage))


def epoch_seconds(network: TrainedNetwork, images: int) -> float | None:
    """Compute the seconds of an epoch over ``images`` images from the measured update rate.

    An epoch is the recipe's: every image gives ``patches_per_image`` patches.
    """
    rate, pairs = updates_per_second(network), network.config.pairs
    if rate is None or pairs is None:
        return None
    return images * pairs.patches_per_image / pairs.batch / rate


def step_memory(config: TrainConfig) -> int | None:
    """Count the bytes that a generator's training step holds: weights, Adam and activations.

    Counted, not measured, so that it is the same on every machine: the tensors that autograd
    keeps of a forward pass of one patch in float32, each storage once, times the batch. The
    critic's share is not in it. None for a network that upscales nothing.
    """
    if config.pairs is None:
        return None
    network = build_generator(config, "cpu").train()
    scale = config.pairs.scales[-1]
    size = max(round(config.pairs.patch / scale), 1) + 2 * config.pairs.context
    patch = torch.zeros(1, 1, size, size)
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = super_resolve(network, patch, OutputGrid.at_scale((size, size), scale))
    weights = {one.untyped_storage().data_ptr(): one.numel() * 4 for one in network.parameters()}
    activations = sum(size for place, size in kept.items() if place not in weights)
    del outputs
    return ADAM_COPIES * sum(weights.values()) + config.pairs.batch * activations


def seconds_an_image(upscale: Callable[..., Any], inputs: Sequence[tuple[Any, ...]]) -> float:
    """Time a call, averaged over the inputs, after one that is not counted.

    Raises
    ------
    ValueError
        If there is no input.
    """
    if not inputs:
        raise ValueError("expected at least one image to time inference with, found none")
    upscale(*inputs[0])
    started = time.perf_counter()
    for one in inputs:
        upscale(*one)
    return (time.perf_counter() - started) / len(inputs)
