"""The lesion detector with a mask head: any size, a map of the whole slice, one that can learn."""

from __future__ import annotations

import pytest
import torch

from napari_metasr.networks import build

SMALL = {"widths": (4, 8, 8), "field": 64}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("size", "cells"), [((256, 256), (64, 64)), ((64, 64), (64, 64)), ((240, 155), (64, 41))]
)
def test_any_size_has_a_map_of_the_whole_slice(size, cells):
    network = build("lesion-segmenter").eval()
    with torch.no_grad():
        found = network(torch.rand(2, 1, *size))
    assert found.shape == (2, 1, *cells)
    # it begins with what tumours take of a slice, about
    assert 0.005 < found.sigmoid().mean() < 0.15


def test_its_trunk_is_the_detectors():
    segmenter, detector = build("lesion-segmenter"), build("lesion-detector")
    segmenter.encoder.load_state_dict(detector.encoder.state_dict())
    image = torch.rand(1, 1, 64, 96)
    segmenter.eval(), detector.eval()
    with torch.no_grad():
        assert torch.equal(segmenter.features(image), detector.features(image))


def test_a_reduced_slice_looks_like_one_that_was_not():
    network = build("lesion-segmenter", **SMALL).eval()
    smooth = torch.sin(torch.linspace(0, 6, 256))
    image = (smooth[:, None] * smooth)[None, None]
    with torch.no_grad():
        whole = network(image)
        reduced = network(torch.nn.functional.avg_pool2d(image, 2))
    assert (whole - reduced).abs().max() < 0.05 * whole.std()


def test_it_learns_where_a_bright_square_is():
    network = build("lesion-segmenter", **SMALL)
    images, truth = torch.zeros(8, 1, 64, 64), torch.zeros(8, 1, 32, 32)
    for k in range(7):  # the last has none
        images[k, 0, 8 * k : 8 * k + 12, 20:32] = 1
        truth[k, 0, 4 * k : 4 * k + 6, 10:16] = 1
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(40):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(images), truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert ((network(images) > 0) == (truth > 0)).float().mean() > 0.99


@pytest.mark.parametrize("shape", [(1, 1, 31, 64), (1, 3, 64, 64), (1, 64, 64)])
def test_images_it_cannot_take(shape):
    with pytest.raises(ValueError, match=r"expected images \(batch, 1, h, w\) of at least 32"):
        build("lesion-segmenter")(torch.rand(shape))
