"""Textures with anatomy's spectrum, and scans of them."""

from __future__ import annotations

import numpy as np

from napari_metasr.volume import Source, Volume


def texture(seed, shape=(120, 130)):
    """Random phases whose amplitude falls with frequency as anatomy's does, with a little noise."""
    rng = np.random.default_rng(seed)
    f = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"))
    spectrum = np.fft.fft2(rng.standard_normal(shape)) / (f + 0.01) ** 1.3
    image = np.real(np.fft.ifft2(spectrum))
    return 120 + 40 * image / image.std() + rng.normal(0, 1, shape)


def zero_filled(image, share, axis):
    """The magnitude once k-space is zero above a share of an axis' band, as whole numbers."""
    n = image.shape[axis]
    keep = np.abs(np.fft.fftfreq(n)) <= share / 2
    along = [1, 1]
    along[axis] = n
    spectrum = np.fft.fft(image, axis=axis) * keep.reshape(along)
    return np.abs(np.fft.ifft(spectrum, axis=axis)).round()


def scan(data, spacing, *, told=None, name="scan", orientation="RAS"):
    """A volume (z, y, x) or (t, z, y, x), with what its header tells."""
    source = Source(name=name, orientation=orientation, told=told or {})
    return Volume(np.asarray(data), np.diag([*spacing[::-1], 1.0]), tuple(spacing), source)
