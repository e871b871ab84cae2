"""Marks: what the head renders, window by window, what is guaranteed, and when nothing is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fakes.acquisition import scan, texture

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.networks.risk_head import RiskHead
from napari_metasr.trust.marks import CLEAR, OUTLINE, SHADOW, STRIPE, drawn
from napari_metasr.trust.risk import (
    RiskModel,
    guarantee,
    load_risk_model,
    marked_share,
    scan_guarantee,
)
from napari_metasr.weights import WeightsError, load_network
from napari_metasr.weights.risk import (
    Calibration,
    RiskCard,
    RiskCell,
    has_risk,
    load_risk,
    own_card_path,
    read_risk,
    risk_card,
    save_risk,
    save_risk_card,
)
from napari_metasr.zoom.encoded import Tiling

SHAPE = (60, 70)


def cell(acquisition="bicubic", scales=(1.5, 2.5), threshold=0.1):
    return RiskCell(
        acquisition=acquisition, scales=scales, threshold=threshold, patients=40, missed=0.05,
        marked=0.2,
    )  # fmt: skip


@pytest.fixture
def card():
    calibration = Calibration(
        alpha=0.1, tau=0.05, contrasts=("T1c",), data=("40 patients",),
        cells=(cell(), cell("k-space", threshold=0.04), cell(scales=(2.5, 4.0), threshold=0.2)),
    )  # fmt: skip
    return RiskCard(
        model="m", model_sha256="0" * 64, sha256="0" * 64, parameters=1, quantile=0.9, updates=1,
        loss="pinball", schedule="", data=(), licence="CC0-1.0", calibration=calibration,
    )  # fmt: skip


@pytest.fixture
def model(card):
    torch.manual_seed(2)
    head = RiskHead()
    with torch.no_grad():
        head.second.weight.normal_(0, 0.02)
    return RiskModel(*load_network("meta-srgan"), head, card, device="cpu", tiling=Tiling(tile=32))


@pytest.mark.parametrize("scale", [1.7, (2, 3.3)])
def test_a_window_of_the_estimated_error_is_the_same_part_of_the_whole(model, scale):
    image = texture(1, SHAPE).astype(np.float32)
    image[:20] = 0
    encoded = model.encode(image)
    grid = OutputGrid.at_scale(SHAPE, scale)
    whole = model.render_pixels(encoded, grid, grid.pixel_range())
    i0, j0, i1, j1 = pixels = grid.pixel_range(Window(13.2, 20.0, 44.0, 61.5))
    np.testing.assert_array_equal(model.render_pixels(encoded, grid, pixels), whole[i0:i1, j0:j1])
    assert whole.min() >= 0
    assert whole.max() > 0


def test_background_is_never_marked(model):
    image = np.where(np.indices(SHAPE)[0] > 30, texture(1, SHAPE), 0).astype(np.float32)
    encoded = model.encode(image)
    grid = OutputGrid.at_scale(SHAPE, 2)
    risk = model.render_pixels(encoded, grid, grid.pixel_range())
    cells = np.ix_(grid.rows.cells(), grid.columns.cells())
    assert (risk[(image == 0)[cells]] == 0).all()
    found = guarantee(model.risk_card.model_copy(update={"calibration": None}), (2, 2))
    assert not found.marked(risk)[(image == 0)[cells]].any()
    even = model.encode(np.full(SHAPE, 3.0))
    assert not model.render_pixels(even, grid, grid.pixel_range()).any()


def test_the_marked_share_is_of_the_tissue():
    risk = np.array([[0.0, 0.0, 0.1, 0.2], [0.0, 0.0, 0.3, 0.05]])
    assert marked_share(risk >= 0.1, risk) == 3 / 4
    assert marked_share(risk > 9, np.zeros_like(risk)) == 0


def test_what_was_calibrated_is_guaranteed_under_its_own_threshold(card):
    found = guarantee(card, (2, 2), acquisition="bicubic", contrast="T1c")
    assert found.holds
    assert found.threshold == 0.1
    assert found.sentence == (
        "At most 10% of errors above 5% of the intensity range are unmarked, on average over "
        "patients like the 40 calibrated on."
    )


def test_an_acquisition_that_is_not_known_takes_the_threshold_that_marks_most(card):
    found = guarantee(card, (2, 2), contrast="T1c")
    assert found.holds
    assert found.threshold == 0.04


@pytest.mark.parametrize(
    ("scale", "options", "reason"),
    [
        ((5, 5), {}, "x5 was not calibrated"),
        ((1.2, 1.2), {}, "x1.2 was not calibrated"),
        ((2, 2), {"acquisition": "gaussian"}, "gaussian was not calibrated"),
        ((2, 1), {}, "rows and columns have different scales"),
        ((2, 2), {"contrast": "FLAIR"}, "FLAIR was not calibrated, T1c was"),
        ((2, 2), {"contrast": None}, "the contrast is not known"),
        ((2, 2), {"acquired": (1.0, 0.6)}, "the scan stores many more pixels than it acquired"),
        ((2, 2), {"consistent": True}, "consistent results were not calibrated"),
    ],
)
def test_out_of_range_nothing_is_guaranteed_and_the_reason_is_told(card, scale, options, reason):
    found = guarantee(card, scale, **({"contrast": "T1c"} | options))
    assert not found.holds
    assert found.sentence == f"Nothing is guaranteed: {reason}."


def test_a_card_without_calibration_guarantees_nothing(card):
    found = guarantee(card.model_copy(update={"calibration": None}), (2, 2), contrast="T1c")
    assert not found.holds
    assert "is not calibrated" in found.sentence


def test_a_scan_tells_its_contrast_by_its_name(card):
    slices = np.stack([texture(seed) for seed in range(6)])
    known = scan(slices, (1.0, 1.0, 1.0), name="sub-1_T1c")
    assert scan_guarantee(card, known, None, (2, 2)).holds
    unknown = scan(slices, (1.0, 1.0, 1.0), name="head")
    assert "contrast is not known" in scan_guarantee(card, unknown, None, (2, 2)).sentence


def test_a_head_is_read_back_as_it_was_written(tmp_path, card):
    head = RiskHead(features=8, hidden=12)
    with torch.no_grad():
        head.second.weight.normal_()
    about = card.model_dump(exclude={"sha256", "parameters", "calibration"})
    saved = save_risk(head, tmp_path, **about)
    again, found = read_risk(tmp_path / "m.safetensors", "0" * 64)
    assert found == saved
    np.testing.assert_allclose(again.second.weight, head.second.weight.detach(), atol=2e-3)
    with pytest.raises(WeightsError, match="belongs to other weights"):
        read_risk(tmp_path / "m.safetensors", "1" * 64)
    (tmp_path / "m.safetensors").write_bytes(b"no")
    with pytest.raises(WeightsError, match="is not the error head that its card describes"):
        read_risk(tmp_path / "m.safetensors", "0" * 64)


def test_the_shipped_head_is_calibrated_for_the_shipped_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path))
    assert has_risk("meta-srgan")
    assert not has_risk("srgan-x2")
    _, model = load_network("meta-srgan")
    _, card = load_risk("meta-srgan", model.sha256)
    assert card.calibration is not None
    assert {one.acquisition for one in card.calibration.cells} <= set(model.degradations)
    assert all(one.missed <= card.calibration.alpha for one in card.calibration.cells)
    with pytest.raises(WeightsError, match="has no error head"):
        load_risk_model("srgan-x2")


def test_a_calibration_of_ones_own_takes_the_place_of_the_shipped_one(monkeypatch, tmp_path):
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path))
    shipped = risk_card("meta-srgan")
    own = shipped.model_copy(
        update={
            "calibration": Calibration(
                alpha=0.2, tau=0.1, contrasts=("T2",), data=("mine",), cells=(cell(),)
            )
        }
    )
    path = own_card_path("meta-srgan")
    path.parent.mkdir(parents=True)
    save_risk_card(own, path)
    assert risk_card("meta-srgan").calibration.data == ("mine",)
    save_risk_card(own.model_copy(update={"sha256": "1" * 64}), path)  # of another head
    assert risk_card("meta-srgan") == shipped


def test_marks_have_an_outline_a_shadow_and_stripes_that_stay_in_place():
    marked = np.zeros((12, 14), bool)
    marked[3:9, 4:11] = True
    kinds = drawn(marked)
    assert (kinds[marked & ~np.pad(marked[4:8, 5:10], ((4, 4), (5, 4)))] == OUTLINE).all()
    assert kinds[2, 6] == kinds[9, 6] == kinds[5, 3] == SHADOW
    assert kinds[0, 0] == CLEAR
    assert set(np.unique(kinds[4:8, 5:10])) == {CLEAR, STRIPE}
    part = drawn(marked[2:10, 3:12], (2, 3))
    np.testing.assert_array_equal(part[2:-2, 2:-2], kinds[4:8, 5:10])
    assert not drawn(np.zeros((4, 4), bool)).any()
