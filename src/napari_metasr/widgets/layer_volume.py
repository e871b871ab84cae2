"""A napari layer as a volume: the one it carries, or one made of its numbers and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.io.layers import affine_of_layer
from napari_metasr.volume import Source, Volume

if TYPE_CHECKING:
    from napari_metasr.widgets.layer_source import LayerSource


def layer_volume(source: LayerSource) -> Volume:
    """The volume of a layer; its last axes are taken for (z, y, x), or (y, x).

    Raises
    ------
    ValueError
        If the layer's world is no space measured in a unit of length.
    """
    volume, layer = source.volume, source.layer
    if volume is not None:
        return volume
    place = {
        "scale": layer.scale,
        "translate": layer.translate,
        "affine": layer.affine.affine_matrix,
        "units": [str(unit) for unit in layer.units],
    }
    affine = affine_of_layer(place, layer.ndim)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1][-min(layer.ndim, 3) :]
    return Volume(
        data=layer.data,
        affine=affine,
        spacing=tuple(float(step) for step in spacing),
        source=Source(source.name, dtype=layer.dtype),
    )
