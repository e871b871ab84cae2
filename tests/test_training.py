"""The training package: slices, patches, the loop, its resume, evaluation and export."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import napari_metasr
from metasr_training.config import TrainConfig
from metasr_training.datasets.patches import PatchConfig, PatchSampler
from metasr_training.datasets.slices import Slice, load_slices, some_of_each
from metasr_training.evaluation.methods import interpolation
from metasr_training.evaluation.table import Score, markdown, summarise
from metasr_training.evaluation.zoom import reduced_grid, score_slice
from metasr_training.export import export
from metasr_training.loop import Trainer, learning_rate
from metasr_training.losses import l1_loss
from metasr_training.run_folder import RunFolder
from napari_metasr.degradations import degrade

PATCHES = PatchConfig(batch=2, patch=24, canvas=64, sources={"disc": 1.0})
CONFIG = TrainConfig(
    patches=PATCHES,
    updates=12,
    warm_up=2,
    log_every=1,
    validate_every=6,
    checkpoint_every=4,
    precision="float32",
)


def disc(seed):
    """A slice of 60 x 50 pixels with a textured disc."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:60j, -1:1:50j]
    image = np.where(
        y**2 + x**2 < 0.8, 120 + 40 * (np.sin(9 * y + seed) + np.cos(8 * x)) + rng.normal(0, 5), 0
    )
    return Slice(image.clip(0, 255).astype(np.uint8), (0.0, 200.0), "disc", str(seed), str(seed))


@pytest.fixture
def slices():
    return [disc(seed) for seed in range(4)]


def trainer(folder, slices, **changes):
    return Trainer(CONFIG.model_copy(update=changes), slices[:3], slices[3:], RunFolder(folder))


def losses(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return {e["update"]: e["loss/l1"] for e in map(json.loads, lines) if "loss/l1" in e}


def test_batches_are_reproducible_and_shaped_as_described(slices):
    sampler = PatchSampler(slices, PATCHES)
    for seed in range(30):
        batch = sampler.draw(np.random.default_rng(seed))
        again = sampler.draw(np.random.default_rng(seed))
        assert torch.equal(batch.low_resolution, again.low_resolution)
        i0, j0, i1, j1 = batch.pixels
        assert batch.truth.shape == (2, 1, i1 - i0, j1 - j0)
        assert abs(i1 - i0 - 24) <= 3
        assert batch.grid.output_shape == (64, 64)
        # every cell that is compared was shown
        for axis, (first, last), start, size in (
            (batch.grid.rows, (i0, i1), batch.origin[0], batch.low_resolution.shape[2]),
            (batch.grid.columns, (j0, j1), batch.origin[1], batch.low_resolution.shape[3]),
        ):
            cells = axis.cells()[first:last] - start
            assert cells.min() >= 0
            assert cells.max() < size


def test_low_resolution_and_truth_are_of_the_same_place(slices):
    """Bicubic enlargement of the patch is nearer to the truth than to the truth moved a pixel."""
    sampler = PatchSampler(slices, PATCHES.model_copy(update={"anisotropic_share": 0.0}))
    for seed in range(10):
        batch = sampler.draw(np.random.default_rng(seed))
        i0, j0, i1, j1 = batch.pixels
        canvas = np.zeros(batch.grid.input_shape, np.float32)
        y, x = batch.origin
        h, w = batch.low_resolution.shape[2:]
        canvas[y : y + h, x : x + w] = batch.low_resolution[0, 0]
        scale = (batch.grid.rows.scale, batch.grid.columns.scale)
        enlarged = interpolation("bicubic")(canvas, scale)[i0:i1, j0:j1]
        truth = batch.truth[0, 0].numpy()
        inner = np.s_[3:-3, 3:-3]
        still = np.abs(enlarged - truth)[inner].mean()
        moved = min(
            np.abs(enlarged - np.roll(truth, shift, axis))[inner].mean()
            for shift in (-2, 2)
            for axis in (0, 1)
        )
        assert still < moved


def test_some_batches_have_two_scales_and_some_an_axis_unchanged(slices):
    sampler = PatchSampler(slices, PATCHES)
    scales = [sampler.draw(np.random.default_rng(k)).grid.true_scale for k in range(200)]
    apart = [pair for pair in scales if pair[0] != pair[1]]
    assert 0.12 < len(apart) / len(scales) < 0.4
    assert 0.3 < np.mean([1.0 in pair for pair in apart]) < 0.8


def test_slices_larger_than_the_canvas_are_refused(slices):
    with pytest.raises(ValueError, match="at most 32 pixels, found 0 of 60 x 50"):
        PatchSampler(slices, PATCHES.model_copy(update={"canvas": 32}))


def test_the_learning_rate_rises_then_falls():
    config = TrainConfig(learning_rate=1e-3, warm_up=10, final_share=0.01)
    assert learning_rate(config, 0, 0.0) == pytest.approx(1e-4)
    assert learning_rate(config, 10, 0.0) == pytest.approx(1e-3)
    assert learning_rate(config, 500, 0.5) == pytest.approx(0.505e-3)
    assert learning_rate(config, 999, 1.0) == pytest.approx(1e-5)


def test_l1_is_the_mean_of_absolute_differences():
    assert l1_loss(torch.tensor([1.0, -2.0]), torch.tensor([0.0, 2.0])).item() == 2.5


def test_a_resumed_run_is_the_run_that_was_not_stopped(tmp_path, slices):
    trainer(tmp_path / "whole", slices).run()
    stopped = trainer(tmp_path / "pieces", slices)
    batches = stopped.batches()
    for _ in range(4):
        stopped.step(next(batches))
    batches.close()
    stopped.save()
    resumed = trainer(tmp_path / "pieces", slices)
    assert resumed.resume()
    assert resumed.update == 4
    resumed.run()
    whole, pieces = losses(tmp_path / "whole"), losses(tmp_path / "pieces")
    assert whole.keys() == set(range(1, 13))
    assert all(pieces[update] == whole[update] for update in range(5, 13))
    final = [torch.load(tmp_path / k / "final.pt", weights_only=True) for k in ("whole", "pieces")]
    for key, value in final[0]["network"].items():
        assert torch.equal(value, final[1]["network"][key])


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path):
    folder = RunFolder(tmp_path)
    for update in (1, 2, 3):
        folder.log(update=update, value=update)
    folder.cut_log(2)
    assert [json.loads(line)["update"] for line in folder.metrics.read_text().splitlines()] == [
        1,
        2,
    ]


