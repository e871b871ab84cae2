"""Which slices of a scan are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.acquisition import scan, texture

from napari_metasr.trust.own_slices import own_slices, spread
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
