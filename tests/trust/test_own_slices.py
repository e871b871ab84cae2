"""Which slices of a scan are looked at."""

from __future__ import annotations

import pytest

from napari_metasr.trust.own_slices import spread


@pytest.mark.parametrize(
    ("size", "count", "places"),
    [(7, 1, [3]), (4, 4, [0, 1, 2, 3]), (3, 9, [0, 1, 2]), (12, 3, [2, 6, 10]), (0, 2, [])],
)
def test_items_are_spread_and_the_ends_avoided(size, count, places):
    assert spread(range(size), count) == places
