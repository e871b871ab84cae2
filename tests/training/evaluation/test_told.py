"""The tables of a model that is told, and told wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import texture
from fakes.models import told_model
from scipy.ndimage import gaussian_filter

from metasr_training.condition import Condition
from metasr_training.evaluation.told import (
    methods_beside,
    neighbours,
    told_table,
    wrongly_told_table,
)
from metasr_training.evaluation.zoom import ZoomRow
from napari_metasr.acquisition.code import transfer
from napari_metasr.degradations import named_reduction
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.trust.assumption import SHARPEST_FIRST
from napari_metasr.trust.told import Words, tell
from napari_metasr.volume import Source, Volume
from napari_metasr.zoom.loading import load_model


def test_reductions_lie_in_the_order_of_what_they_leave():
    left = [sum(transfer(named_reduction(name))[:3]) for name in SHARPEST_FIRST]
    assert left == sorted(left, reverse=True)
    assert neighbours("k-space") == (None, "box")
    assert neighbours("bicubic") == ("box", "bilinear")
    assert neighbours("k-space-hamming") == ("gaussian", None)


def test_a_model_that_can_be_told_is_measured_told_and_told_wrongly(tmp_path):
    told = load_model(told_model(tmp_path), device="cpu")
    plain = load_model("meta-srgan", device="cpu")
    labels = [one.label for one in methods_beside(told, [plain])(Condition(degradation="box"))]
    assert labels == [
        "bicubic",
        "lanczos",
        "meta-srgan",
        "tiny-told",
        *(f"tiny-told, told{how}" for how in ("", " sharper", " blurrier", " noisier")),
        "tiny-told, told its estimate",
    ]
    alone = methods_beside(plain)(Condition())
    assert [one.label for one in alone] == ["bicubic", "lanczos", "meta-srgan"]


def test_a_model_is_told_what_a_slice_shows_of_itself(tmp_path):
    model = load_model(told_model(tmp_path), device="cpu")
    condition = Condition(scale=2, degradation="box")
    methods = {one.label: one.upscale for one in methods_beside(model)(condition)}
    image = gaussian_filter(texture(3, (48, 48)), 0.8).astype(np.float32)  # clearly blurred
    grid = OutputGrid.at_scale((48, 48), 2)
    found = methods["tiny-told, told its estimate"](image, grid, (0, 255))
    told = tell(Words(), Volume(image, np.eye(4), (1.0, 1.0), Source("slice")))
    assert told.code.any()
    encoded = model.told(told.code).encode(image, (0, 255), (0, 255))
    np.testing.assert_array_equal(found, model.render(encoded, 2))


def row(source, images, method, psnr, scale=2.0):
    return ZoomRow(source, "box", scale, 0.0, method, images, 0, 0, 0, 0, psnr, 0)


def test_the_tables_weigh_data_sets_by_their_images():
    rows = [
        row(source, images, method, psnr + more)
        for source, images, more in (("a", 1, 0.0), ("b", 3, 4.0))
        for method, psnr in (
            ("bicubic", 30.0),
            ("m", 31.0),
            ("m, told", 33.0),
            ("m, told sharper", 30.5),
            ("m, told noisier", 31.0),
        )
    ]
    assert told_table(rows, "m", ["bicubic"]).splitlines() == [
        "| degradation | scale | bicubic | m | m, told |",
        "|---|---|---|---|---|",
        "| box | x2 | 33.00 | 34.00 | 36.00 |",
    ]
    assert wrongly_told_table(rows, "m").splitlines()[2:] == [
        "| box | x2 | +2.00 | -0.50 | +0.00 |"
    ]


@pytest.mark.parametrize("name", SHARPEST_FIRST)
def test_every_reduction_has_a_neighbour(name):
    assert any(neighbours(name))
