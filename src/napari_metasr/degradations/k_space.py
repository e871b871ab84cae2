"""Low resolution as a scanner makes it: the outer part of k-space is never sampled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_metasr.degradations.slice_profile import WIDTHS_IN_HALF_MAXIMUM
from napari_metasr.geometry.grids import AxisGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray


HAMMING = 0.46
"""Half of what Hamming's window takes from the highest frequency."""


@dataclass(frozen=True)
class Apodisation:
    """How a scanner weighs down high frequencies, against ringing.

    Attributes
    ----------
    window
        ``hamming``, 1 - 0.46 a (1 - cos(pi u)), or ``tukey``, 1 up to u = 1 - a and then half a
        cosine down to 0; u is the frequency over the highest acquired one.
    amount
        a, from 0 (no apodisation) to 1 (Hamming's own window; a Hann window for ``tukey``).
    """

    window: Literal["hamming", "tukey"] = "hamming"
    amount: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= 1:
            raise ValueError(f"expected an apodisation of 0..1, found {self.amount}")

    def weights(self, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights of frequencies given as shares (-1..1) of the highest acquired one."""
        u = np.abs(frequencies)
        if self.window == "hamming":
            return 1 - HAMMING * self.amount * (1 - np.cos(np.pi * u))
        if self.amount == 0:
            return np.ones_like(u)
        fall = ((u - 1 + self.amount) / self.amount).clip(0, 1)
        return (1 + np.cos(np.pi * fall)) / 2


def acquired_frequencies(count: int, share: float = 1.0) -> NDArray[np.int64]:
    """Return those of an axis' ``count`` central frequencies that a scanner acquires, in order.

    Parameters
    ----------
    count
        ``-(count // 2) .. count - count // 2 - 1`` are all of them, in cycles an axis.
    share
        By how many, as a share (0..1]; at least one, the DC term.

    Raises
    ------
    ValueError
        If the share is out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"expected a share of 0..1 of the band, found {share}")
    acquired = max(round(share * count), 1)
    return np.arange(acquired) - acquired // 2


@lru_cache(maxsize=64)
def truncation_matrix(
    n_in: int,
    n_out: int,
    apodisation: Apodisation | None = None,
    *,
    share: float = 1.0,
    fwhm: float = 0.0,
) -> NDArray[np.complex128]:
    """Build the complex (n_out, n_in) matrix that keeps an axis' ``n_out`` central frequencies.

    The discrete Fourier transform of ``n_in`` samples, cut to the frequencies
    ``-(n_out // 2) .. n_out - n_out // 2 - 1`` (the DC term at ``n_out // 2`` of the centred
    spectrum, for odd and even sizes), then the inverse transform evaluated at the centres of
    the ``n_out`` wider pixels, which is a phase ramp of (r - 1)/2 input samples, r = n_in / n_out.
    Intensities keep their scale: a constant stays the same constant, also under an apodisation.

    Parameters
    ----------
    share
        Of the ``n_out`` frequencies, by how many as a share (0..1] are acquired; the outer ones
        are zero, as where a scanner interpolates.
    fwhm
        Full width at half maximum of a Gaussian that blurs besides, in acquired pixels.

    Raises
    ------
    ValueError
        If the share or the blur is out of range.
    """
    if not 0 <= fwhm < math.inf:
        raise ValueError(f"expected a blur of at least 0 pixels, found {fwhm}")
    positions = np.arange(n_in)
    frequencies = acquired_frequencies(n_out, share)
    acquired = len(frequencies)
    step, start = AxisGrid(n_in, n_out).place(1.0, 0.0)
    centres = start + step * np.arange(n_out)
    forward = np.exp(-2j * np.pi * np.outer(frequencies, positions) / n_in)
    inverse = np.exp(2j * np.pi * np.outer(centres, frequencies) / n_in) / n_in
    if apodisation is not None:
        inverse *= apodisation.weights(frequencies / (acquired / 2))
    if fwhm:
        width = fwhm / WIDTHS_IN_HALF_MAXIMUM
        inverse *= np.exp(-2 * (np.pi * width * frequencies / acquired) ** 2)
    matrix: NDArray[np.complex128] = inverse @ forward
    matrix.flags.writeable = False
    return matrix
