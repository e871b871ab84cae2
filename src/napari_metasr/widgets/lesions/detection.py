"""Looks for tumours off the GUI thread: the newest search wins, and each can be cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_metasr.lesions import search
from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.lesions.suitability import concerns
from napari_metasr.widgets.panels.worker import Task
from napari_metasr.widgets.viewer.first_shape import await_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_metasr.lesions import Lesion
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.widgets.viewer.layer_source import LayerSource
    from napari_metasr.widgets.viewer.models import ModelCache


@dataclass(frozen=True)
class SearchProgress:
    """How far a search is; ``total`` is 0 where that is not known."""

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Scope:
    """Where to look.

    Attributes
    ----------
    source, volume
        The whole image: its layer, and what that was when the search began.
    plane
        Plane of the slices.
    leading
        The position on the layer's axes before z, y, x, such as time.
    index
        The slice; None for all of them.
    """

    source: LayerSource
    volume: Volume
    plane: Plane
    leading: tuple[int, ...]
    index: int | None = None

    @property
    def time(self) -> int:
        """The time point, 0 without a time axis."""
        return self.leading[-1] if self.leading else 0

    def __str__(self) -> str:
        if self.index is not None:
            return f"{self.plane} slice {self.index}" if self.volume.data.ndim > 2 else "the image"
        return f"{self.volume.slice_count(self.plane)} {self.plane} slices"


class Origin(StrEnum):
    """What regions can be from."""

    DETECTOR = "detector"
    SEGMENTATION = "segmentation"
    PERSON = "person"


@dataclass(frozen=True)
class SearchResult:
    """What a search has found.

    Attributes
    ----------
    lesions
        Best score first; none where none was found.
    scope
        Where they were looked for.
    kind
        What they are from.
    detector
        What found them; None for a segmentation or a person.
    title
        Title of the detector or of the segmentation.
    concerns
        What to know before trusting it.
    """

    lesions: tuple[Lesion, ...]
    scope: Scope
    kind: Origin
    detector: Detector | None
    title: str
    concerns: tuple[str, ...] = ()


def detect(
    scope: Scope, model: str, device: str, detectors: ModelCache[Detector]
) -> Iterator[SearchProgress | SearchResult]:
    """Run a detector over a scope; may be stopped wherever it yields.

    Yields
    ------
    SearchProgress or SearchResult
        What is found comes last.

    Raises
    ------
    ValueError
        If the detector cannot be loaded, or the image is nothing to look for tumours in.
    """
    volume, plane, time = scope.volume, scope.plane, scope.time
    if detectors.loaded(model, device) is None:
        yield SearchProgress("Loading the detector")
    detector = detectors.get(model, device)
    yield SearchProgress("Reading the image")
    judge = partial(_concerns, scope, detector)
    for step in search.find(volume, plane, detector, index=scope.index, time=time, judge=judge):
        if isinstance(step, search.Judged):
            yield SearchProgress("Looking for tumour", 0, step.total)
        elif isinstance(step, search.Searched):
            yield SearchProgress("Looking for tumour", step.done, step.total)
        elif isinstance(step, search.Found):
            await_shapes()
            title = detector.title
            yield SearchResult(step.lesions, scope, Origin.DETECTOR, detector, title, step.concerns)


def _concerns(scope: Scope, detector: Detector) -> tuple[str, ...]:
    """Return what to know before trusting a detector here; worked out once for an image."""
    known = scope.source.measured.concerns
    key = (scope.plane, scope.time, detector.point.model_dump_json())
    volume, reasons = known.get(key, (None, ()))
    if volume is not scope.volume:
        reasons = tuple(concerns(scope.volume, scope.plane, detector.point, time=scope.time))
        known[key] = scope.volume, reasons
    return reasons


def take_labels(
    scope: Scope, labels: NDArray[Any], title: str
) -> Iterator[SearchProgress | SearchResult]:
    """Take the regions of a segmentation.

    Parameters
    ----------
    labels
        On the volume's grid, 0 outside.
    title
        Title of the segmentation.
    """
    yield SearchProgress("Reading the labels")
    await_shapes()
    yield SearchResult(lesions_in(labels, scope.plane), scope, Origin.SEGMENTATION, None, title)


class Searcher:
    """Runs one search at a time, and passes on what it says in the GUI thread.

    Parameters
    ----------
    on_progress, on_found, on_warning, on_error, on_finished
        Called with what happened; ``on_finished`` with whether it was cancelled.

    Attributes
    ----------
    scope
        What is looked through; None while nothing is.
    """

    def __init__(
        self,
        *,
        on_progress: Callable[[SearchProgress], None],
        on_found: Callable[[SearchResult], None],
        on_warning: Callable[[str], None],
        on_error: Callable[[Exception], None],
        on_finished: Callable[[bool], None],
    ) -> None:
        self._on_progress, self._on_found, self._on_end = on_progress, on_found, on_finished
        self._task = Task()
        self._task.step.connect(self._on_step)
        self._task.warned.connect(on_warning)
        self._task.failed.connect(on_error)
        self._task.finished.connect(self._on_finished)
        self.scope: Scope | None = None

    @property
    def is_running(self) -> bool:
        """Whether anything is being looked for."""
        return self._task.is_running

    def start(
        self,
        function: Callable[..., Iterator[SearchProgress | SearchResult]],
        scope: Scope,
        *args: Any,
    ) -> None:
        """Start a search; what another one was looking for is no longer of interest."""
        self.close()
        self.scope = scope
        self._task.start(function, scope, *args)

    def cancel(self) -> None:
        """Ask the running search to end; what it finds is not used."""
        self._task.cancel()

    def close(self) -> None:
        """Stop, and hear no more of it."""
        self._task.close()
        self.scope = None

    def _on_step(self, step: SearchProgress | SearchResult) -> None:
        if isinstance(step, SearchResult):
            self._on_found(step)
        else:
            self._on_progress(step)

    def _on_finished(self, cancelled: bool) -> None:
        self.scope = None
        self._on_end(cancelled)
