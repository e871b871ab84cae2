"""What a page holds of a slice: codes, the slice itself, what is put back; no name, no date."""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.figures.page.quantised import Quantised
from napari_metasr.geometry.grids import Convention
from napari_metasr.normalisation import fill_missing
from napari_metasr.zoom.hidden_units import HiddenUnits
from napari_metasr.zoom.scales import LARGEST_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Slice
    from napari_metasr.geometry.windows import Window
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel

LARGEST_PIXELS = 320 * 320
"""Pixels of the region: a page of them is about 20 MB, its textures 40 MB."""

AROUND = 2
"""Pixels around its own that bicubic interpolation reads."""

TISSUE, NEAR, BEYOND, MISSING = 1, 2, 4, 8
"""Bits of a pixel's kind, as the renderer knows them."""


class PageError(ValueError):
    """A page cannot be made of this."""


@dataclass(frozen=True)
class Contents:
    """A page's numbers.

    Attributes
    ----------
    header
        What is told to the renderer, for JSON; lengths count bytes, in the order of the parts.
    parts
        Little-endian, by name.
    error
        Root mean square and largest error by quantisation, in the slice's units.
    """

    header: dict[str, Any]
    parts: dict[str, bytes]
    error: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the region."""
        top, left, bottom, right = self.header["region"]
        return bottom - top, right - left

    @property
    def text(self) -> str:
        """All parts, compressed (zlib) and in base64."""
        return base64.b64encode(zlib.compress(b"".join(self.parts.values()), 9)).decode()


def contents(
    model: ZoomModel,
    slice_: Slice,
    window: Window,
    *,
    scale: float,
    view: View,
    intensity_range: tuple[float, float],
    value_range: tuple[float, float],
) -> Contents:
    """Encode a region of a slice for a page.

    Parameters
    ----------
    window
        What is shown, in low-resolution edges; whole pixels around it.
    scale
        Where the magnification starts, of the axis with the smaller spacing.
    view
        Contrast limits and orientation at first.
    intensity_range, value_range
        Intensity range and value range of the slice's volume.

    Raises
    ------
    PageError
        If the model gives fixed scales only, the region is too large or the slice has no tissue.
    """
    upscaler = model.upscaler
    if upscaler is None:
        given = " and ".join(f"×{scale}" for scale in model.fixed_scales)
        raise PageError(
            f"an interactive page needs a model that gives every scale; {model.card.title} gives "
            f"{given} only"
        )
    image = slice_.image
    shape = (image.shape[0], image.shape[1])
    region = window.pixels(shape)
    height, width = region[2] - region[0], region[3] - region[1]
    if height * width > LARGEST_PIXELS:
        raise PageError(
            f"the region of {height} x {width} pixels is too large for an interactive page, which "
            f"holds at most {LARGEST_PIXELS:,} (320 x 320): choose a smaller region"
        )
    encoded = model.encode(image, intensity_range=intensity_range, value_range=value_range)
    coded = _grown(region, upscaler.convention.margin, shape)
    around = _grown(region, AROUND, shape)
    ratios = tuple(step / min(slice_.spacing) for step in slice_.spacing)
    smallest = 1 / (LARGEST_SCALE * math.sqrt(ratios[0] * ratios[1]) + 1)
    first = upscaler.weights.first
    units = HiddenUnits.reduced(
        first.weight.cpu().numpy(),
        first.bias.cpu().numpy(),
        encoded.codes(coded),
        upscaler.convention,
        (smallest, 1.0),
    )
    quantised = Quantised.of(units)
    width_of_range = encoded.mapping.high - encoded.mapping.low
    edge = encoded.shown.edge
    parts = {
        "weight": quantised.weight.astype("<f4").tobytes(),
        "bias": quantised.bias.astype("<f4").tobytes(),
        **_planes(encoded, around),
        "codes": _split(quantised.codes),
    }
    error = quantised.error()
    card = model.card
    header = {
        "model": card.title,
        "trained": list(card.trained_scales),
        "largestScale": LARGEST_SCALE,
        "scale": min(max(float(scale), 1.0), LARGEST_SCALE),
        "shape": list(shape),
        "region": list(region),
        "coded": list(coded),
        "around": list(around),
        "units": len(quantised.bias),
        "corner": upscaler.convention is Convention.CORNER,
        "ratios": list(ratios),
        "low": float(np.float32(encoded.mapping.low)),
        "width": float(np.float32(width_of_range)),
        "limits": [float(np.float32(limit)) for limit in encoded.value_range],
        "background": None if edge is None else float(edge.value),
        "contrast": list(map(float, view.contrast_limits)),
        "spacing": list(slice_.spacing),
        "unit": view.unit,
        "letters": view.letters,
        "flipped": [view.orientation2d[0] == "up", view.orientation2d[1] == "left"],
        "lengths": {name: len(part) for name, part in parts.items()},
    }
    return Contents(header, parts, (error[0] * width_of_range, error[1] * width_of_range))


def _grown(
    cells: tuple[int, int, int, int], margin: int, shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    top, left, bottom, right = cells
    return (
        max(top - margin, 0),
        max(left - margin, 0),
        min(bottom + margin, shape[0]),
        min(right + margin, shape[1]),
    )


def _planes(encoded: EncodedSlice, cells: tuple[int, int, int, int]) -> dict[str, bytes]:
    """Return what is known of each pixel beside its code."""
    part = np.s_[cells[0] : cells[2], cells[1] : cells[3]]
    source, _ = fill_missing(encoded.source[part], encoded.value_range[0])
    zeros = np.zeros(source.shape, np.float32)
    edge, excess = encoded.shown.edge, encoded.shown.excess
    kind = np.zeros(source.shape, np.uint8)
    planes = {"source": source, "low": zeros, "high": zeros, "excess": zeros}
    if edge is not None:
        planes |= {"low": edge.low[part], "high": edge.high[part]}
        for bit, mask in ((TISSUE, edge.tissue > 0), (NEAR, edge.near), (BEYOND, edge.beyond)):
            kind[mask[part]] |= bit
    if excess is not None:
        planes["excess"] = excess[part]
    if encoded.missing is not None:
        kind[encoded.missing[part]] |= MISSING
    packed = {name: plane.astype("<f4").tobytes() for name, plane in planes.items()}
    return {**packed, "kind": kind.tobytes()}


def _split(codes: NDArray[np.int16]) -> bytes:
    """Order codes so that they compress: unit by unit, low bytes, then high bytes."""
    planes = np.ascontiguousarray(codes.transpose(2, 0, 1), "<i2")
    numbers = ((planes << 1) ^ (planes >> 15)).view("<u2")
    return (numbers & 255).astype(np.uint8).tobytes() + (numbers >> 8).astype(np.uint8).tobytes()
