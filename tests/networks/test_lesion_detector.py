"""The lesion detector: any size, a box that is one, and a network that can learn where."""

from __future__ import annotations

import pytest
import torch

from napari_metasr.networks import build


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("size", [(32, 32), (33, 100), (120, 120)])
def test_any_size(size):
    network = build("lesion-detector").eval()
    image = torch.rand(2, 1, *size)
    with torch.no_grad():
        found = network(image)
        features = network.features(image)
    assert found.shape == (2, 5)
    assert features.shape == (2, 128, -(-size[0] // 32), -(-size[1] // 32))


def test_what_comes_out_is_always_a_box_inside_the_slice():
    network = build("lesion-detector", widths=(4, 4), grid=2).eval()
    with torch.no_grad():
        network.head.weight.normal_(std=30)
        found = network(torch.rand(64, 1, 32, 32))
    assert ((found >= 0) & (found <= 1)).all()
    top, left, bottom, right, _ = found.T
    assert (top <= bottom).all()
    assert (left <= right).all()


def test_it_begins_with_the_middle_half():
    network = build("lesion-detector").eval()
    with torch.no_grad():
        network.head.weight.zero_()
        found = network(torch.rand(1, 1, 64, 48))
    torch.testing.assert_close(found, torch.tensor([[0.25, 0.25, 0.75, 0.75, 0.5]]))


def test_a_block_is_four_normalised_convolutions_with_two_skips():
    unit, other, pool = build("lesion-detector").encoder[2]
    assert isinstance(pool, torch.nn.MaxPool2d)
    convolutions = [
        part
        for half in (unit, other)
        for part in half.body.modules()
        if isinstance(part, torch.nn.Conv2d)
    ]
    assert len(convolutions) == 4
    x = torch.rand(1, 64, 8, 8)
    other.eval()
    with torch.no_grad():
        for parameter in other.body.parameters():
            parameter.zero_()
        assert torch.equal(other(x), x)  # only the skip is left, of what is not negative


def test_it_learns_where_a_bright_square_is():
    network = build("lesion-detector", widths=(8, 8, 16), grid=4)
    images = torch.zeros(16, 1, 32, 32)
    corners = [(8 * (k // 4), 8 * (k % 4)) for k in range(16)]
    boxes = torch.tensor([(top, left, top + 8, left + 8) for top, left in corners]) / 32
    for image, (top, left) in zip(images, corners, strict=True):
        image[0, top : top + 8, left : left + 8] = 1
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(40):
        loss = (network(images)[:, :4] - boxes).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("shape", [(1, 1, 31, 64), (1, 3, 64, 64), (1, 64, 64)])
def test_images_it_cannot_take(shape):
    with pytest.raises(ValueError, match=r"expected images \(batch, 1, h, w\) of at least 32"):
        build("lesion-detector")(torch.rand(shape))
