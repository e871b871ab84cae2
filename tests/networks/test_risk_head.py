"""The error head: its formula, its loss, and the re-association."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.networks.meta_srgan import build_meta_srgan
from napari_metasr.networks.risk_head import FIRST_LEVEL, LARGEST_LOG, RiskHead, pinball


@pytest.fixture
def network():
    torch.manual_seed(3)
    return build_meta_srgan(features=8, blocks=1, hidden=12).eval().requires_grad_(False)


@pytest.fixture
def head():
    torch.manual_seed(4)
    head = RiskHead(features=8, hidden=12)
    with torch.no_grad():
        for parameter in head.second.parameters():
            parameter.normal_(0, 0.05)
    return head


def published(network, head, image, grid):
    """The formula as it is written, pixel by pixel, in double precision."""
    features = network.trunk(image)[0].double()
    patches = functional.unfold(features[None], 3, padding=1)[0]
    first = network.upscale.weights.first
    w1, b1 = first.weight.double(), first.bias.double()
    w2, b2 = head.second.weight.double(), head.second.bias.double()
    rows, columns = grid.output_shape
    out = torch.empty(rows, columns, dtype=torch.float64)
    for i, (cell_y, dy) in enumerate(zip(grid.rows.cells(), grid.rows.offsets(), strict=True)):
        for j, (cell_x, dx) in enumerate(
            zip(grid.columns.cells(), grid.columns.offsets(), strict=True)
        ):
            v = torch.tensor([dy, dx, grid.inverse_scale], dtype=torch.float64)
            kernel = w2 @ torch.relu(w1 @ v + b1) + b2
            patch = patches[:, cell_y * grid.input_shape[1] + cell_x]
            out[i, j] = torch.exp(kernel @ patch + head.level.double())
    return out


def test_the_head_is_its_formula_and_the_image_stays_what_it_was(network, head):
    image, grid = torch.rand(1, 1, 7, 6), OutputGrid.at_scale((7, 6), (2.3, 1.7))
    before = network(image, grid)
    state = copy.deepcopy(network.state_dict())
    attached = head.attached(network)
    with torch.no_grad():
        found = head.quantile(attached(image, grid))[0, 0]
        expected = published(network, head, image, grid)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)
    assert torch.equal(network(image, grid), before)
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert attached.trunk is network.trunk
    assert attached.upscale.weights.first is network.upscale.weights.first


def test_a_new_head_gives_the_first_level_everywhere(network):
    head = RiskHead(features=8, hidden=12)
    grid = OutputGrid.at_scale((7, 6), 2)
    found = head.quantile(head.attached(network)(torch.rand(1, 1, 7, 6), grid))
    torch.testing.assert_close(found, torch.full_like(found, FIRST_LEVEL))


def test_estimates_beyond_what_can_occur_still_lead_back():
    head = RiskHead(features=8, hidden=12)
    logarithm = torch.tensor([1.0, LARGEST_LOG, 9.0]) - head.level.detach()
    logarithm.requires_grad_()
    found = head.quantile(logarithm)
    assert found[0].item() == pytest.approx(np.e)
    assert found[2].item() == pytest.approx(np.exp(LARGEST_LOG) * (1 + 9 - LARGEST_LOG))
    found[2].backward()
    assert logarithm.grad[2] > 1


def test_the_pinball_loss_by_hand_and_at_its_minimum():
    error, guess = torch.tensor([1.0, 4.0]), torch.tensor([3.0, 3.0])
    assert float(pinball(error, guess, 0.9)) == pytest.approx((0.1 * 2 + 0.9 * 1) / 2)
    errors = torch.rand(20_001)
    losses = {q: float(pinball(errors, torch.tensor(q))) for q in np.linspace(0.8, 1.0, 41)}
    assert min(losses, key=losses.get) == pytest.approx(float(errors.quantile(0.9)), abs=0.006)


def test_training_moves_the_head_alone_and_towards_the_errors(network, head):
    from metasr_training.datasets.batch import Batch
    from metasr_training.risk import head_loss
    from napari_metasr.degradations import Reduction

    grid = OutputGrid.at_scale((12, 12), 2)
    pixels = grid.pixel_range()
    batch = Batch(
        torch.rand(2, 1, 12, 12), torch.rand(2, 1, 24, 24), grid, pixels, (0, 0),
        (Reduction("box"), Reduction("box")),
    )  # fmt: skip
    attached = head.attached(network)
    before = copy.deepcopy(network.state_dict())
    optimiser = torch.optim.Adam(head.parameters(), 0.02)
    losses = []
    for _ in range(60):
        loss = head_loss(network, attached, head, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
