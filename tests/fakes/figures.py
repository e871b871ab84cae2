"""What tests of figures share: a model that interpolates, pictures as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from napari_metasr.figures.panel import View
from napari_metasr.volume import Plane
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from pathlib import Path


class Interpolating:
    """A model that stands in for a network: Lanczos interpolation."""

    class Encoded:
        def __init__(self, image: np.ndarray, value_range: tuple[float, float] | None) -> None:
            self.image, self.value_range = image, value_range

        def prepare(self, window=None) -> None:
            pass

    def encode(self, image, intensity_range=None, value_range=None) -> Encoded:
        return self.Encoded(image, value_range)

    def render(self, encoded: Encoded, scale, window=None) -> np.ndarray:
        return interpolate(encoded.image, scale, window, "lanczos", encoded.value_range)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"), np.float64)


def view(limits: tuple[float, float] = (0.0, 1.0), plane: Plane = Plane.AXIAL) -> View:
    return View(plane, limits)
