"""What a network that can be told how a scan was acquired is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.acquisition import acquisition_code, estimate
from napari_metasr.acquisition.code import LARGEST_NOISE
from napari_metasr.degradations import Reduction
from napari_metasr.trust.assumption import (
    AUTO,
    NOTHING,
    SHARPEST_FIRST,
    Assumption,
    UnknownAcquisitionError,
    assumption_from,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.acquisition import Acquisition
    from napari_metasr.io.protocols import ScannedVolume
    from napari_metasr.volume import Plane

CHOICES = (AUTO, NOTHING, *SHARPEST_FIRST)
"""What can be told of sharpness: the scan's own estimate, nothing, or a degradation in the plane.
"""


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
        """All of it in words: ``k-space, estimated; noise 1.2 %, estimated``."""
        if not self.code.any():
            return self.acquisition
        if self.noise is None:
            return f"{self.acquisition}; noise unknown"
        how = "" if self.noise_is_stated else ", estimated"
        return f"{self.acquisition}; noise {100 * self.noise:.2g} %{how}"


def tell(words: Words, volume: ScannedVolume, plane: Plane | None = None) -> Told:
    """Return what a network is told of a volume's slices: nothing where the sharpness is unknown.

    Parameters
    ----------
    words
        What is chosen; what is not is estimated.
    volume, plane
        The scan and the plane of its slices; see ``napari_metasr.acquisition.estimate``.
    """
    return tell_of(words, None if words.acquisition == NOTHING else estimate(volume, plane))


def tell_of(words: Words, found: Acquisition | None) -> Told:
    """Return what a network is told of slices of which some things are known; see `tell`.

    Parameters
    ----------
    found
        What the scan shows of itself; None where it is not searched for that.
    """
    try:
        assumption = assumption_from(words.acquisition, found)
    except UnknownAcquisitionError:
        return told_of(None)
    estimated = None if found is None or found.noise is None else found.noise.share
    share = estimated if words.noise is None else words.noise
    return told_of(assumption, share, noise_is_stated=words.noise is not None)


def told_of(
    assumption: Assumption | None, noise: float | None = None, *, noise_is_stated: bool = False
) -> Told:
    """Return what a network is told of an assumption.

    An axis that the scanner interpolated is like nothing that networks have learned: nothing is
    told of it.

    Parameters
    ----------
    assumption
        None where nothing is known of the sharpness.
    noise, noise_is_stated
        See `Told`.
    """
    if assumption is None:
        return Told(acquisition_code(), NOTHING)
    rows, columns = assumption.reductions
    if any(isinstance(one, Reduction) and one.share < 1 for one in (rows, columns)):
        return Told(acquisition_code(), f"{NOTHING} (interpolated by the scanner)")
    code = acquisition_code((rows, columns), noise)
    return Told(code, assumption.title, noise, noise_is_stated)
