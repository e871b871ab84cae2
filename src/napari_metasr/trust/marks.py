"""How marks are drawn: hatched inside, with an outline that reads on bright and on dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLEAR, STRIPE, OUTLINE, SHADOW = range(4)
"""Kinds of pixels of drawn marks."""

COLOURS = (
    (0.0, 0.0, 0.0, 0.0),
    (1.0, 0.6, 0.0, 0.45),
    (1.0, 0.75, 0.1, 1.0),
    (0.0, 0.0, 0.0, 0.75),
)
"""Red, green, blue and opacity of each kind, 0..1."""

PERIOD, WIDTH = 6, 2
"""Output pixels from stripe to stripe, and of a stripe."""


def drawn(marked: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> NDArray[np.uint8]:
    """Draw marks: an outline inside, a shadow around it, and diagonal stripes.

    Parameters
    ----------
    marked
        (rows, columns).
    origin
        The output pixel of the whole slice at which they begin: stripes stay where they are when
        another part is shown.

    Returns
    -------
    ndarray
        The kind of every pixel.
    """
    i = np.arange(marked.shape[0])[:, None] + origin[0]
    j = np.arange(marked.shape[1])[None, :] + origin[1]
    kinds = np.where((i + j) % PERIOD < WIDTH, STRIPE, CLEAR).astype(np.uint8)
    kinds[~marked] = CLEAR
    inside = ndimage.binary_erosion(marked, border_value=1)
    kinds[marked & ~inside] = OUTLINE
    kinds[ndimage.binary_dilation(marked) & ~marked] = SHADOW
    return kinds
