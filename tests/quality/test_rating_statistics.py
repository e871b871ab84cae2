"""The numbers of a rating study: against the paper, worked examples and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from napari_metasr.quality.rating import MethodScore
from napari_metasr.quality.rating.agreement import intraclass_correlation, weighted_kappa
from napari_metasr.quality.statistics import holm, signed_rank_balance, signed_rank_p

# Zhu, Yang and Lio, ISBI 2019, Table 1: counts of poor, fair, good, great -> printed MOS
PUBLISHED = {
    (25, 71, 3, 1): "1.80±0.529",
    (1, 13, 56, 30): "3.15±0.669",
    (1, 17, 54, 28): "3.09±0.694",
    (2, 13, 58, 27): "3.10±0.686",
    (1, 15, 52, 32): "3.15±0.698",
    (1, 7, 57, 35): "3.26±0.626",
    (3, 16, 31, 50): "3.28±0.838",
}


@pytest.mark.parametrize(("counts", "printed"), PUBLISHED.items())
def test_the_published_counts_give_the_published_scores(counts, printed):
    answers = [(grade, "") for grade, n in enumerate(counts, start=1) for _ in range(n)]
    score = MethodScore.of("x", answers)
    assert f"{score.mean:.2f}±{score.std:.3f}" == printed
    assert score.counts == (0, *counts)


def test_flags_are_counted():
    score = MethodScore.of("x", [(0, "SN"), (4, ""), (2, "S"), (2, "AU")])
    assert score.flags == {"S": 2, "A": 1, "U": 1, "N": 1}
    assert score.counts == (1, 0, 2, 0, 1)


def test_a_method_without_ratings_has_no_mean():
    score = MethodScore.of("x", [])
    assert math.isnan(score.mean)
    assert (score.ratings, score.counts) == (0, (0, 0, 0, 0, 0))


def test_kappa_by_hand():
    """Three grades, six images, two of which the raters put one grade apart."""
    first, second = [0, 0, 1, 1, 2, 2], [0, 1, 1, 1, 2, 1]
    # first counts 2 2 2, second counts 1 4 1; w = (i - j)^2
    observed = (0 + 1 + 0 + 0 + 0 + 1) / 6
    expected = (2 * (4 * 1 + 1 * 4) + 2 * (1 * 1 + 1 * 1) + 2 * (1 * 4 + 4 * 1)) / 36
    assert weighted_kappa(first, second, 3) == pytest.approx(1 - observed / expected)
    assert weighted_kappa(first, second, 3) == pytest.approx(2 / 3)


def test_kappa_has_its_limits():
    assert weighted_kappa([0, 1, 2, 4], [0, 1, 2, 4]) == pytest.approx(1)
    assert weighted_kappa([0, 4, 0, 4], [4, 0, 4, 0]) == pytest.approx(-1)
    assert weighted_kappa([0, 0, 4, 4], [0, 4, 0, 4]) == pytest.approx(0)
    assert math.isnan(weighted_kappa([3, 3], [3, 3]))
    assert math.isnan(weighted_kappa([], []))
    with pytest.raises(ValueError, match="found 1 and 2"):
        weighted_kappa([1], [1, 2])


def test_kappa_as_scikit_learn(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    first, second = rng.integers(0, 5, (2, 60))
    expected = metrics.cohen_kappa_score(first, second, weights="quadratic", labels=range(5))
    assert weighted_kappa(list(first), list(second)) == pytest.approx(expected)


def test_intraclass_correlation_of_shrout_and_fleiss():
    """Table 2 of Shrout and Fleiss 1979: six targets, four judges; ICC(2,1) = .29."""
    judged = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    )
    assert intraclass_correlation(judged) == pytest.approx(0.2898, abs=5e-5)


def test_intraclass_correlation_has_its_limits():
    grades = np.array([[0, 0], [2, 2], [4, 4]])
    assert intraclass_correlation(grades) == pytest.approx(1)
    assert (
        intraclass_correlation(grades + np.array([0, 1])) < 1
    )  # a rater who is always milder disagrees
    assert math.isnan(intraclass_correlation(np.full((3, 2), 2)))
    assert math.isnan(intraclass_correlation(grades[:1]))
    assert math.isnan(intraclass_correlation(grades[:, :1]))


def test_signed_ranks_by_hand():
    """Ranks of 1 1 2 3 are 1.5 1.5 3 4; with -1 the sum below zero is 1.5.

    Of the 16 ways to put signs, 3 give at most 1.5 (no minus, or one before either 1); as many
    give as much above zero.
    """
    assert signed_rank_p([1, -1, 2, 3]) == pytest.approx(6 / 16)
    assert signed_rank_p([1, 0, -1, 2, 0, 3]) == pytest.approx(6 / 16)
    assert signed_rank_p([2, 2, 2, 2, 2]) == pytest.approx(2 / 32)


def test_the_balance_of_the_ranks_by_hand():
    """Ranks of 1 1 2 9 are 1.5 1.5 3 4."""
    assert signed_rank_balance([1, -1, 2, 9]) == 7
    assert signed_rank_balance([-1, 0, -1, -2, 9]) == 4 - 6  # though their mean is above 0
    assert signed_rank_balance([0, 1e-12]) == 0


def test_no_difference_is_no_evidence():
    assert signed_rank_p([]) == 1
    assert signed_rank_p([0, 0, 0]) == 1
    assert signed_rank_p([1]) == 1


def test_many_differences_are_evidence(rng):
    assert signed_rank_p(list(rng.integers(0, 3, 60))) < 1e-4
    assert signed_rank_p(list(rng.permutation([-1, 1] * 30))) > 0.9


def test_means_over_raters_that_are_equal_are_ties():
    third = (1 + 0 + 0) / 3
    assert signed_rank_p([third, 1 - 2 * third, -third]) == signed_rank_p([1, 1, -1])


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
