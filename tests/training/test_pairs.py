"""Batches of low- and high-resolution patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes.training import PAIRS, config, slices

from metasr_training.datasets.pairs import PairSampler
from metasr_training.datasets.slices import Slice
from metasr_training.datasets.windows import maximal_information_crop
from metasr_training.tasks.super_resolution import SuperResolution
from napari_metasr.zoom.baselines import interpolate


def sampler(**changes):
    boxes = changes.pop("boxes", None)
    return PairSampler(slices(), PAIRS.model_copy(update=changes), boxes=boxes)


def test_a_batch_depends_on_its_number_alone():
    first, second = (
        sampler(axes="mixed", scales=(1.3, 2.0, 3.1)),
        sampler(axes="mixed", scales=(1.3, 2.0, 3.1)),
    )
    second.draw(7)
    for update in (0, 3, 200):
        one, other = first.draw(update), second.draw(update)
        assert torch.equal(one.low_resolution, other.low_resolution)
        assert torch.equal(one.truth, other.truth)
        assert one.grid == other.grid


def test_every_pixel_that_is_compared_was_shown():
    drawn = sampler(axes="mixed", scales=tuple(np.arange(11, 40) / 10))
    for update in range(30):
        batch = drawn.draw(update)
        i0, j0, i1, j1 = batch.pixels
        assert batch.truth.shape == (2, 1, i1 - i0, j1 - j0)
        assert abs(i1 - i0 - 24) <= 3
        for axis, (first, last), start, size in (
            (batch.grid.rows, (i0, i1), batch.origin[0], batch.low_resolution.shape[2]),
            (batch.grid.columns, (j0, j1), batch.origin[1], batch.low_resolution.shape[3]),
        ):
            cells = axis.cells()[first:last] - start
            assert cells.min() >= 0
            assert cells.max() < size


def test_low_resolution_and_truth_are_of_the_same_place():
    drawn = sampler()
    for update in range(10):
        batch = drawn.draw(update)
        enlarged = batch.bicubic()[0, 0].numpy()
        truth = batch.truth[0, 0].numpy()
        inner = np.s_[3:-3, 3:-3]
        still = np.abs(enlarged - truth)[inner].mean()
        moved = min(
            np.abs(enlarged - np.roll(truth, shift, axis))[inner].mean()
            for shift in (-2, 2)
            for axis in (0, 1)
        )
        assert still < moved


def test_bicubic_of_a_patch_is_the_patch_of_the_bicubic():
    drawn = sampler(context=40, patch=24)
    batch = drawn.draw(3)
    assert batch.origin == (0, 0)  # the context reaches every border
    i0, j0, i1, j1 = batch.pixels
    scale = (batch.grid.rows.scale, batch.grid.columns.scale)
    whole = interpolate(batch.low_resolution[0, 0].numpy(), scale, method="bicubic", limits=(-9, 9))
    np.testing.assert_allclose(batch.bicubic()[0, 0], whole[i0:i1, j0:j1], atol=1e-5)


@pytest.mark.parametrize("axes", ["same", "mixed", "one"])
def test_the_scales_of_the_axes(axes):
    drawn = sampler(axes=axes, scales=(1.5, 2.0, 3.0))
    scales = [drawn.draw(update).grid.true_scale for update in range(200)]
    apart = [pair for pair in scales if pair[0] != pair[1]]
    share = {"same": (0, 0), "mixed": (0.1, 0.4), "one": (1, 1)}[axes]
    assert share[0] <= len(apart) / len(scales) <= share[1]
    if axes == "one":
        assert all(1.0 in pair for pair in scales)


def test_ranks_divide_a_batch_between_them():
    drawn = sampler(batch=4, scales=(1.5, 2.0, 3.0))
    whole = drawn.draw(5)
    parts = [drawn.draw(5, rank=rank, ranks=2) for rank in (0, 1)]
    assert parts[0].grid == parts[1].grid == whole.grid
    for rank, part in enumerate(parts):
        assert torch.equal(part.truth, whole.truth[rank::2])


def test_an_epoch_takes_every_image_as_often():
    drawn = sampler(batch=4, patches_per_image=3)
    assert drawn.updates_per_epoch == 3
    order = drawn._order(0)
    assert sorted(order) == sorted([*range(4)] * 3)
    assert list(drawn._order(1)) != list(order)


@pytest.mark.parametrize(
    ("named", "shares"),
    [
        ({"disc": 3.0, "other": 1.0}, {"disc": 0.5, "other": 1 / 6, "third": 1 / 3}),
        ({"disc": 3.0, "absent": 1.0}, {"disc": 3 / 7, "other": 2 / 7, "third": 2 / 7}),
        ({"absent": 2.0}, {"disc": 1 / 3, "other": 1 / 3, "third": 1 / 3}),
    ],
)
def test_sources_are_weights_and_others_have_their_mean(named, shares):
    found = slices()
    mixed = [*found, *(replace(found[0], source=name) for name in ("other", "third"))]
    pairs = PAIRS.model_copy(update={"sources": named, "patches_per_image": 1000})
    drawn = PairSampler(mixed, pairs)
    order = [drawn.canvases[item].source for item in drawn._order(0)]
    for source, share in shares.items():
        assert order.count(source) / len(order) == pytest.approx(share, abs=0.03)


def test_noise_is_added_to_the_low_resolution_image_alone():
    clean, noisy = sampler().draw(1), sampler(noise=20.0).draw(1)
    assert torch.equal(clean.truth, noisy.truth)
    bright = clean.low_resolution > 0.4
    difference = (noisy.low_resolution - clean.low_resolution)[bright] * 200  # limits of the discs
    assert difference.std() == pytest.approx(20, rel=0.15)


def test_windows_on_the_region_of_interest_show_it_in_the_middle():
    boxes = {  # none for the fourth
        one.key: (10.0 + k, 20.0, 20.0 + k, 30.0) for k, one in enumerate(slices()[:3])
    }
    drawn = sampler(windows="roi", boxes=boxes)
    assert len(drawn.canvases) == 3
    assert [tuple(one.points[0]) for one in drawn.canvases] == [(15, 25), (16, 25), (17, 25)]
    image = np.zeros((60, 50), np.uint8)
    image[30, 20] = 200
    point = Slice(image, (0.0, 200.0), "disc", "p", "p")
    lone = PairSampler(
        [point],
        PAIRS.model_copy(update={"windows": "roi", "scales": (1.0,), "batch": 1, "context": 0}),
        boxes={point.key: (30.0, 20.0, 31.0, 21.0)},
    )
    for update in range(8):
        row, column = np.argwhere(lone.draw(update).truth[0, 0].numpy() > 0.5)[0]
        assert abs(row - 12) <= 1
        assert abs(column - 12) <= 1


def test_slices_of_the_same_name_keep_their_own_regions():
    images = np.zeros((2, 60, 50), np.uint8)
    pair = [
        Slice(image, (0.0, 200.0), source, "1", "1")
        for image, source in zip(images, ("cheng", "brats20"), strict=True)
    ]
    boxes = {
        pair[0].key: (10.0, 10.0, 20.0, 20.0),
        pair[1].key: (30.0, 30.0, 40.0, 40.0),
    }
    drawn = PairSampler(pair, PAIRS.model_copy(update={"windows": "roi"}), boxes=boxes)
    found = {one.source: tuple(one.points[0]) for one in drawn.canvases}
    assert found == {"cheng": (15, 15), "brats20": (35, 35)}


def test_the_crop_keeps_patches_inside_it():
    image = np.zeros((60, 60), np.uint8)
    image[8:40, 8:40] = 200
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    drawn = PairSampler(
        [one], PAIRS.model_copy(update={"windows": "crop", "crop": 32, "patch": 16})
    )
    bright = [(drawn.draw(update).truth > 0.5).float().mean() for update in range(20)]
    assert min(bright) > 0.7


def test_networks_of_crops_are_standardised_by_the_crops():
    pairs = PAIRS.model_copy(update={"windows": "crop", "crop": 32, "patch": 16})
    task = SuperResolution(config(pairs=pairs), {"mri": slices()}, slices(2))
    crops = []
    for one in slices():
        top, left, bottom, right = maximal_information_crop(one.image, 32)
        crops.append(one.image[top:bottom, left:right] / 200)
    assert (task.mean, task.std) == pytest.approx((np.mean(crops), np.std(crops)), rel=1e-5)


def test_slices_larger_than_the_canvas_are_cut_into_tiles():
    drawn = sampler(canvas=32, patch=16)
    assert len(drawn.canvases) == 4 * 4  # 60 x 50 pixels: two tiles along each axis
    assert all(one.image.shape == (32, 32) for one in drawn.canvases)


def test_a_region_of_a_large_slice_is_on_one_canvas():
    image = np.zeros((90, 80), np.uint8)
    image[70, 12] = 200
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    drawn = PairSampler(
        [one],
        PAIRS.model_copy(update={"windows": "roi"}),
        boxes={one.key: (70.0, 12.0, 71.0, 13.0)},
    )
    (canvas,) = drawn.canvases
    ((row, column),) = canvas.points
    assert canvas.image[row, column] == 1


@pytest.mark.parametrize(("patch", "middle"), [(56, True), (16, False)])
def test_the_head_is_not_wrapped_around_the_border(patch, middle):
    image = np.full((60, 62), 60, np.uint8)
    image[:, :20] = 200  # left and right borders are told apart
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    changes = {"patch": patch, "context": 2, "scales": (1.0,), "batch": 4}
    drawn = PairSampler([one], PAIRS.model_copy(update=changes))
    points = drawn.canvases[0].points
    assert (len(points) == 1) == middle
    if middle:
        assert tuple(points[0]) == (30, 31)
    for update in range(10):
        for shown in drawn.draw(update).truth[:, 0].numpy():
            steps = sum(  # there is one edge of the bright part at most
                int((np.abs(np.diff(shown, axis=axis)) > 0.4).any(axis=1 - axis).sum())
                for axis in (0, 1)
            )
            assert steps <= 1


def test_patches_of_the_head_are_not_centred_on_air():
    image = np.full((60, 50), 4, np.uint8)  # air's noise, and the head
    image[16:40, 16:40] = 100
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    (canvas,) = PairSampler([one], PAIRS.model_copy(update={"patch": 8, "context": 0})).canvases
    assert {tuple(point) for point in canvas.points} == {
        (y, x) for y in (16, 24, 32) for x in (16, 24, 32)
    }


def test_an_unknown_degradation_and_nothing_to_draw_from():
    with pytest.raises(ValueError, match=r"expected degradations among .* found \{'blur'\}"):
        sampler(degradations={"blur": 1.0})
    with pytest.raises(ValueError, match="expected slices for roi windows, found none among 4"):
        sampler(windows="roi", boxes={})
