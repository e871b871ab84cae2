"""One axis' way to low resolution, with its parameters: a point in a continuous family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from napari_metasr.degradations.blur import blurred_box_matrix
from napari_metasr.degradations.k_space import Apodisation, truncation_matrix
from napari_metasr.degradations.slice_profile import slice_profile_matrix
from napari_metasr.resampling import resampling_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["bicubic", "bilinear", "box", "k-space", "gaussian", "slice-profile"]


class AxisReduction(Protocol):
    """One axis' way to low resolution, such as a `Reduction`; hashable."""

    def __hash__(self) -> int:
        """Return a hash."""

    def matrix(self, n_in: int, n_out: int) -> NDArray[Any]:
        """Return the (n_out, n_in) operator, real or complex."""


@dataclass(frozen=True)
class Reduction:
    """How an axis is reduced.

    Attributes
    ----------
    method
        ``bicubic``, ``bilinear``, ``box`` (antialiased interpolation), ``k-space`` (truncation),
        ``gaussian`` (the mean over the wider pixel, blurred besides) or ``slice-profile``.
    apodisation
        Of ``k-space`` alone.
    fwhm
        Of ``gaussian``: full width at half maximum beyond the pixel's own box, in low-resolution
        pixels. Of ``k-space``: that of a Gaussian besides, in acquired pixels.
    thickness
        Of ``slice-profile`` alone: the slices' thickness as a share of their spacing.
    share
        Of ``k-space`` alone: acquired pixels as a share of the low-resolution ones, between which
        the scanner interpolates (zero-filling).
    """

    method: Method
    apodisation: Apodisation | None = None
    fwhm: float = 0.0
    thickness: float = 1.0
    share: float = 1.0

    def matrix(self, n_in: int, n_out: int) -> NDArray[Any]:
        """Return the (n_out, n_in) operator: real, or complex for ``k-space``.

        An axis that keeps its size stays as it is, whatever the method.

        Raises
        ------
        ValueError
            If the axis would grow, or a blur, a thickness or a share is out of range.
        """
        if not 1 <= n_out <= n_in:
            raise ValueError(f"a degradation reduces {n_in} pixels to 1..{n_in}, found {n_out}")
        if n_out == n_in:
            return np.eye(n_in)
        if self.method == "k-space":
            return truncation_matrix(
                n_in, n_out, self.apodisation, share=self.share, fwhm=self.fwhm
            )
        if self.method == "gaussian":
            return blurred_box_matrix(n_in, n_out, self.fwhm)
        if self.method == "slice-profile":
            return slice_profile_matrix(n_in, n_out, self.thickness)
        return resampling_matrix(n_in, n_out, self.method)


NAMED: dict[str, Reduction] = {
    "bicubic": Reduction("bicubic"),
    "bilinear": Reduction("bilinear"),
    "box": Reduction("box"),
    "k-space": Reduction("k-space"),
    "k-space-hamming": Reduction("k-space", apodisation=Apodisation("hamming")),
    "gaussian": Reduction("gaussian", fwhm=0.8),
    "slice-profile": Reduction("slice-profile"),
}
"""The reductions that have a name of their own."""
