"""Runs the networks off the GUI thread: loads models, reads lazy slices, encodes."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker

from napari_metasr.geometry.windows import Window
from napari_metasr.normalisation import MissingPixelsWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.zoom.session import Request, SliceKey

    EngineFactory = Callable[..., Any]

log = logging.getLogger(__name__)

PART = 256
WARM_UP_SCALE = 1.5
WARM_UP_PIXELS = 2


class Engines:
    """Loaded models by name and device; each is loaded once, in whatever thread needs it first.

    Parameters
    ----------
    factory
        Called as ``factory(model, device=device)``; see `napari_metasr.load_model`.
    """

    def __init__(self, factory: EngineFactory) -> None:
        self._factory = factory
        self._loaded: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def get(self, model: str, device: str) -> Any:
        """The model, loaded if need be.

        Raises
        ------
        ValueError
            If there is no such model or device.
        """
        with self._lock:
            if (model, device) not in self._loaded:
                self._loaded[model, device] = self._factory(model, device=device)
            return self._loaded[model, device]

    def loaded(self, model: str, device: str) -> Any | None:
        """The model, if it is loaded."""
        return self._loaded.get((model, device))

    def clear(self) -> None:
        """Let go of all models."""
        self._loaded = {}


@dataclass(frozen=True)
class Job:
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
    encoded: Any | None


@dataclass(frozen=True)
class Progress:
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
    encoded: Any


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


def encode(jobs: list[Job], engines: Engines) -> Iterator[Progress | SliceRead | SliceEncoded]:
    """Encode slices one after the other; may be stopped wherever it yields.

    Raises
    ------
    ValueError
        If the model, the device or a slice cannot be used.
    """
    for job in jobs:
        image = job.image
        if image is None:
            yield Progress(f"Reading “{job.source.name}”")
            image = job.source.read(job.view)
            yield SliceRead(job.key, image)
        if engines.loaded(job.key.model, job.key.device) is None:
            yield Progress("Loading the model")
        engine = engines.get(job.key.model, job.key.device)
        yield Progress(f"Encoding “{job.source.name}”")
        encoded = job.encoded
        if encoded is None:
            encoded = engine.encode(
                image, intensity=job.source.intensity_range, limits=job.source.value_range
            )
        for part in parts(job.window):
            encoded.prepare(part)
            yield Progress(f"Encoding “{job.source.name}”")
        if not encoded.is_ready(job.window):
            raise ValueError("the region is too large to be kept encoded: choose a smaller one")
        _warm_up(engine, encoded, job.window)
        yield SliceEncoded(job.key, encoded)


def _warm_up(engine: Any, encoded: Any, window: Window) -> None:
    """Render a few pixels, so that whatever is compiled on first use is compiled here."""
    top, left, bottom, right = window
    small = (
        top,
        left,
        min(top + WARM_UP_PIXELS, bottom),
        min(left + WARM_UP_PIXELS, right),
    )
    engine.render(encoded, WARM_UP_SCALE, window=small)


def silence(worker: Any, signals: tuple[str, ...]) -> None:
    """Ask a worker to end, and hear no more of it."""
    worker.quit()
    for name in signals:
        with suppress(RuntimeError, TypeError):  # it has ended, and Qt has deleted its signals
            getattr(worker, name).disconnect()


class Encoder:
    """Starts and stops the worker thread, and passes on what it yields in the GUI thread.

    Parameters
    ----------
    engines
        The models.
    on_step, on_warning, on_error, on_finished
        Called in the GUI thread with the request and, but for the last, what happened.
    """

    def __init__(
        self,
        engines: Engines,
        *,
        on_step: Callable[[Request, Progress | SliceRead | SliceEncoded], None],
        on_warning: Callable[[Request, str], None],
        on_error: Callable[[Request, Exception], None],
        on_finished: Callable[[Request], None],
    ) -> None:
        self._engines = engines
        self._on_step, self._on_warning = on_step, on_warning
        self._on_error, self._on_finished = on_error, on_finished
        self._worker: Any = None

    @property
    def is_running(self) -> bool:
        """Whether a request is worked on."""
        return self._worker is not None

    def start(self, request: Request, jobs: list[Job]) -> None:
        """Work on a request; there must be none running."""
        worker = create_worker(
            encode, jobs, self._engines, _start_thread=False, _ignore_errors=True
        )
        self._worker = worker
        worker.yielded.connect(lambda step: self._on_step(request, step))
        worker.warned.connect(lambda warning: self._warn(request, *warning[:2]))
        worker.errored.connect(lambda error: self._on_error(request, error))
        worker.finished.connect(lambda: self._finish(request))
        worker.start()

    def _warn(self, request: Request, message: Warning | str, category: type[Warning]) -> None:
        """Pass on what a user can use; while a worker runs it hears the warnings of all threads."""
        if issubclass(category, MissingPixelsWarning):
            self._on_warning(request, str(message))
        else:
            log.warning("%s: %s", category.__name__, message)

    def stop(self) -> None:
        """Ask the running worker to end at the next chance."""
        if self._worker is not None:
            self._worker.quit()

    def close(self) -> None:
        """Stop, and hear no more of it."""
        if self._worker is not None:
            silence(self._worker, ("yielded", "warned", "errored", "finished"))
            self._worker = None

    def _finish(self, request: Request) -> None:
        self._worker = None
        self._on_finished(request)
