"""From a volume to what is known of its acquisition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.acquisition.band import (
    SEVERAL_SLICES,
    Band,
    band_of_spectrum,
    power_spectra,
)
from napari_metasr.acquisition.blur import blur_of_spectrum
from napari_metasr.acquisition.description import Acquisition, AxisAcquisition
from napari_metasr.acquisition.noise import noise_of
from napari_metasr.acquisition.protocol import Protocol, protocol_of
from napari_metasr.io.contrast import guess_contrast
from napari_metasr.normalisation import fill_missing, value_range
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.acquisition.description import Direction
    from napari_metasr.io.protocols import ScannedVolume

LOOKED_AT = 16
"""Slices, evenly spread over the middle of the volume, that are looked at."""

MOST_PIXELS = 1 << 24
"""Pixels of all slices that are looked at: fewer of larger ones, so that memory is bounded."""

MIDDLE = 0.6

DIRECTIONS: tuple[Direction, ...] = ("inferior-superior", "posterior-anterior", "left-right")
_AXIS_OF = {"I": 0, "S": 0, "P": 1, "A": 1, "L": 2, "R": 2}


def resolution_of(
    volume: ScannedVolume, plane: Plane | None = None, *, looked_at: int = LOOKED_AT
) -> tuple[AxisAcquisition, AxisAcquisition]:
    """Estimate the stored and the acquired resolution along the rows and columns of a plane.

    Parameters
    ----------
    volume, plane
        As in `estimate`, whose answer it is a part of.
    looked_at
        Slices that are looked at; a few tell in milliseconds.
    """
    plane = plane or Plane.acquired(volume.spatial_shape, volume.spacing[-3:])
    stack = _stack(volume, plane, _first_with_values(volume, plane), looked_at)
    return _plane_axes(volume, plane, stack, power_spectra(stack))


def estimate(
    volume: ScannedVolume,
    plane: Plane | None = None,
    *,
    contrast: str | None = None,
) -> Acquisition:
    """Estimate how a volume was acquired, from its pixels, its header and its name.

    Parameters
    ----------
    volume
        Any: what cannot be told of it is None. A series is looked at where it first has values,
        and a remark says where; give one volume of it to learn of that.
    plane
        Whose rows and columns are meant; by default the one that it was acquired in.
    contrast
        Stated by a person; decides.
    """
    plane = plane or Plane.acquired(volume.spatial_shape, volume.spacing[-3:])
    protocol = protocol_of(volume.source.told)
    time = _first_with_values(volume, plane)
    stack = _stack(volume, plane, time, LOOKED_AT)
    spectra = power_spectra(stack)
    rows, columns = _plane_axes(volume, plane, stack, spectra)
    shares = (rows.true_scale(1), columns.true_scale(1))
    noise = noise_of(stack, shares) if stack.size else None
    sigma = math.inf if noise is None else noise.sigma
    rows, columns = (
        axis.model_copy(update={"blur": _blur(power, share, sigma)})
        for axis, power, share in zip((rows, columns), spectra, shares, strict=True)
    )
    stated, told_by = contrast, "you" if contrast else None
    if stated is None and protocol.contrast is not None:
        stated, told_by = protocol.contrast, "header"
    if stated is None:
        stated = guess_contrast(volume.source.name)
        told_by = "name" if stated else None
    return Acquisition.model_validate(
        {
            "rows": rows,
            "columns": columns,
            "slices": None if len(volume.spatial_shape) == 2 else _across(volume, plane, time),
            "noise": noise,
            "intensity_range": _range(volume, time),
            "contrast": stated,
            "contrast_told_by": told_by,
            "remarks": (*_looked_at(volume, time), *_remarks(protocol)),
        }
    )


def _first_with_values(volume: ScannedVolume, plane: Plane) -> int:
    """Return the first time point whose middle slice has more than one value; 0 if none has."""
    middle = volume.slice_count(plane) // 2
    for time in range(volume.time_points):
        image = volume.slice(plane, middle, time)
        values = image[np.isfinite(image)] if image.dtype.kind == "f" else image
        if values.size and values.min() < values.max():
            return time
    return 0


def _stack(volume: ScannedVolume, plane: Plane, time: int, looked_at: int) -> NDArray[Any]:
    """Read slices, evenly spread over the middle of the volume, with missing values filled."""
    count = volume.slice_count(plane)
    pixels = max(math.prod(volume.spatial_shape) // count, 1)
    looked_at = max(min(looked_at, count, MOST_PIXELS // pixels), 1)
    edge = (count - 1) * (1 - MIDDLE) / 2
    places = np.unique(np.linspace(edge, count - 1 - edge, looked_at).round())
    stack = np.stack([volume.slice(plane, int(place), time) for place in places])
    if not np.isfinite(stack).any():
        return np.zeros((0, *stack.shape[1:]))
    return fill_missing(stack, value_range(stack)[0])[0]


def _plane_axes(
    volume: ScannedVolume,
    plane: Plane,
    stack: NDArray[Any],
    spectra: tuple[NDArray[np.float64] | None, ...],
) -> tuple[AxisAcquisition, AxisAcquisition]:
    """Describe the rows and columns of a plane, without their blur."""
    flat = len(volume.spatial_shape) == 2
    axes = (0, 1) if flat else (plane.row_axis, plane.column_axis)
    told = _told_by_header(volume, protocol_of(volume.source.told))
    several = len(stack) >= SEVERAL_SLICES
    rows, columns = (
        _axis(
            volume,
            axis,
            None if power is None else band_of_spectrum(power, several=several),
            told.get(axis),
        )
        for axis, power in zip(axes, spectra, strict=True)
    )
    return rows, columns


def _direction(volume: ScannedVolume, axis: int) -> Direction:
    if len(volume.spatial_shape) == 2:
        return "rows" if axis == 0 else "columns"
    return DIRECTIONS[axis]


def _axis(volume: ScannedVolume, axis: int, band: Band | None, told: int | None) -> AxisAcquisition:
    """Describe one axis by its band and by what the header tells."""
    stored = volume.spatial_shape[axis]
    acquired = None if band is None else band.samples(stored)
    by = None if band is None else "spectrum"
    if told is not None and told < stored and not (band is not None and band.limited):
        acquired, by = told, "header"
    return AxisAcquisition.model_validate(
        {
            "direction": _direction(volume, axis),
            "stored": stored,
            "spacing": volume.spacing[axis - len(volume.spatial_shape)],
            "acquired": acquired,
            "told_by": by,
        }
    )


def _blur(power: NDArray[np.float64] | None, share: float, sigma: float) -> float | None:
    """Estimate the blur that a spectrum shows; None if the spectrum shows only noise."""
    if power is None or band_of_spectrum(power) is None:
        return None
    window = np.hanning(2 * (len(power) - 1))
    return blur_of_spectrum(power, share, sigma**2 * float((window**2).sum()))


def _across(volume: ScannedVolume, plane: Plane, time: int) -> AxisAcquisition:
    """Describe the axis across the slices, examined in another plane."""
    axis = plane.normal_axis
    other = Plane.CORONAL if plane is not Plane.CORONAL else Plane.AXIAL
    stack = _stack(volume, other, time, LOOKED_AT)
    along = 1 + (axis - (axis > other.normal_axis))
    (power,) = power_spectra(stack, (along,)) if stack.size else (None,)
    several = len(stack) >= SEVERAL_SLICES
    band = None if power is None else band_of_spectrum(power, several=several)
    return _axis(volume, axis, band, None)


def _told_by_header(volume: ScannedVolume, protocol: Protocol) -> dict[int, int]:
    """Return samples by the axis, (z, y, x), along which the file's columns and rows lie."""
    codes = volume.source.orientation
    if len(volume.spatial_shape) < 3 or len(codes) < 2:
        return {}
    counts = zip(codes[:2], (protocol.columns, protocol.rows), strict=True)
    return {_AXIS_OF[code]: count for code, count in counts if count and code in _AXIS_OF}


def _looked_at(volume: ScannedVolume, time: int) -> tuple[str, ...]:
    """Say which volume of a series was looked at."""
    return (f"looked at: time point {time}",) if volume.time_points > 1 else ()


def _remarks(protocol: Protocol) -> tuple[str, ...]:
    found = []
    if protocol.interpolated:
        found.append("header: the scanner interpolated")
    if protocol.kernel:
        found.append(f"header: reconstruction kernel {protocol.kernel}")
    if protocol.reconstruction:
        found.append(f"header: {protocol.reconstruction}")
    return tuple(found)


def _range(volume: ScannedVolume, time: int) -> tuple[float, float] | None:
    try:
        low, high = volume.range_at(time)
    except ValueError:
        return None
    return (low, high) if high > low else None
