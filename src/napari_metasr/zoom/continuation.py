"""Whether a scan was cut out along its constant background, and the tissue continued beyond.

The edge of a mask is a step from one voxel to the next, which no scanner makes and no network
has learned. What a network is shown goes on smoothly instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_metasr.background import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

SOFT = 0.4
"""Correlation of an edge's brightness with its shape from which on its pixels are partly filled."""

MOST = 1.5
"""Times the brightness next to it that a pixel on the edge counts at most."""

SIGMA = 1.0
SMOOTHING_REACH = 2

STRIP = 512


def is_cut(image: NDArray[np.float32], background: Mask) -> bool:
    """Return whether an image was masked on its own grid, so that edge pixels are whole tissue.

    If it was masked before it was reduced or resampled, a pixel on the edge is the fainter the
    more background there is around it, as networks have learned it.

    Parameters
    ----------
    image
        (rows, columns), finite.
    background
        Boolean, of the same shape; some pixels are and some are not.
    """
    tissue = ~background
    edge = tissue & ndimage.binary_dilation(background)
    inner = tissue & ~edge
    brightness = np.abs(image - image[background][0])
    count = ndimage.uniform_filter(inner.astype(np.float32), 3)
    inside = ndimage.uniform_filter(np.where(inner, brightness, np.float32(0)), 3)
    measured = edge & (count > 1 / (BLOCK.size + 1)) & (inside > 0)
    if not measured.any():
        return True
    ratio = brightness[measured] * count[measured] / inside[measured]
    ratio = np.minimum(ratio, MOST)
    shape = ndimage.gaussian_filter(tissue.astype(np.float32), SIGMA, radius=SMOOTHING_REACH)
    filled = shape[measured]
    deviation = ratio.std() * filled.std()
    if deviation == 0:
        return True
    covariance = ((ratio - ratio.mean()) * (filled - filled.mean())).mean()
    return bool(covariance < SOFT * deviation)


def continued(
    image: NDArray[np.float32], hidden: Mask, reach: int, *, strip: int = STRIP
) -> NDArray[np.float32]:
    """Continue an image into its hidden pixels.

    A hidden pixel gets the value of the nearest one that is not, smoothed by a Gaussian of one
    pixel; beyond ``reach`` pixels it stays as it is. What is not hidden is not changed.

    Parameters
    ----------
    image
        (rows, columns).
    hidden
        Boolean, of the same shape.
    reach
        How far the image is continued, in pixels.
    strip
        Rows that are continued at a time; the result does not depend on it.
    """
    out = image.copy()
    around = reach + SMOOTHING_REACH + 1
    for first in range(0, len(image), strip):
        last = min(first + strip, len(image))
        top, bottom = max(first - around, 0), min(last + around, len(image))
        part, inside = image[top:bottom], hidden[top:bottom]
        if inside.all() or not inside.any():
            continue
        distances, (rows, columns) = ndimage.distance_transform_edt(inside, return_indices=True)
        smooth = ndimage.gaussian_filter(
            part[rows, columns], SIGMA, mode="nearest", radius=SMOOTHING_REACH
        )
        own = slice(first - top, last - top)
        chosen = inside[own] & (distances[own] <= reach)
        out[first:last][chosen] = smooth[own][chosen]
    return out
