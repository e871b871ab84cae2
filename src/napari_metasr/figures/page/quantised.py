"""Codes as 16-bit whole numbers, each unit in steps of its own that do the result equal harm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.zoom.hidden_units import HiddenUnits

STEP = 2.0**-14
"""A unit's share of a result for which its code is 1, as a root mean square over all places."""

LARGEST = np.iinfo(np.int16).max


@dataclass(frozen=True)
class Quantised:
    """Hidden units whose codes are whole numbers; the steps are taken into the weights.

    Attributes
    ----------
    weight, bias
        (units, 3) and (units,), float32.
    codes
        (rows, columns, units), int16.
    units
        What was quantised.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    codes: NDArray[np.int16]
    units: HiddenUnits

    @classmethod
    def of(cls, units: HiddenUnits) -> Quantised:
        """Round the codes; the steps grow where one would not fit."""
        strength = np.sqrt((units.activations(units.places()) ** 2).mean(axis=0))
        strength = np.maximum(strength, STEP * strength.max())
        shares = units.codes * strength
        step = max(STEP, float(np.abs(shares).max()) / LARGEST)
        steps = step / strength
        return cls(
            (units.weight * steps[:, None]).astype(np.float32),
            (units.bias * steps).astype(np.float32),
            np.rint(units.codes / steps).astype(np.int16),
            units,
        )

    def error(self) -> tuple[float, float]:
        """Measure how far results are off, in the network's units: root mean square, largest.

        Every cell is evaluated at a third of the places along each axis of offsets and scales.
        """
        places = self.units.places()[1::3]
        exact, rounded = self.units.activations(places), self._activations(places)
        squares, largest, count = 0.0, 0.0, 0
        for codes, own in zip(self.units.codes, self.codes, strict=True):
            wrong = own @ rounded.T - codes @ exact.T
            squares += float((wrong**2).sum())
            largest = max(largest, float(np.abs(wrong).max()))
            count += wrong.size
        return math.sqrt(squares / count), largest

    def _activations(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(places @ self.weight.T.astype(np.float64) + self.bias, 0)
