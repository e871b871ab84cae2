"""A napari layer as a volume: the one it carries, or one made of its numbers and its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.layers import affine_of_layer
from napari_metasr.volume import Source, Volume
from napari_metasr.widgets.viewer.layer_source import plane_and_index

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_metasr.volume import Plane
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView


def layer_volume(source: LayerSource) -> Volume:
    """Return the volume of a layer as it is now; its last axes are taken for (z, y, x), or (y, x).

    It is the same one, with what has been measured of it, until the layer's numbers or place
    change.

    Raises
    ------
    ValueError
        If the layer's world is no space measured in a unit of length.
    """
    volume, known = _volume(source), source.measured.volume
    if known is not None and _is_same(known, volume):
        return known
    source.measured.volume = volume
    return volume


def volume_of_slice(source: LayerSource, view: SliceView) -> tuple[Volume, Plane] | None:
    """Return the volume that a slice of a layer is in, one of a series, and the slice's plane.

    Returns
    -------
    tuple or None
        None for a layer that is slow to read, or has more axes than time and three of space.

    Raises
    ------
    ValueError
        As `layer_volume`.
    """
    if source.is_lazy:
        return None
    ndim = source.layer.ndim
    try:
        plane, _ = plane_and_index(view, ndim)
    except ValueError:
        return None
    return layer_volume(source).at_time(view.index[0] if ndim > 3 else 0), plane


def _volume(source: LayerSource) -> Volume:
    volume, layer = source.volume, source.layer
    if volume is not None:
        if not is_in_place(layer, volume):
            affine = _affine(layer)
            volume = replace(volume, affine=affine, spacing=_spacing(affine, len(volume.spacing)))
        return volume if volume.data is layer.data else replace(volume, data=layer.data)
    affine = _affine(layer)
    return Volume(
        data=layer.data,
        affine=affine,
        spacing=_spacing(affine, min(layer.ndim, 3)),
        source=Source(
            source.name,
            affine=affine,
            dtype=layer.dtype,
            unit="pixels" if str(layer.units[-1]) == "pixel" else "mm",
            is_oriented=False,
        ),
    )


def is_in_place(layer: Image, volume: Volume) -> bool:
    """Return whether a layer lies where its volume does, as large as that is."""
    return bool(np.allclose(_affine(layer), volume.affine, atol=1e-6))


def _affine(layer: Image) -> NDArray[np.float64]:
    place = {**place_of(layer), "metadata": layer.metadata}
    return affine_of_layer(place, layer.ndim)


def place_of(layer: Layer) -> dict[str, Any]:
    """Return what places a layer's voxels in the window, by the names of its arguments."""
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine.affine_matrix,
        "units": [str(unit) for unit in layer.units],
    }


def _spacing(affine: NDArray[np.float64], count: int) -> tuple[float, ...]:
    """Return the spacing along the last axes."""
    steps = np.linalg.norm(affine[:3, :3], axis=0)[::-1][-count:]
    return tuple(float(step) for step in steps)


def _is_same(known: Volume, now: Volume) -> bool:
    """Return whether two volumes of a layer have the same array, place, unit and name."""
    return (
        known.data is now.data
        and np.array_equal(known.affine, now.affine)
        and (known.source.name, known.source.unit) == (now.source.name, now.source.unit)
    )
