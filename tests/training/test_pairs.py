"""Batches of low- and high-resolution patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from fakes.training import PAIRS, config, slices

from metasr_training.datasets.pair_config import PairConfig
from metasr_training.datasets.pairs import PairSampler
from metasr_training.datasets.slices import Slice
from metasr_training.datasets.windows import maximal_information_crop
from metasr_training.stage import Stage
from metasr_training.tasks.super_resolution import SuperResolution
from napari_metasr.degradations import degrade
from napari_metasr.geometry.windows import Window
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
        upscaled = batch.bicubic()[0, 0].numpy()
        truth = batch.truth[0, 0].numpy()
        inner = np.s_[3:-3, 3:-3]
        still = np.abs(upscaled - truth)[inner].mean()
        moved = min(
            np.abs(upscaled - np.roll(truth, shift, axis))[inner].mean()
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
    whole = interpolate(
        batch.low_resolution[0, 0].numpy(), scale, method="bicubic", value_range=(-9, 9)
    )
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
    difference = (noisy.low_resolution - clean.low_resolution)[bright] * 200  # the discs' range
    assert difference.std() == pytest.approx(20, rel=0.15)


def test_windows_on_the_region_of_interest_show_it_in_the_middle():
    boxes = {  # none for the fourth
        one.key: Window(20.0 + k, 20.0, 30.0 + k, 30.0) for k, one in enumerate(slices()[:3])
    }
    drawn = sampler(windows="roi", boxes=boxes)
    assert len(drawn.canvases) == 3
    assert [tuple(one.points[0]) for one in drawn.canvases] == [(25, 25), (26, 25), (27, 25)]
    image = np.zeros((60, 50), np.uint8)
    image[30, 20] = 200
    point = Slice(image, (0.0, 200.0), "disc", "p", "p")
    lone = PairSampler(
        [point],
        PAIRS.model_copy(update={"windows": "roi", "scales": (1.0,), "batch": 1, "context": 0}),
        boxes={point.key: Window(30.0, 20.0, 31.0, 21.0)},
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
        pair[0].key: Window(15.0, 15.0, 25.0, 25.0),
        pair[1].key: Window(30.0, 30.0, 40.0, 40.0),
    }
    drawn = PairSampler(pair, PAIRS.model_copy(update={"windows": "roi"}), boxes=boxes)
    found = {one.source: tuple(one.points[0]) for one in drawn.canvases}
    assert found == {"cheng": (20, 20), "brats20": (35, 35)}


def test_the_crop_keeps_patches_inside_it():
    image = np.zeros((60, 60), np.uint8)
    image[8:40, 8:40] = 200
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    drawn = PairSampler(
        [one], PAIRS.model_copy(update={"windows": "crop", "crop": (32, 32), "patch": 16})
    )
    bright = [(drawn.draw(update).truth > 0.5).float().mean() for update in range(20)]
    assert min(bright) > 0.7


def test_one_number_stands_for_a_square_crop():
    """As runs were configured that had no other."""
    assert PairConfig.model_validate({"crop": 128}).crop == (128, 128)
    assert PairConfig.model_validate({"crop": [180, 170]}).crop == (180, 170)
    with pytest.raises(ValueError, match="greater than 0"):
        PairConfig.model_validate({"crop": 0})


def test_networks_of_crops_are_standardised_by_the_crops():
    pairs = PAIRS.model_copy(update={"windows": "crop", "crop": (32, 32), "patch": 16})
    task = SuperResolution(config(pairs=pairs), {"mri": slices()}, slices(2))
    crops = []
    for one in slices():
        top, left, bottom, right = maximal_information_crop(one.image, (32, 32))
        crops.append(one.image[top:bottom, left:right] / 200)
    assert (task.mean, task.std) == pytest.approx((np.mean(crops), np.std(crops)), rel=1e-5)


def test_slices_larger_than_the_canvas_are_cut_into_tiles():
    drawn = sampler(canvas=32, patch=16)
    assert len(drawn.canvases) == 4 * 4  # 60 x 50 pixels: two tiles along each axis
    assert all(one.image.shape == (32, 32) for one in drawn.canvases)


def test_a_region_of_a_large_slice_is_on_one_canvas():
    image = np.zeros((90, 80), np.uint8)
    image[60, 30] = 200
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    drawn = PairSampler(
        [one],
        PAIRS.model_copy(update={"windows": "roi"}),
        boxes={one.key: Window(60.0, 30.0, 61.0, 31.0)},
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


@pytest.mark.parametrize("size", [64, 60])
@pytest.mark.parametrize("centre", [(3, 30), (30, 58), (57, 4)])
def test_a_region_near_the_border_is_moved_into_the_slice(size, centre):
    """As in evaluation; on a slice as large as the field it used to show the opposite border."""
    along = np.arange(size)
    image = (60 + along[:, None] + along).astype(np.uint8)  # opposite borders are far apart
    one = Slice(image, (0.0, 200.0), "disc", "p", "p")
    y, x = centre
    changes = {"windows": "roi", "scales": (1.0,), "patch": 24, "context": 3, "batch": 4}
    drawn = PairSampler(
        [one],
        PAIRS.model_copy(update=changes),
        boxes={one.key: Window(y - 1.0, x - 1.0, y + 1.0, x + 1.0)},
    )
    for update in range(8):
        batch = drawn.draw(update)
        assert batch.truth.min() >= 0.3  # nothing of the field around it
        seen = batch.low_resolution if size == 64 else batch.truth
        for axis in (2, 3):
            assert torch.diff(seen, dim=axis).abs().max() < 0.02


def test_the_truth_at_x2_is_that_of_the_slice_reduced_by_2():
    drawn = PairSampler(slices(1), PAIRS.model_copy(update={"scales": (4.0,)}), halves=True)
    (field,) = drawn.canvases
    for update in range(6):
        batch = drawn.draw(update)
        whole = []
        for position, truth in enumerate(batch.truth[:, 0].numpy()):
            rng = np.random.default_rng((0, update, 1 + position))
            y0, x0, y1, x1 = batch.pixels
            placing = field.place(slice(y0, y1), slice(x0, x1), rng)
            canvas = placing.of(field.image).astype(np.float32)
            assert np.array_equal(canvas[y0:y1, x0:x1], truth)
            reduced = degrade(canvas, (32, 32), "bicubic")
            whole.append(reduced[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2])
        assert batch.half.shape == (2, 1, *whole[0].shape)
        np.testing.assert_allclose(batch.half[:, 0].numpy(), whole, atol=1e-5)
    assert sampler().draw(0).half is None


def test_ms_gans_x2_output_is_compared_with_the_reduced_slice():
    """Its outer pixels too: a network that gives the reduced slice has nothing to lose there."""
    stage = Stage(name="mse", updates=2, losses={"mse-x2": 1})
    run = config(
        network="ms-gan",
        options={"blocks": 1, "features": 4},
        pairs=PAIRS.model_copy(update={"scales": (4.0,)}),
        stages=(stage,),
    )
    found = slices(5)
    task = SuperResolution(run, {"mri": found[:4]}, found[4:])
    batch = task.draw(0, "mri", 0, 1)
    top, left, *_ = batch.pixels
    y0, x0 = top // 2 - 2 * batch.origin[0], left // 2 - 2 * batch.origin[1]
    rows, columns = batch.half.shape[2:]

    class Perfect(torch.nn.Module):
        scale = 4

        def forward(self, low_resolution):
            h, w = low_resolution.shape[2:]
            two = torch.zeros(2, 1, 2 * h, 2 * w)
            two[..., y0 : y0 + rows, x0 : x0 + columns] = (batch.half - task.mean) / task.std
            return two, torch.zeros(2, 1, 4 * h, 4 * w)

    outcome = task.evaluate(Perfect(), batch, stage, torch.device("cpu"))
    assert outcome.losses["mse-x2"].item() < 1e-10


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
