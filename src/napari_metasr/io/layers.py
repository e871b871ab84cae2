"""Volumes as napari layers: where the voxels lie in the window's world, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.normalisation import contrast_limits
from napari_metasr.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    LayerData = tuple[Any, dict[str, Any], str]

__all__ = ["METADATA_KEY", "affine_of_layer", "layer_data", "placed_anew", "volume_of"]

METADATA_KEY = "volume"
"""Under which key our layers' metadata carry their `Volume`."""

_SHOWN_KEY = "shown"
"""Under which key they carry where it is shown, if that is not where `layer_data` puts it."""

_AXES = ("t", "z", "y", "x")
_MILLIMETRES = {
    "meter": 1e3,
    "centimeter": 10.0,
    "millimeter": 1.0,
    "mm": 1.0,
    "micrometer": 1e-3,
    "micron": 1e-3,
    "um": 1e-3,
    "µm": 1e-3,
    "nanometer": 1e-6,
    "nm": 1e-6,
    "pixel": 1.0,
}


def layer_data(volume: Volume, *, name: str | None = None, labels: bool = False) -> LayerData:
    """Return a volume as a napari layer tuple.

    The layer's world is mm in the canonical axes (z, y, x): voxel (0, 0, 0) is centred on the
    affine's origin and the axes run along the closest anatomical directions. The rotation of an
    oblique volume is not shown; it stays in the volume, which the layer's metadata carries.

    Parameters
    ----------
    volume : Volume
        Shape (y, x), (z, y, x) or (t, z, y, x); time is counted in volumes.
    name : str, optional
        Name of the layer, by default the source's.
    labels : bool
        Make a labels layer, of whole numbers, in place of an image.

    Returns
    -------
    (data, keyword arguments, ``"image"`` or ``"labels"``)
    """
    spatial = len(volume.spacing)
    timed = volume.data.ndim - spatial
    keywords: dict[str, Any] = {
        "name": name or volume.source.name,
        "scale": (1.0,) * timed + volume.spacing,
        "translate": (0.0,) * timed + _origin(volume),
        "units": ("pixel",) * timed + ("mm",) * spatial,
        "axis_labels": _AXES[-volume.data.ndim :],
        "metadata": {METADATA_KEY: volume},
    }
    if labels:
        data = volume.data.astype(np.int32) if volume.data.dtype.kind == "f" else volume.data
        return data, keywords, "labels"
    keywords |= {"contrast_limits": contrast_limits(volume.data), "colormap": "gray"}
    return volume.data, keywords, "image"


def volume_of(metadata: Mapping[str, Any]) -> Volume | None:
    """Return the volume that a layer's metadata carries, if there is one."""
    volume = metadata.get(METADATA_KEY)
    return volume if isinstance(volume, Volume) else None


def affine_of_layer(keywords: Mapping[str, Any], ndim: int) -> NDArray[np.float64]:
    """Return the affine of a layer's voxels, canonical (x, y, z) to world mm.

    A layer that carries its volume lies in that volume's frame, oblique or not. The world of any
    other layer is taken for canonical axes, its pixel units for mm.

    Parameters
    ----------
    keywords : mapping
        What napari says of a layer: ``scale``, ``translate``, ``rotate`` and ``affine`` (matrices),
        ``shear``, ``units``, ``metadata``; each may be missing.
    ndim : int
        Dimensions of the layer, 2 to 4; the last ones are (z, y, x) or (y, x).

    Raises
    ------
    ValueError
        If a unit is no length, or the time axis is rotated or sheared into space.
    """
    in_window = _in_window(keywords, ndim)
    metadata = keywords.get("metadata") or {}
    volume = volume_of(metadata)
    if volume is None or len(volume.spacing) > min(ndim, 3):
        return in_window
    missing = 3 - len(volume.spacing)
    shown = metadata.get(_SHOWN_KEY)
    if shown is None:
        shown = _homogeneous(
            np.diag((1.0,) * missing + volume.spacing), (0.0,) * missing + _origin(volume)
        )
    return volume.affine @ np.linalg.inv(shown) @ in_window


def placed_anew(keywords: Mapping[str, Any], ndim: int, **place: Any) -> dict[str, Any]:
    """Return keywords of a layer that is shown elsewhere, its volume staying where it lies.

    Parameters
    ----------
    keywords, ndim
        As `affine_of_layer`.
    **place
        New ``scale``, ``translate``, ``units``.

    Raises
    ------
    ValueError
        As `affine_of_layer`.
    """
    moved = {**keywords, **place}
    metadata = {**(moved.get("metadata") or {}), _SHOWN_KEY: _in_window(moved, ndim)}
    return {**moved, "metadata": metadata}


def _in_window(keywords: Mapping[str, Any], ndim: int) -> NDArray[np.float64]:
    """Return a layer's spatial transform, from (x, y, z) to the window's world in mm."""
    matrix = _layer_matrix(keywords, ndim)
    space = np.arange(max(ndim - 3, 0), ndim)
    if any(matrix[0, axis] or matrix[axis, 0] for axis in space if ndim == 4):
        raise ValueError("expected a layer whose time axis is not rotated or sheared into space")
    linear = np.eye(3)
    origin = np.zeros(3)
    linear[-len(space) :, -len(space) :] = matrix[np.ix_(space, space)]
    origin[-len(space) :] = matrix[space, -1]
    return _homogeneous(linear, origin)


def _origin(volume: Volume) -> tuple[float, ...]:
    """Return the world position of the first voxel's centre, in the order of ``spacing``."""
    zyx = volume.affine[2::-1, 3]
    return tuple(float(position) for position in zyx[-len(volume.spacing) :])


def _homogeneous(linear: NDArray[Any], origin: Iterable[float]) -> NDArray[np.float64]:
    """Convert a transform given in (z, y, x) to a 4 x 4 matrix in (x, y, z)."""
    matrix = np.eye(4)
    matrix[:3, :3] = linear[::-1, ::-1]
    matrix[2::-1, 3] = list(origin)
    return matrix


def _layer_matrix(keywords: Mapping[str, Any], ndim: int) -> NDArray[np.float64]:
    """Compose the whole transform of a layer, data to world with lengths in mm, homogeneous."""
    shear = np.asarray(keywords.get("shear", np.eye(ndim)), dtype=np.float64)
    if shear.ndim == 1:
        above_diagonal, shear = shear, np.eye(ndim)
        shear[np.triu_indices(ndim, 1)] = above_diagonal
    rotate = np.asarray(keywords.get("rotate", np.eye(ndim)), dtype=np.float64)
    own = np.eye(ndim + 1)
    own[:-1, :-1] = rotate @ shear @ np.diag(keywords.get("scale", np.ones(ndim)))
    own[:-1, -1] = keywords.get("translate", np.zeros(ndim))
    affine = np.asarray(keywords.get("affine", np.eye(ndim + 1)), dtype=np.float64)
    units = [str(unit) for unit in keywords.get("units") or ["mm"] * ndim]
    unknown = [unit for unit in units[-3:] if unit not in _MILLIMETRES]
    if unknown:
        raise ValueError(f"expected spatial axes in a unit of length, found {unknown[0]}")
    factors = [_MILLIMETRES.get(unit, 1.0) for unit in units]
    return np.diag([*factors, 1.0]) @ affine @ own
