"""A network that is asked about mirror images too."""

from __future__ import annotations

import numpy as np
import torch
from fakes.lesions import POINT, Bright

from napari_metasr.lesions.detector import Detector
from napari_metasr.lesions.mirrored import mirrored
from napari_metasr.networks import build


def test_the_answer_does_not_depend_on_how_the_slice_lies():
    torch.manual_seed(0)
    network = build("lesion-segmenter", widths=(4, 8, 8), field=64).eval()
    images = torch.rand(3, 1, 64, 48)
    ask = mirrored(network)
    with torch.no_grad():
        found = ask(images)
        for axes in ((2,), (3,), (2, 3)):
            torch.testing.assert_close(ask(images.flip(axes)).flip(axes), found)
        assert not torch.allclose(network(images.flip(2)).flip(2), network(images))


def test_it_is_the_mean_of_the_four_probabilities():
    def leftmost(images):  # sure of the first column, whatever is in the image
        return torch.where(torch.arange(4) == 0, 50.0, -50.0).expand(len(images), 1, 3, 4)

    found = mirrored(leftmost)(torch.zeros(2, 1, 3, 4)).sigmoid()
    expected = torch.tensor([0.5, 0, 0, 0.5]).expand(2, 1, 3, 4)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_what_sees_alike_from_all_sides_is_not_changed():
    image = torch.rand(1, 1, 32, 40)
    torch.testing.assert_close(
        mirrored(Bright())(image).sigmoid(), Bright()(image).sigmoid(), atol=1e-5, rtol=0
    )


def test_the_detector_with_a_map_asks_so():
    torch.manual_seed(1)
    network = build("lesion-segmenter", widths=(4, 8, 8), field=64)
    with torch.no_grad():
        network.head.weight.normal_(std=30)
        network.head.bias.zero_()
    point = POINT.model_copy(update={"threshold": 0.5, "level": 0.5})
    detector = Detector(network, point, name="x", title="x", device=torch.device("cpu"))
    image = np.random.default_rng(0).uniform(0.2, 1, (64, 64)).astype(np.float32)
    image[20:30, 5:15] += 3
    found = detector.detect(image, (0.0, 4.0))
    turned = detector.detect(image[::-1], (0.0, 4.0))
    assert found
    assert {one.region for one in found} == {
        (64 - bottom, left, 64 - top, right)
        for top, left, bottom, right in (other.region for other in turned)
    }
