"""Agreement of marks with true errors and flagged patches, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_metasr.quality.hallucination import NOT_JUDGED, RIGHT, WRONG
from napari_metasr.trust.agreement import Agreement

ERROR = np.array([[0.0, 0.1, 0.15, 0.3], [0.5, 0.05, 0.2, 0.0]])
MARKED = np.array([[0, 1, 1, 0], [1, 0, 1, 0]], bool)
PATCHES = np.array([[RIGHT, RIGHT, WRONG, WRONG], [NOT_JUDGED] + [WRONG] * 2 + [RIGHT]], np.uint8)


def test_shares_by_hand():
    """Above 0.1 are 0.15, 0.3, 0.5 and 0.2, by 0.05, 0.2, 0.4 and 0.1; only 0.3 is not marked."""
    found = Agreement.of(ERROR, MARKED, PATCHES, 0.1)
    assert (found.pixels, found.large, found.judged, found.wrong) == (8, 4, 7, 4)
    assert found.marked_share == 4 / 8
    assert found.missed_share == 1 / 4
    assert found.excess_share == pytest.approx((0.05 + 0.4 + 0.1) / 0.75)
    assert found.recall == 2 / 4  # of four flagged pixels two are marked
    assert found.precision == 2 / 3  # of three marks in judged patches two are in flagged ones
    assert found.wrong_share == 4 / 7


def test_slices_of_a_patient_add_up():
    one = Agreement.of(ERROR[:1], MARKED[:1], PATCHES[:1], 0.1)
    other = Agreement.of(ERROR[1:], MARKED[1:], PATCHES[1:], 0.1)
    both, whole = one + other, Agreement.of(ERROR, MARKED, PATCHES, 0.1)
    assert both.excess == pytest.approx(whole.excess)
    assert (both.missed_share, both.recall, both.precision) == (
        whole.missed_share,
        whole.recall,
        whole.precision,
    )


def test_where_nothing_is_wrong_nothing_is_missed_and_shares_of_nothing_are_not_numbers():
    none = Agreement.of(np.zeros(4), np.ones(4, bool), np.full(4, NOT_JUDGED, np.uint8), 0.1)
    assert (none.marked_share, none.missed_share) == (1, 0)
    for share in (none.excess_share, none.recall, none.precision, none.wrong_share):
        assert math.isnan(share)
