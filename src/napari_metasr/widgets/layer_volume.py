"""A napari layer as a volume: the one it carries, or one made of its numbers and its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.io.images import is_picture
from napari_metasr.io.layers import affine_of_layer
from napari_metasr.volume import Source, Volume
from napari_metasr.widgets.layer_source import SHORT_UNITS

if TYPE_CHECKING:
    from napari_metasr.widgets.layer_source import LayerSource

PIXELS = SHORT_UNITS["pixel"]
MILLIMETRES = SHORT_UNITS["millimeter"]


def layer_volume(source: LayerSource) -> Volume:
    """The volume of a layer as it is now; its last axes are taken for (z, y, x), or (y, x).

    It is the same one, with what has been measured of it, until the layer's numbers or place
    change.

    Raises
    ------
    ValueError
        If the layer's world is no space measured in a unit of length.
    """
    volume, known = _volume(source), source.measured.get(Volume)
    if known is not None and _is_same(known, volume):
        return known
    source.measured[Volume] = volume
    return volume


def size_unit(source: LayerSource) -> str:
    """What a layer's volume is measured in: ``px`` where nothing tells how large a pixel is."""
    volume = source.volume
    path = volume.source.path if volume is not None else None
    in_pixels = str(source.layer.units[-1]) == "pixel" or (path is not None and is_picture(path))
    return PIXELS if in_pixels else MILLIMETRES


def _volume(source: LayerSource) -> Volume:
    volume, layer = source.volume, source.layer
    if volume is not None:
        return volume if volume.data is layer.data else replace(volume, data=layer.data)
    place = {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine.affine_matrix,
        "units": [str(unit) for unit in layer.units],
    }
    affine = affine_of_layer(place, layer.ndim)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1][-min(layer.ndim, 3) :]
    return Volume(
        data=layer.data,
        affine=affine,
        spacing=tuple(float(step) for step in spacing),
        source=Source(source.name, affine=affine, dtype=layer.dtype),
    )


def _is_same(known: Volume, now: Volume) -> bool:
    """Whether two volumes of a layer have the same array, place and origin."""
    return (
        known.data is now.data
        and np.array_equal(known.affine, now.affine)
        and (known.source.name, known.source.path) == (now.source.name, now.source.path)
    )
