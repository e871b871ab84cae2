"""Averages of weights, and the batch statistics that belong to weights."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from metasr_training.averaging import averaged, decay_after, reestimate_statistics


def test_the_decay_rises_to_the_largest():
    assert [decay_after(0.99, n) for n in (0, 1, 10)] == [1 / 10, 2 / 11, 11 / 20]
    assert decay_after(0.99, 10_000) == 0.99


def test_little_of_the_start_is_left_in_a_young_average():
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = averaged(network, 0.999)
    nn.init.ones_(network.weight)
    expected = None
    for update in range(40):
        nn.init.constant_(network.weight, 1.0 + update)
        average.update_parameters(network)
        now = 1.0 + update
        share = (1 + update) / (10 + update)
        expected = now if expected is None else share * expected + (1 - share) * now
    assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)
    assert expected > 33  # within the last fifth of the 40 updates


def test_buffers_of_an_average_are_the_networks_own():
    network = nn.BatchNorm1d(1)
    average = averaged(network, 0.99)
    for value in (3.0, 5.0):
        network.running_mean.fill_(value)
        average.update_parameters(network)
    assert average.module.running_mean.item() == 5.0


def test_statistics_are_the_mean_over_the_batches_that_are_shown():
    network = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2)).eval()
    network[0].running_mean.fill_(100.0)
    batches = [torch.randn(8, 2, 5, 5, generator=torch.manual_seed(k)) + k for k in range(4)]
    reestimate_statistics(network, [partial(network, batch) for batch in batches])
    means = torch.stack([batch.mean((0, 2, 3)) for batch in batches]).mean(0)
    variances = torch.stack([batch.var((0, 2, 3)) for batch in batches]).mean(0)
    torch.testing.assert_close(network[0].running_mean, means)
    torch.testing.assert_close(network[0].running_var, variances)
    assert network[1].running_mean.abs().max() < 1e-5
    assert network[0].momentum == 0.1
    assert not network.training


def test_without_batch_normalisation_no_batch_is_drawn():
    def forward():
        raise AssertionError("drawn")

    reestimate_statistics(nn.Conv2d(1, 1, 3), [forward])
