"""The upscaler's hidden units without those that need no rectifier: fewer codes, the same result.

Offsets and scales are bounded. Within their bounds some hidden units are never positive and give
nothing; others are always positive, so that their sum is linear in the offset and the inverse
scale and takes three units and a constant in place of many. See ``networks.meta_upscale`` for the
equation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import Convention

SAMPLES = 9
"""Places along each axis of offsets, and inverse scales, at which units are measured."""


@dataclass(frozen=True)
class HiddenUnits:
    """``y = sum_m relu(weight_m . (dy, dx, s) + bias_m) codes_m``: codes of cells, no constant.

    Attributes
    ----------
    weight, bias
        (units, 3) and (units,), float64.
    codes
        (rows, columns, units) of low-resolution pixels, float64.
    first_offset
        The least dy and dx.
    inverse_scales
        The smallest and the largest s for which this holds.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    codes: NDArray[np.float64]
    first_offset: float
    inverse_scales: tuple[float, float]

    @classmethod
    def reduced(
        cls,
        weight: NDArray[Any],
        bias: NDArray[Any],
        g: NDArray[Any],
        convention: Convention,
        inverse_scales: tuple[float, float],
    ) -> HiddenUnits:
        """Reduce the units of a weight prediction network.

        Parameters
        ----------
        weight, bias
            Its first layer, (hidden, 3) and (hidden,).
        g
            G, (rows, columns, hidden + 1).
        convention
            Where offsets are measured from.
        inverse_scales
            The smallest and the largest s that will be asked for.
        """
        weight, bias = np.asarray(weight, np.float64), np.asarray(bias, np.float64)
        first, (least, most) = convention.first_offset, inverse_scales
        low, high = np.array([first, first, least]), np.array([first + 1, first + 1, most])
        middle = weight @ ((low + high) / 2) + bias
        reach = np.abs(weight) @ ((high - low) / 2)
        linear, bent = middle >= reach, np.abs(middle) < reach
        own = np.asarray(g[..., :-1][..., bent], np.float64)
        slopes = np.asarray(g[..., :-1][..., linear], np.float64) @ np.column_stack(
            [weight[linear], bias[linear]]
        )
        slopes[..., 3] += g[..., -1] + first * (slopes[..., 0] + slopes[..., 1])
        return cls(
            np.concatenate([weight[bent], np.eye(4, 3)]),
            np.concatenate([bias[bent], [-first, -first, 0.0, 1.0]]),
            np.concatenate([own, slopes], axis=-1),
            first,
            inverse_scales,
        )

    def activations(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the units' values at places (count, 3) of (dy, dx, s): (count, units)."""
        return np.maximum(places @ self.weight.T + self.bias, 0)

    def places(self) -> NDArray[np.float64]:
        """Spread places evenly over all offsets and scales: (count, 3) of (dy, dx, s)."""
        offsets = self.first_offset + (np.arange(SAMPLES) + 1 / 2) / SAMPLES
        scales = np.linspace(*self.inverse_scales, SAMPLES)
        return np.stack(np.meshgrid(offsets, offsets, scales), axis=-1).reshape(-1, 3)
