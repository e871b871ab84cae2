"""A network that is none, and a scan of even tissue, for the proof on one's own scan."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_metasr.volume import Source, Volume
from napari_metasr.weights import model_card
from napari_metasr.zoom.baselines import interpolate_pixels


class Interpolator:
    """Enlarges by an interpolation, in place of a network."""

    device = "cpu"

    def __init__(self, method="bilinear", **changes):
        self.card = model_card("meta-srgan").model_copy(update=changes)
        self._method = method

    def encode(self, image, intensity_range=None, value_range=None):
        return image, value_range

    def render_pixels(self, encoded, grid, pixels):
        image, value_range = encoded
        return interpolate_pixels(image, grid, pixels, self._method, value_range)


def head(size=96, count=6, spacing=(4.0, 1.0, 1.0), name="head", unit="mm", fine=0.0):
    """A round head of even tissue (300) with a faint texture, in air (0 to 4)."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    round_ = np.hypot(y, x) < 0.46 * size
    data = []
    for _ in range(count):
        faint = ndimage.gaussian_filter(rng.normal(size=(size, size)), 3)
        grain = fine * rng.normal(size=(size, size))
        data.append(np.where(round_, 300 + 40 * faint + grain, rng.uniform(0, 4, (size, size))))
    affine = np.diag([*spacing[::-1], 1.0])
    source = Source(name=name, affine=affine, unit=unit)
    return Volume(np.array(data, np.float32), affine, spacing, source)
