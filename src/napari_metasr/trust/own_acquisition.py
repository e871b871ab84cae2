"""Reduce a slice as its own scanner would have acquired it with larger pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.background import constant_background
from napari_metasr.degradations import (
    Reduction,
    add_k_space_noise,
    named_reduction,
    reduce_image,
)
from napari_metasr.zoom.continuation import continued, is_cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.acquisition import Acquisition, AxisAcquisition

TISSUE = 0.5
"""Share of tissue from which a pixel of the reduced slice is not cut away with the background."""


@dataclass(frozen=True)
class OwnAcquisition:
    """How a scan was acquired, as far as it can be told, or as a person states it.

    A slice with pixels that are r times as large, acquired in the same way, has the same share of
    its band acquired, the same roll-off within that band and the same noise in each pixel.

    Attributes
    ----------
    rows, columns
        Share of the band (0..1] that was acquired, and the blur in acquired pixels (FWHM).
    noise
        Standard deviation in the scan's units; 0 where it is not known well enough to be added.
    stated
        The reduction of both axes, in place of the above, if a person states one.
    lines
        The same in sentences, with what was assumed.
    """

    rows: tuple[float, float] = (1.0, 0.0)
    columns: tuple[float, float] = (1.0, 0.0)
    noise: float = 0.0
    stated: Reduction | None = None
    lines: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Acquisition) -> OwnAcquisition:
        """Take what was estimated; what could not be told is assumed, and said."""
        lines = [line for axis in (found.rows, found.columns) for line in _lines(axis)]
        noise = 0.0
        if found.noise is None:
            lines.append("The noise could not be told: none was added.")
        elif found.noise.told_by == "air":
            noise = found.noise.sigma
            lines.append(
                f"Noise of the scan's own strength was added (standard deviation {noise:.3g}, "
                f"{found.noise.share:.1%} of the intensity range, measured in the air)."
            )
        else:
            lines.append(
                "The noise could not be told from fine texture (there is no air around the "
                "head): none was added."
            )
        return cls(_axis(found.rows), _axis(found.columns), noise, None, tuple(lines))

    @classmethod
    def named(cls, name: str) -> OwnAcquisition:
        """Take a reduction that a person states.

        Raises
        ------
        ValueError
            If there is none of this name.
        """
        line = f"Stated by the user: slices were reduced by “{name}”, without noise."
        return cls(stated=named_reduction(name), lines=(line,))

    @property
    def share(self) -> float:
        """The larger share of the band that an axis has acquired."""
        return max(self.rows[0], self.columns[0])

    def reductions(self, scale: tuple[float, float]) -> tuple[Reduction, Reduction]:
        """Return the reductions of rows and columns by a scale.

        A scan that is blurred by b of its pixels is blurred by b of the larger ones after a further
        blur of ``b sqrt(1 - 1 / r^2)`` of those: squares of Gaussian widths add up.
        """
        if self.stated is not None:
            return self.stated, self.stated
        rows, columns = (
            Reduction("k-space", share=share, fwhm=blur * math.sqrt(1 - 1 / max(factor, 1.0) ** 2))
            for (share, blur), factor in zip((self.rows, self.columns), scale, strict=True)
        )
        return rows, columns

    def reduce(
        self, image: NDArray[Any], shape: tuple[int, int], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Reduce a slice to fewer pixels.

        A slice that was masked on its own grid is reduced first and masked then, as scans are: the
        tissue is continued beyond the mask's edge meanwhile. Noise is that of magnitudes, and none
        is added to slices with negative intensities.

        Parameters
        ----------
        image
            (rows, columns), finite.
        shape
            Rows and columns of the result.
        rng
            Decides the noise.
        """
        image = np.asarray(image, np.float32)
        scale = (image.shape[0] / shape[0], image.shape[1] / shape[1])
        background = cut_background(image)
        whole = image
        if background is not None:
            whole = continued(image, background, sum(image.shape))
        reductions = self.reductions(scale)
        reduced = reduce_image(whole, shape, reductions)
        if self.noise and image.min() >= 0:
            missing = self.noise * math.sqrt(max(1 - self._noise_kept(image.shape, shape), 0.0))
            shares = (self.rows[0], self.columns[0])
            reduced = add_k_space_noise(reduced.clip(0), missing, rng, shares)
        if background is not None:
            box = Reduction("box")
            tissue = reduce_image((~background).astype(np.float32), shape, (box, box))
            reduced[tissue < TISSUE] = image[background][0]
        return reduced

    def _noise_kept(self, fine: tuple[int, ...], coarse: tuple[int, int]) -> float:
        """Return the share of the noise's variance that a reduction leaves.

        The noise of a scan lies within its acquired band, which no reduction leaves more of.
        """
        scale = (fine[0] / coarse[0], fine[1] / coarse[1])
        axes = zip(self.reductions(scale), fine, coarse, (self.rows, self.columns), strict=True)
        kept = 1.0
        for one, n_in, n_out, (share, _) in axes:
            white = float((np.abs(one.matrix(n_in, n_out)) ** 2).sum(axis=1).mean())
            kept *= min(white / share, 1.0)
        return kept


def cut_background(image: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Find the background of a slice that was masked on its own grid; None of any other slice."""
    background = constant_background(image)
    if background is None or background.all() or not is_cut(image, background):
        return None
    return background


def _axis(axis: AxisAcquisition) -> tuple[float, float]:
    return (axis.acquired or axis.stored) / axis.stored, axis.blur or 0.0


def _lines(axis: AxisAcquisition) -> list[str]:
    lines = []
    stored = f"Along {axis.direction}: {axis.stored} pixels stored"
    if axis.acquired is None:
        lines.append(
            f"{stored}; how many were acquired could not be told: assumed that all of them were."
        )
    elif axis.interpolated:
        lines.append(f"{stored}, about {axis.acquired} acquired; the others were interpolated.")
    else:
        lines.append(f"{stored}, all of them acquired.")
    if axis.blur is None:
        lines.append(f"Along {axis.direction}: the blur could not be told: none was added.")
    else:
        lines.append(f"Along {axis.direction}: blur of roughly {axis.blur:.1f} acquired pixels.")
    return lines
