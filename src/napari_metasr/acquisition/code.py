"""The acquisition code: what a network that is told how a scan was acquired is given."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.degradations import Reduction
from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.degradations.reduction import AxisReduction

FREQUENCIES = (0.5, 0.75, 0.9375, 1.25)
"""Shares of an axis' Nyquist frequency at which its transfer function is told."""

COARSE, RATIO = 64, 4
"""Samples of the axis that transfer functions are measured on, and fine samples in each."""

NOISE_UNIT = 0.02
"""Share of the intensity range that counts as 1."""

LARGEST_NOISE = 0.05
"""Share of the intensity range beyond which noise is told as this."""


@lru_cache(maxsize=64)
def transfer(reduction: AxisReduction | None) -> tuple[float, ...]:
    """Measure how much of a wave an acquisition leaves, at each of `FREQUENCIES`.

    What is left beyond the Nyquist frequency (a share above 1) is aliased.

    Parameters
    ----------
    reduction
        Hashable; None for an axis that was left as it was, of which all is left.
    """
    if reduction is None:
        return (1.0,) * len(FREQUENCIES)
    fine, axis = RATIO * COARSE, AxisGrid(RATIO * COARSE, COARSE)
    matrix = np.real(reduction.matrix(fine, COARSE))
    inside = slice(COARSE // 4, 3 * COARSE // 4)
    turns = np.pi / RATIO * np.array(FREQUENCIES)
    waves = np.exp(1j * np.outer(np.arange(fine), turns))
    seen = np.exp(1j * np.outer(axis.positions() - 1 / 2, turns))  # positions count from edges
    left = ((matrix @ waves) * seen.conj())[inside].mean(axis=0)
    return tuple(float(one) for one in left.real)


def slice_code(thickness: float, *, along_rows: bool) -> NDArray[np.float32]:
    """Return the code of slices of a stack, seen in a plane that crosses them.

    Parameters
    ----------
    thickness
        Of the slices, as a share of their spacing: 1 for slices that touch.
    along_rows
        Whether the rows of that plane are the slices; its columns are otherwise.
    """
    profile = Reduction("slice-profile", thickness=thickness)
    return acquisition_code((profile, None) if along_rows else (None, profile))


def acquisition_code(
    reductions: tuple[AxisReduction | None, AxisReduction | None] | None = None,
    noise: float | None = None,
) -> NDArray[np.float32]:
    """Return the code of an acquisition, (11,); all 0 where nothing is told.

    The transfer of rows and of columns at each of `FREQUENCIES`, whether it is told, the noise,
    whether it is told.

    Parameters
    ----------
    reductions
        Of rows and of columns; None where they are not known.
    noise
        Standard deviation as a share of the intensity range; None where it is not known.

    Raises
    ------
    ValueError
        If the noise is negative or not finite.
    """
    code = np.zeros(2 * len(FREQUENCIES) + 3, np.float32)
    if reductions is not None:
        of_axes = np.concatenate([transfer(one) for one in reductions])
        code[:-3] = 2 * of_axes - 1
        code[-3] = 1
    if noise is not None:
        if not 0 <= noise < np.inf:
            raise ValueError(f"expected noise of at least 0, found {noise}")
        code[-2:] = min(noise, LARGEST_NOISE) / NOISE_UNIT, 1
    return code
