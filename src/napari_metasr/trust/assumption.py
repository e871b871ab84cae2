"""What acquisition is assumed of a scan: estimated from it, or chosen by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.acquisition import estimate
from napari_metasr.degradations import DEGRADATIONS, Reduction, named_reduction

if TYPE_CHECKING:
    from napari_metasr.acquisition import Acquisition, AxisAcquisition
    from napari_metasr.degradations.reduction import AxisReduction
    from napari_metasr.io.protocols import ScannedVolume
    from napari_metasr.volume import Plane

AUTO, NOTHING = "auto", "nothing"
IN_PLANE = tuple(name for name in DEGRADATIONS if name != "slice-profile")
ACQUISITIONS = (AUTO, *IN_PLANE)
"""What can be assumed: the scan's own estimate, or a degradation that acts in the plane."""

SHARPEST_FIRST = ("k-space", "box", "bicubic", "bilinear", "gaussian", "k-space-hamming")
"""The degradations in the plane, by how much of a wave near the Nyquist frequency is left."""

BLURS = {"k-space": 0.7, "box": 0.85, "bicubic": 1.1, "gaussian": 1.4}
"""Blur (FWHM, in acquired pixels) that is estimated of slices reduced by each, at x2.

The estimate is rough, and to assume more blur than there was sharpens noise: what looks blurrier
still, such as apodised k-space, is assumed only by name.
"""


NOT_SEARCHED = "a scan that is slow to read is not searched for its acquisition: choose one by name"


class UnknownAcquisitionError(ValueError):
    """A scan does not show how it was acquired."""


@dataclass(frozen=True)
class Assumption:
    """An acquisition as it is assumed, and the noise of the scan.

    Attributes
    ----------
    reductions
        Of rows and of columns.
    title
        In words, such as ``k-space (rows), box (columns), estimated``.
    noise
        Standard deviation in the scan's units; None where it cannot be told.
    """

    reductions: tuple[AxisReduction, AxisReduction]
    title: str
    noise: float | None = None


def assume(name: str, volume: ScannedVolume, plane: Plane | None = None) -> Assumption:
    """Assume an acquisition of the slices of a volume.

    Parameters
    ----------
    name
        One of ``ACQUISITIONS``.
    volume, plane
        The scan, one volume of a series if that is meant, and the plane of its slices; see
        ``napari_metasr.acquisition.estimate``.

    Raises
    ------
    UnknownAcquisitionError
        If it is to be estimated and the scan does not show it.
    ValueError
        If there is no such acquisition.
    """
    if name not in ACQUISITIONS:
        raise ValueError(f"expected an acquisition among {', '.join(ACQUISITIONS)}, found {name!r}")
    return assumption_from(name, estimate(volume, plane))


def assumption_from(name: str, found: Acquisition | None) -> Assumption:
    """Assume an acquisition of slices of which some things are known.

    Parameters
    ----------
    name
        One of ``ACQUISITIONS``, or ``NOTHING``.
    found
        What the scan shows of itself; None where it is not searched for that.

    Raises
    ------
    UnknownAcquisitionError
        If it is to be estimated and the scan does not show it, or nothing is to be assumed.
    """
    if name == NOTHING:
        raise UnknownAcquisitionError("nothing is assumed of how the scan was acquired: choose it")
    if found is None and name == AUTO:
        raise UnknownAcquisitionError(NOT_SEARCHED)
    noise = None if found is None or found.noise is None else found.noise.sigma
    if found is None or name != AUTO:
        reduction = named_reduction(name)
        return Assumption((reduction, reduction), name, noise)
    (rows, of_rows), (columns, of_columns) = map(_of_axis, (found.rows, found.columns))
    same = of_rows == of_columns
    title = of_rows if same else f"{of_rows} (rows), {of_columns} (columns)"
    return Assumption((rows, columns), f"{title}, estimated", noise)


def _of_axis(axis: AxisAcquisition) -> tuple[Reduction, str]:
    """Return what an axis looks like, and its name."""
    if axis.acquired is None:
        raise UnknownAcquisitionError(
            f"the scan does not show how it was acquired along {axis.direction}: choose one of "
            f"{', '.join(IN_PLANE)}"
        )
    if axis.interpolated:
        share = axis.true_scale(1)
        return Reduction("k-space", share=share), f"k-space of {share:.0%} of the band"
    blur = axis.blur or 0.0
    name = min(BLURS, key=lambda each: abs(BLURS[each] - blur))
    return named_reduction(name), name
