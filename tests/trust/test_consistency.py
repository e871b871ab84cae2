"""Measured and inferred: projections by their algebra, and against a dense solution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_metasr.degradations import Reduction, reduce_image
from napari_metasr.degradations.k_space import Apodisation
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.trust.consistency import PlaneConsistency, agreement

METHODS = {
    "bicubic": Reduction("bicubic"),
    "bilinear": Reduction("bilinear"),
    "box": Reduction("box"),
    "gaussian": Reduction("gaussian", fwhm=0.8),
    "hamming": Reduction("k-space", apodisation=Apodisation("hamming")),
}
GRID = OutputGrid.at_scale((12, 15), (2, 1.6))


@pytest.fixture
def truth(rng):
    return 100 * ndimage.gaussian_filter(rng.normal(size=GRID.output_shape), 1).astype(np.float32)


@pytest.fixture(params=METHODS.values(), ids=METHODS)
def consistency(request):
    return PlaneConsistency(GRID, (request.param, request.param))


def test_the_result_reduces_to_the_scan_and_a_second_projection_changes_nothing(
    consistency, truth, rng
):
    scan = consistency.reduced(truth)
    guess = truth + rng.normal(0, 5, truth.shape).astype(np.float32)
    result = consistency(guess, scan)
    np.testing.assert_allclose(consistency.reduced(result), scan, atol=2e-3)
    np.testing.assert_allclose(consistency(result, scan), result, atol=2e-3)


def test_a_projection_comes_nearer_to_the_truth_and_leaves_the_truth(consistency, truth, rng):
    scan = consistency.reduced(truth)
    np.testing.assert_allclose(consistency(truth, scan), truth, atol=2e-3)
    guess = truth + rng.normal(0, 5, truth.shape).astype(np.float32)
    before, after = (np.square(one - truth).sum() for one in (guess, consistency(guess, scan)))
    assert after < 0.9 * before


def test_the_change_is_the_smallest_one(truth, rng):
    """Against the dense normal equations of the whole slice."""
    reduction = METHODS["bilinear"]
    consistency = PlaneConsistency(GRID, (reduction, reduction))
    rows, columns = (
        reduction.matrix(fine, coarse)
        for fine, coarse in zip(GRID.output_shape, GRID.input_shape, strict=True)
    )
    dense = np.kron(rows, columns)
    scan = (dense @ truth.ravel()).reshape(GRID.input_shape)
    guess = (truth + rng.normal(0, 5, truth.shape)).astype(np.float32)
    step = np.linalg.lstsq(dense, scan.ravel() - dense @ guess.ravel(), rcond=None)[0]
    expected = guess + step.reshape(truth.shape)
    np.testing.assert_allclose(consistency(guess, scan), expected, atol=5e-3)


def test_measured_and_inferred_parts_add_up_and_are_orthogonal(consistency, truth):
    inferred = consistency.inferred(truth)
    measured = truth - inferred
    assert np.abs(consistency.reduced(inferred)).max() < 2e-3
    cosine = (inferred * measured).sum() / np.linalg.norm(inferred) / np.linalg.norm(measured)
    assert abs(cosine) < 1e-4


def test_a_window_of_the_correction_is_that_part_of_the_whole(consistency, truth, rng):
    residual = rng.normal(size=GRID.input_shape).astype(np.float32)
    whole = consistency.correction(residual)
    part = consistency.correction(residual, (3, 5, 17, 20))
    np.testing.assert_allclose(part, whole[3:17, 5:20], atol=1e-5)


def test_it_reduces_as_the_degradations_do(consistency, truth):
    for name in ("bicubic", "box"):
        ours = PlaneConsistency(GRID, (METHODS[name], METHODS[name])).reduced(truth)
        theirs = reduce_image(truth, GRID.input_shape, (METHODS[name], METHODS[name]))
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_gaps_are_left_alone_and_shapes_are_checked(truth):
    consistency = PlaneConsistency(GRID, (METHODS["box"], METHODS["box"]))
    scan = consistency.reduced(truth)
    scan[4, 4] = np.nan
    assert np.isfinite(consistency(truth, scan)).all()
    with pytest.raises(ValueError, match="expected a slice and a scan of shapes"):
        consistency.residual(truth[1:], scan)


def test_agreement_is_in_units_of_the_noise():
    residual = np.full((4, 4), -3.0)
    assert agreement(residual, 2.0) == 1.5
    assert agreement(0 * residual, 0.0) == 0
    assert agreement(residual, 0.0) == np.inf
