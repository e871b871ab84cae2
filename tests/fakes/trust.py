"""A network that is none, and a scan of even tissue, for the proof on one's own scan."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_metasr.volume import Source, Volume
from napari_metasr.weights import model_card
from napari_metasr.weights.risk import Calibration, RiskCard, RiskCell
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


def error_card(threshold=0.1, calibrated=True):
    """The card of an error head: bicubic and k-space, x1.25 to x4, of T1c."""
    cells = tuple(
        RiskCell(acquisition=name, scales=(1.25, 4), threshold=at, patients=40, missed=0, marked=0)
        for name, at in (("bicubic", threshold), ("k-space", threshold / 2))
    )
    calibration = Calibration(alpha=0.1, tau=0.1, contrasts=("T1c",), data=("40",), cells=cells)
    return RiskCard(
        model="m", model_sha256="0" * 64, sha256="0" * 64, parameters=1, quantile=0.9, updates=1,
        loss="pinball", schedule="", data=(), licence="CC0-1.0",
        calibration=calibration if calibrated else None,
    )  # fmt: skip


class Oracle(Interpolator):
    """An error head that knows the scan, and so the errors of an `Interpolator`."""

    def __init__(self, volume, card, times=1.0):
        super().__init__()
        self.risk_card, self._volume, self._times = card, volume, times

    def render_pixels(self, encoded, grid, pixels):
        low, high = self._volume.intensity_range
        errors = np.abs(super().render_pixels(encoded, grid, pixels) - self._volume.data)
        nearest = min(errors, key=np.mean)
        return self._times * nearest / np.float32(high - low)


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
