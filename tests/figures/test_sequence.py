"""Trials of a model on a slice, and the figure of a sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes.figures import Interpolating, pixels, view

from napari_metasr.degradations import degrade
from napari_metasr.figures.sequence import run_sequence, save_sequence
from napari_metasr.quality.trial import Quality, run_trial
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from pathlib import Path


def test_a_trial_measures_both_against_the_truth(head: np.ndarray) -> None:
    low = degrade(head, (41, 33))
    trial = run_trial(
        low, head, Interpolating(), intensity_range=(0.0, 1000.0), value_range=(0.0, 1000.0)
    )
    assert trial.scale == (2.0, 3.0)
    expected = interpolate(low, (2, 3), value_range=(0.0, 1000.0))
    np.testing.assert_array_equal(trial.interpolated, expected)
    whole = trial.quality(trial.interpolated, in_box=False)
    error = np.mean((expected.astype(float) - head) ** 2)
    assert whole.psnr == pytest.approx(20 * np.log10(1000 / np.sqrt(error)))
    top, left, bottom, right = trial.box
    assert trial.quality(trial.interpolated, in_box=True) == Quality.of(
        expected[top:bottom, left:right], head[top:bottom, left:right], 1000.0
    )
    assert trial.quality(trial.truth, in_box=True).ssim == pytest.approx(1)


def test_sequence_reduces_by_four_and_back(head: np.ndarray) -> None:
    """At x4 the truth is the slice itself, at x1 the input: as in the publication's figure 8."""
    low, trials = run_sequence(
        head, Interpolating(), intensity_range=(0.0, 1000.0), scales=(1.0, 2.5, 4.0)
    )
    assert low.shape == (20, 24)
    np.testing.assert_allclose(low, degrade(head[:80, :96], (20, 24)), atol=1e-3)
    np.testing.assert_allclose(trials[0].truth, low, atol=1e-3)
    assert trials[1].truth.shape == (50, 60)
    np.testing.assert_allclose(trials[1].truth, degrade(head[:80, :96], (50, 60)), atol=1e-3)
    np.testing.assert_allclose(trials[2].truth, head[:80, :96], atol=1e-3)
    assert [trial.scale for trial in trials] == [(1.0, 1.0), (2.5, 2.5), (4.0, 4.0)]


def test_sequence_figure(tmp_path: Path, head: np.ndarray) -> None:
    low, trials = run_sequence(
        head, Interpolating(), intensity_range=(0.0, 1000.0), scales=(2.0, 4.0)
    )
    sizes = []
    for count in (1, 2):
        path = save_sequence(
            tmp_path / f"{count}.png", low, trials[:count], view=view((0, 1000)),
            spacing=(4.0, 4.0), window=(5.0, 5.0, 15.0, 15.0), model="Meta-SRGAN", heading="a head",
        )  # fmt: skip
        page = pixels(path)
        assert page.std() > 10
        sizes.append(page.shape)
    assert sizes[1][1] > sizes[0][1] + 200


def test_sequence_refuses_other_scales(head: np.ndarray) -> None:
    with pytest.raises(ValueError, match="scales of 1 to 4"):
        run_sequence(head, Interpolating(), intensity_range=(0.0, 1.0), scales=(5.0,))
    with pytest.raises(ValueError, match="at least 4 x 4"):
        run_sequence(head[:3], Interpolating(), intensity_range=(0.0, 1.0))
