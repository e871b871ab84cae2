"""Which slices of a scan are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import scan, texture
from fakes.trust import Interpolator

from napari_metasr.geometry.windows import Window
from napari_metasr.trust.own_acquisition import OwnAcquisition
from napari_metasr.trust.own_marks import Marker
from napari_metasr.trust.own_slices import Enlargement, own_slices, spread
from napari_metasr.trust.risk import Guarantee
from napari_metasr.volume import Plane


@pytest.mark.parametrize(
    ("size", "count", "places"),
    [(7, 1, [3]), (4, 4, [0, 1, 2, 3]), (3, 9, [0, 1, 2]), (12, 3, [2, 6, 10]), (0, 2, [])],
)
def test_items_are_spread_and_the_ends_avoided(size, count, places):
    assert spread(range(size), count) == places


def test_the_background_of_standardised_intensities_is_no_head():
    """Slices of a ball that was cut out, empty at both ends, as they are and standardised."""
    heights = np.linspace(-1.2, 1.2, 14).reshape(-1, 1, 1)
    inside = np.hypot(*np.mgrid[-1:1:60j, -1:1:70j]) ** 2 < 0.8 - heights**2
    tissue = np.stack([200 + texture(k, (60, 70)) for k in range(14)])
    standard = (tissue - tissue[inside].mean()) / tissue[inside].std()
    plain, other = (
        own_slices(scan(np.where(inside, one, 0).astype(np.float32), (1, 1, 1)), Plane.AXIAL, 5)
        for one in (tissue, standard)
    )
    assert [one.index for one in plain] == [one.index for one in other]
    for one, two in zip(plain, other, strict=True):
        assert not two.head[~inside[two.index]].any()
        assert two.head.sum() > 0.95 * one.head.sum()


def enlargement(volume, truth):
    """What compares results at x2 with a slice that was reduced in k-space."""
    return Enlargement(
        Interpolator(),
        OwnAcquisition.named("k-space"),
        truth.image.shape,
        2.0,
        intensity_range=volume.intensity_range,
        value_range=volume.value_range,
    )


def wrong_patches(volume, region=None, wrong=np.s_[48:96, 48:96]):
    """The share of wrong patches of a slice that is another in a square, and its agreement."""
    (truth,) = own_slices(volume, Plane.AXIAL, 1, index=0, region=region)
    enlarge = enlargement(volume, truth)
    result = truth.image.copy()
    result[wrong] = result[wrong][::-1, ::-1]
    marker = Marker(Interpolator(), enlarge, Guarantee(0.05, "", holds=False))
    agreement = marker.agreement(truth, result, np.ones(result.shape, bool))
    return enlarge.compare(truth, {"network": result}).flagged["network"], agreement


def test_wrong_patches_of_a_region_are_shares_of_the_patches_in_it():
    volume = scan(texture(3, (192, 192))[None], (1, 1, 1))
    share, _ = wrong_patches(volume)
    assert share == pytest.approx(1 / 16)
    share, agreement = wrong_patches(volume, Window(48, 48, 96, 144))
    assert share == pytest.approx(1 / 2)
    assert agreement.wrong_share == pytest.approx(1 / 2, abs=0.01)
    share, agreement = wrong_patches(volume, Window(48, 48, 90, 144))  # less than a patch
    assert np.isnan(share)
    assert agreement.judged == 0


def test_wrong_patches_do_not_depend_on_where_intensities_begin():
    """As of standardised ones, of which half lies below zero."""
    shape = (192, 192)
    disc = np.hypot(*np.mgrid[-1:1:192j, -1:1:192j]) < 0.9
    tissue = np.where(disc, 200 + texture(3, shape), 0)[None]
    plain, agreement = wrong_patches(scan(tissue, (1, 1, 1)))
    assert plain > 0
    for other in (tissue - 1000, tissue + 1000, (tissue - tissue.mean()) / tissue.std()):
        share, found = wrong_patches(scan(other, (1, 1, 1)))
        assert share == pytest.approx(plain)
        assert (found.judged, found.wrong) == (agreement.judged, agreement.wrong)


def test_gaps_are_not_compared():
    """What is filled in for missing values is no truth: nor is what it spreads to."""
    tissue = texture(3, (120, 120))[None]
    gap = np.s_[50:58, 60:70]
    tissue[(0, *gap)] = np.nan
    volume = scan(tissue, (1, 1, 1))
    (truth,) = own_slices(volume, Plane.AXIAL, 1, index=0)
    assert not truth.head[gap].any()
    enlarge = enlargement(volume, truth)
    result = truth.image.copy()
    result[48:60, 58:72] += 50
    assert enlarge.compare(truth, {"network": result}).quality["network"].psnr == np.inf
    result[30, 30] += 50
    assert np.isfinite(enlarge.compare(truth, {"network": result}).quality["network"].psnr)
