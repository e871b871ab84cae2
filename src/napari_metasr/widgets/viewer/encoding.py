"""Runs the networks off the GUI thread: loads models, reads lazy slices, encodes."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.acquired import measure_acquired
from napari_metasr.widgets.viewer.telling import told_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_metasr.trust.risk import RiskModel
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.zoom.encoded import EncodedSlice
    from napari_metasr.zoom.engine import ZoomModel
    from napari_metasr.zoom.session import SliceKey

PART = 256
WARM_UP_SCALE = 1.5
WARM_UP_PIXELS = 2
WARM_UP_SIZE = 32


@dataclass(frozen=True)
class EncodingJob:
    """One slice to encode.

    Attributes
    ----------
    key, window
        Which slice, and which part of it must become ready.
    source, view
        Where to read it, and the volume's intensities.
    image
        The slice, if it has been read.
    encoded
        What was encoded of it before, if anything.
    """

    key: SliceKey
    window: Window
    source: LayerSource
    view: SliceView
    image: NDArray[Any] | None
    encoded: EncodedSlice | None


@dataclass(frozen=True)
class Status:
    """What is being done now."""

    text: str


@dataclass(frozen=True)
class SliceRead:
    """A lazy slice has been read."""

    key: SliceKey
    image: NDArray[Any]


@dataclass(frozen=True)
class SliceEncoded:
    """A slice's window can be rendered."""

    key: SliceKey
    encoded: EncodedSlice


def parts(window: Window) -> Iterator[Window]:
    """Cut a window at multiples of ``PART`` pixels, so that encoding can be stopped between."""
    top, left, bottom, right = window
    rows, columns = _cuts(top, bottom), _cuts(left, right)
    for y0, y1 in pairwise(rows):
        for x0, x1 in pairwise(columns):
            yield Window(y0, x0, y1, x1)


def _cuts(start: float, stop: float) -> list[float]:
    inner = range((int(start) // PART + 1) * PART, int(stop) + 1, PART)
    return [start, *(float(cut) for cut in inner if start < cut < stop), stop]


def encode(
    jobs: list[EncodingJob], engines: ModelCache[ZoomModel]
) -> Iterator[Status | SliceRead | SliceEncoded]:
    """Encode slices one after the other; may be stopped wherever it yields.

    Raises
    ------
    ValueError
        If the model, the device or a slice cannot be used.
    """
    try:
        for job in jobs:
            image = job.image
            if image is None:
                yield Status(f"Reading “{job.source.name}”")
                image = job.source.read(job.view)
                yield SliceRead(job.key, image)
            model, device, is_risk = job.key.model, job.key.device, job.key.is_risk
            if (engines.loaded_head if is_risk else engines.loaded)(model, device) is None:
                yield Status("Loading the model")
            engine = (engines.head if is_risk else engines.get)(model, device)
            yield Status(f"Encoding “{job.source.name}”")
            measure_acquired(job.source, job.view)
            engine = told_network(engine, job.key.told, job.source, job.view)
            encoded = job.encoded
            if encoded is None:
                intensities, values = job.source.ranges(job.view)
                encoded = engine.encode(image, intensity_range=intensities, value_range=values)
            for part in parts(job.window):
                encoded.prepare(part)
                yield Status(f"Encoding “{job.source.name}”")
            if not encoded.is_ready(job.window):
                raise ValueError("the region is too large to be kept encoded: choose a smaller one")
            _warm_up(engine, encoded, job.window)
            yield SliceEncoded(job.key, encoded)
    finally:
        _return_freed()


def _return_freed() -> None:
    """Give the memory of arrays that are gone back to the system.

    On Linux the allocator keeps what threads have freed. Slices of many sizes break it into pieces,
    and a window in which slices are scrolled grows by a megabyte a slice (``benchmarks/soak.py``).
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone


def prepare_network(model: str, device: str, engines: ModelCache[ZoomModel]) -> None:
    """Load a network and run it once on a few pixels, so that the first slice does not wait.

    Raises
    ------
    ValueError
        If there is no such model or device.
    """
    engine = engines.get(model, device)
    ramp = np.arange(WARM_UP_SIZE**2, dtype=np.float32).reshape(WARM_UP_SIZE, WARM_UP_SIZE)
    _warm_up(engine, engine.encode(ramp), Window.whole(ramp.shape))


def _warm_up(engine: ZoomModel | RiskModel, encoded: EncodedSlice, window: Window) -> None:
    """Render a few pixels, so that whatever is compiled on first use is compiled here."""
    top, left, bottom, right = window
    small = Window(
        top,
        left,
        min(top + WARM_UP_PIXELS, bottom),
        min(left + WARM_UP_PIXELS, right),
    )
    grid = OutputGrid.at_scale(encoded.shape, WARM_UP_SCALE)
    engine.render_pixels(encoded, grid, grid.pixel_range(small))
