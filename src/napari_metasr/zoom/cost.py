"""What running the network on a part of a slice saves, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.session import SliceKey

Slices = tuple[str, str, tuple[int, int]]
"""Model, device and shape: a pixel of such slices takes the same time."""
MOST_REPEATED = 1.25
"""Pixels encoded of pixels there are, up to which a slice counts as encoded in one go."""


@dataclass(frozen=True)
class Saving:
    """How much less was done than for whole slices.

    Attributes
    ----------
    share
        Pixels that the network was run on, of all pixels of the slices; halos and repetitions
        count, so that it may exceed 1.
    seconds
        Time saved; negative where more was done than encoding whole slices at once.
    is_measured
        Whether the time of whole slices was measured, not estimated from parts of slices.
    """

    share: float
    seconds: float
    is_measured: bool


class EncodingCost:
    """Remember how long whole slices took, and tell what parts of them save.

    Slices need the network on more or fewer of their pixels, see ``EncodedSlice.needed_pixels``;
    their times are taken to be as the pixels.
    """

    def __init__(self) -> None:
        self._wholes: dict[Slices, tuple[float, int]] = {}  # seconds and pixels

    def saving(self, encoded: Mapping[SliceKey, EncodedSlice]) -> Saving | None:
        """Return what is saved with these encoded slices; None where nothing has been encoded."""
        pixels = total = 0
        spent = whole = 0.0
        measured = True
        for key, one in encoded.items():
            if not one.encoded_pixels:
                continue
            size = one.needed_pixels
            kind = (key.model, key.device, one.shape)
            at_once = size <= one.encoded_pixels <= MOST_REPEATED * size
            if at_once and one.is_ready(Window.whole(one.shape)):
                self._wholes[kind] = one.encode_seconds, size
            measured = measured and kind in self._wholes
            seconds, of = self._wholes.get(kind, (one.encode_seconds, one.encoded_pixels))
            pixels += one.encoded_pixels
            total += one.shape[0] * one.shape[1]
            spent += one.encode_seconds
            whole += seconds * (size / of)
        return Saving(pixels / total, whole - spent, measured) if total else None