def test_a_budget_ends_the_run_and_shapes_the_schedule(tmp_path, slices):
    run = trainer(tmp_path, slices, budget=1e-3, updates=1000)
    run.run()
    assert run.update == 1
    assert run.progress == 1


def test_a_loss_that_is_not_finite_stops_with_the_batch(tmp_path, slices):
    run = trainer(tmp_path, slices)
    batch = run.draw(0)
    batch.truth[0, 0, 0, 0] = np.nan
    with pytest.raises(FloatingPointError, match="the loss is nan at update 0"):
        run.step(batch)
    assert (tmp_path / "batch-not-finite.pt").exists()


def test_training_lowers_the_loss(tmp_path, slices):
    run = trainer(tmp_path, slices, updates=60)
    run.run()
    found = list(losses(tmp_path).values())
    assert np.mean(found[-10:]) < 0.5 * np.mean(found[:10])


def test_a_run_becomes_a_model(tmp_path, slices, rng):
    trainer(tmp_path / "run", slices).run()
    RunFolder(tmp_path / "run").write_config(CONFIG.model_copy(update={"patches": PatchConfig()}))
    (tmp_path / "models").mkdir()
    card = export(tmp_path / "run", "mine", tmp_path / "models")
    assert card.updates in {6, 12}
    model = napari_metasr.load_model(tmp_path / "models" / "mine.safetensors", device="cpu")
    assert model.upscale(rng.random((10, 12)), 2).shape == (20, 24)


def test_scores_are_of_the_slice_reduced_and_enlarged():
    one = disc(1)
    (score,) = score_slice(one, {"bicubic": interpolation("bicubic")}, [2.5], ["box"])
    truth = one.image.astype(np.float64)
    grid = reduced_grid(one.image.shape, 2.5)
    low = degrade(truth, grid.input_shape, "box")
    output = interpolation("bicubic")(low, (grid.rows.scale, grid.columns.scale))
    expected = 10 * np.log10(255**2 / np.mean((output - truth) ** 2))
    assert score.psnr == pytest.approx(expected, abs=1e-6)


def test_tables_average_over_images():
    scores = [
        Score("a", "box", 2.0, method, psnr, 0.5, psnr + 1, 0.6)
        for method, values in (("bicubic", (30.0, 32.0)), ("model", (33.0, 36.0)))
        for psnr in values
    ]
    rows = summarise(scores)
    assert [(row.method, row.images, row.psnr, row.psnr_std) for row in rows] == [
        ("bicubic", 2, 31.0, 1.0),
        ("model", 2, 34.5, 1.5),
    ]
    assert "| a | box | x2 | 2 | 31.00 / 0.500 | 34.50 / 0.500 | +3.50 | +3.50 |" in markdown(
        rows, ("bicubic", "model")
    )


def test_real_slices_are_split_by_patient(shared_data):
    train, val = (load_slices(shared_data, split, ("brats20",)) for split in ("train", "val"))
    assert len(train) > 90
    assert len(val) > 15
    assert all(0.08 < one.head_share < 1 for one in val)
    assert len(some_of_each(val, 5)) == 5


def test_a_folder_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected one of tcga-lgg, cheng, brats20"):
        load_slices(tmp_path, "train")
