"""Thresholds with a guarantee: worked out by hand, and kept in simulations."""

from __future__ import annotations

import numpy as np
import pytest

from napari_metasr.trust.conformal import (
    TooFewPatientsError,
    conformal_threshold,
    least_patients,
    missed_share,
    threshold_for_each,
)


@pytest.mark.parametrize(("alpha", "count"), [(0.1, 9), (0.05, 19), (0.5, 1), (0.3, 3), (0.01, 99)])
def test_so_many_patients_are_needed(alpha, count):
    assert least_patients(alpha) == count
    assert 1 / (count + 1) <= alpha + 1e-12 < 1 / count + 1e-12


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 1.5, float("nan")])
def test_an_alpha_that_is_no_share_is_refused(alpha):
    with pytest.raises(ValueError, match="an alpha between 0 and 1"):
        least_patients(alpha)


def test_two_patients_are_too_few_and_the_error_says_how_many_are_needed():
    with pytest.raises(TooFewPatientsError, match="at least 9 patients to calibrate on, found 2"):
        conformal_threshold([np.ones(5), np.ones(5)], 0.1)


def test_the_threshold_by_hand():
    """Three patients, alpha 0.5: the mean loss R may be (0.5 * 4 - 1) / 3 = 1/3.

    Sorted estimates and the patients' losses at a threshold t, which misses what is below it:
    t = 1: none; t = 2: a misses 1/2, R = 1/6; t = 3: b misses 1/4 as well, R = 1/4;
    t = 4: b misses 2/4, R = 1/3; t = 5: c misses 1, too much.
    """
    a, b, c = np.array([1.0, 9.0]), np.array([2.0, 3.0, 6.0, 7.0]), np.array([4.0])
    assert conformal_threshold([a, b, c], 0.5) == 4.0
    assert np.mean([missed_share(one, 4.0) for one in (a, b, c)]) == pytest.approx(1 / 3)
    assert np.mean([missed_share(one, 4.5) for one in (a, b, c)]) > 1 / 3


def test_equal_estimates_are_missed_together():
    """All five at 2 must stay marked: to miss one is to miss them all."""
    patients = [np.array([2.0, 2.0, 2.0, 2.0, 2.0, 8.0])]
    assert conformal_threshold(patients, 0.9) == 2.0


def test_patients_without_large_errors_count_and_without_any_all_is_marked():
    with_errors = np.array([1.0, 2.0, 3.0, 4.0])
    nothing = np.array([])
    # R may be (0.4 * 5 - 1) / 4 = 1/4, so the one patient with errors may miss all but the largest
    assert conformal_threshold([with_errors, nothing, nothing, nothing], 0.4) == 4.0
    assert conformal_threshold([nothing] * 9, 0.1) == 0.0
    assert missed_share(nothing, 7.0) == 0.0


@pytest.mark.parametrize("alpha", [0.1, 0.3])
def test_further_patients_miss_no_more_than_promised(alpha):
    """Patients differ much; over 600 calibrations the mean loss stays in bounds."""
    rng = np.random.default_rng(5)

    def patient():
        return rng.normal(rng.normal(0, 2), 1, rng.integers(1, 60))

    losses = []
    for _ in range(600):
        threshold = conformal_threshold([patient() for _ in range(20)], alpha)
        losses.append(missed_share(patient(), threshold))
    error = np.std(losses) / np.sqrt(len(losses))
    assert np.mean(losses) <= alpha + 2 * error
    assert np.mean(losses) >= alpha - 1 / 21 - 3 * error  # and marks no more than it needs


def test_a_data_set_that_misses_more_lowers_the_threshold():
    """At alpha 0.5 twelve patients may miss 0.5 * 13 - 1 = 5.5, and each set half of its number."""
    easy = [np.array([0.6, 0.7]) for _ in range(8)]
    hard = [np.array([0.2, 0.4]) for _ in range(4)]
    assert conformal_threshold([*easy, *hard], 0.5) == 0.6  # misses all of the four: 4 <= 5.5
    assert threshold_for_each([easy, hard], 0.5) == 0.4  # half of each hard one
    assert threshold_for_each([[*easy, *hard]], 0.5) == 0.6
    without = [np.array([])] * 2
    assert threshold_for_each([easy, without], 0.5) == conformal_threshold([*easy, *without], 0.5)
    assert threshold_for_each([easy], 0.5) == conformal_threshold(easy, 0.5)
    with pytest.raises(TooFewPatientsError, match="at least 9 patients"):
        threshold_for_each([easy[:2], hard[:2]], 0.1)
