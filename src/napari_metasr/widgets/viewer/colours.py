"""Numbers of a layer in the colours that napari shows them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.normalisation import cast_to_dtype, unit_range

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

SHADES = 256
APPEARANCE_EVENTS = ("contrast_limits", "colormap", "gamma", "visible")


def coloured(layer: Image, image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image in a layer's contrast limits, gamma and colormap.

    Parameters
    ----------
    layer
        Whose appearance it gets; opacity and blending are left out.
    image
        (rows, columns), in the layer's intensity units; NaN gets the darkest colour.

    Returns
    -------
    ndarray
        (rows, columns, 4): red, green, blue, and full opacity.
    """
    low, high = layer.contrast_limits
    shade = unit_range(np.nan_to_num(image, nan=low), (low, high)) ** layer.gamma
    table = cast_to_dtype(255 * layer.colormap.map(np.linspace(0, 1, SHADES)), np.uint8)
    table[:, 3] = SHADES - 1
    found: NDArray[np.uint8] = table[cast_to_dtype((SHADES - 1) * shade, np.uint8)]
    return found
