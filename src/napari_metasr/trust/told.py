"""What a network that can be told how a scan was acquired is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.acquisition import acquisition_code, estimate
from napari_metasr.acquisition.code import LARGEST_NOISE
from napari_metasr.degradations import named_reduction
from napari_metasr.trust.assumption import AUTO, NOTHING, SHARPEST_FIRST

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.acquisition import Acquisition
    from napari_metasr.degradations.reduction import AxisReduction
    from napari_metasr.io.protocols import ScannedVolume
    from napari_metasr.volume import Plane

CHOICES = (AUTO, NOTHING, *SHARPEST_FIRST)
"""What can be told of sharpness: the scan's own estimate, nothing, or a degradation in the plane.
"""

CLEAR_BLURS = {"k-space-hamming": 1.65, "gaussian": 1.4}
"""Blur (FWHM, in acquired pixels, the mean of both axes) from which a scan is told to be as sharp
as slices that were reduced by each: at less it may as well be sharp, and a network loses that is
told otherwise. Set on scans of training patients.
"""

NOT_CLEAR = f"{NOTHING} (not clearly blurred)"
INTERPOLATED = f"{NOTHING} (interpolated by the scanner)"
"""Of an axis that was interpolated, which is like nothing that networks have learned."""


@dataclass(frozen=True)
class Words:
    """What is to be told, as it is typed: ``auto``, ``k-space`` or ``k-space,2%``.

    Attributes
    ----------
    acquisition
        One of `CHOICES`.
    noise
        Standard deviation as a share of the intensity range; None to estimate it from the scan.
    """

    acquisition: str = AUTO
    noise: float | None = None

    @classmethod
    def parse(cls, text: str) -> Words:
        """Read what is to be told.

        Raises
        ------
        ValueError
            If the acquisition is none of `CHOICES`, or the noise is out of range.
        """
        name, _, rest = text.partition(",")
        if name not in CHOICES:
            raise ValueError(f"expected an acquisition among {', '.join(CHOICES)}, found {name!r}")
        if not rest:
            return cls(name)
        try:
            noise = float(rest.removesuffix("%")) / 100
        except ValueError:
            noise = -1.0
        if not 0 <= noise <= LARGEST_NOISE:
            raise ValueError(
                f"expected noise of 0% to {LARGEST_NOISE:.0%} of the intensity range, found "
                f"{rest!r}"
            )
        return cls(name, noise)

    def __str__(self) -> str:
        return (
            self.acquisition
            if self.noise is None
            else f"{self.acquisition},{100 * self.noise:.3g}%"
        )


@dataclass(frozen=True)
class Told:
    """What a network is told.

    Attributes
    ----------
    code
        See `napari_metasr.acquisition.acquisition_code`.
    acquisition
        In words: ``k-space, estimated``, or ``nothing``.
    noise
        Standard deviation as a share of the intensity range; None where it is not told.
    noise_is_stated
        Whether a person said so.
    """

    code: NDArray[np.float32]
    acquisition: str
    noise: float | None = None
    noise_is_stated: bool = False

    @property
    def title(self) -> str:
        """All of it in words: ``k-space, estimated; noise 1.2%, estimated``."""
        if not self.code.any():
            return self.acquisition
        if self.noise is None:
            return f"{self.acquisition}; noise unknown"
        how = "" if self.noise_is_stated else ", estimated"
        return f"{self.acquisition}; noise {100 * self.noise:.2g}%{how}"


def tell(words: Words, volume: ScannedVolume, plane: Plane | None = None) -> Told:
    """Return what a network is told of a volume's slices: nothing where the sharpness is unknown.

    Parameters
    ----------
    words
        What is chosen; what is not is estimated.
    volume, plane
        The scan, one volume of a series if that is meant, and the plane of its slices; see
        ``napari_metasr.acquisition.estimate``.
    """
    return tell_of(words, None if words.acquisition == NOTHING else estimate(volume, plane))


def tell_of(words: Words, found: Acquisition | None) -> Told:
    """Return what a network is told of slices of which some things are known; see `tell`.

    What a person states is told. An estimate is told where it is clear, since a wrong one costs
    more than a right one gains: a blur, and noise that is measured in the air
    or of a scan whose sharpness is told. Elsewhere the texture of tissue may be taken for it.

    Parameters
    ----------
    found
        What the scan shows of itself; None where it is not searched for that.
    """
    reductions, title = _sharpness(words.acquisition, found)
    noise = words.noise
    if noise is None and title not in (NOTHING, INTERPOLATED) and found and found.noise:
        is_clear = reductions is not None or found.noise.told_by == "air"
        noise = found.noise.share if is_clear else None
    code = acquisition_code(reductions, noise)
    return Told(code, title, noise, noise_is_stated=words.noise is not None)


def _sharpness(
    name: str, found: Acquisition | None
) -> tuple[tuple[AxisReduction, AxisReduction] | None, str]:
    """Return what is told of the sharpness, and its title; None where nothing is."""
    if name == NOTHING or (name == AUTO and found is None):
        return None, NOTHING
    if name != AUTO:
        reduction = named_reduction(name)
        return (reduction, reduction), name
    assert found is not None
    axes = found.rows, found.columns
    if any(axis.interpolated for axis in axes):
        return None, INTERPOLATED
    if any(axis.acquired is None or axis.blur is None for axis in axes):
        return None, NOTHING
    blur = sum(axis.blur or 0.0 for axis in axes) / 2
    for blurred, least in CLEAR_BLURS.items():
        if blur >= least:
            reduction = named_reduction(blurred)
            return (reduction, reduction), f"{blurred}, estimated"
    return None, NOT_CLEAR
