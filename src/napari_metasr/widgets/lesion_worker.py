"""Looks for tumours off the GUI thread: the newest search wins, and each can be cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker

from napari_metasr.lesions.labelled import lesions_in
from napari_metasr.lesions.link import link
from napari_metasr.lesions.suitability import concerns
from napari_metasr.widgets.encoder import silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from napari_metasr.lesions import Detection, Lesion
    from napari_metasr.volume import Plane, Volume
    from napari_metasr.widgets.encoder import Engines

SIGNALS = ("yielded", "returned", "errored", "finished")


@dataclass(frozen=True)
class Progress:
    """How far a search is; ``total`` is 0 where that is not known."""

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Scope:
    """Where to look.

    Attributes
    ----------
    volume
        The whole image.
    plane, time
        Of the slices.
    index
        The slice; None for all of them.
    """

    volume: Volume
    plane: Plane
    time: int = 0
    index: int | None = None

    def __str__(self) -> str:
        if self.index is not None:
            return f"{self.plane} slice {self.index}" if self.volume.data.ndim > 2 else "the image"
        return f"{self.volume.slice_count(self.plane)} {self.plane} slices"


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes
    ----------
    lesions
        Best score first; none where none was found.
    detector
        What found them; None for a segmentation.
    title
        Of the detector or of the segmentation.
    concerns
        What to know before trusting it.
    """

    lesions: tuple[Lesion, ...]
    scope: Scope
    detector: Any | None
    title: str
    concerns: tuple[str, ...] = ()


def detect(scope: Scope, model: str, device: str, detectors: Engines) -> Iterator[Progress | Found]:
    """Run a detector over a scope; may be stopped wherever it yields.

    Yields
    ------
    Progress or Found
        What is found comes last.

    Raises
    ------
    ValueError
        If the detector cannot be loaded, or the image is nothing to look for tumours in.
    """
    volume, plane, time = scope.volume, scope.plane, scope.time
    if detectors.loaded(model, device) is None:
        yield Progress("Loading the detector")
    detector = detectors.get(model, device)
    total = volume.slice_count(plane) if scope.index is None else 1
    yield Progress("Reading the image", 0, total)
    doubts = concerns(volume, plane, detector.point, time=time)
    slices: dict[int, tuple[Detection, ...]] = {}
    if scope.index is not None:
        image = volume.slice(plane, scope.index, time)
        spacing = volume.plane_spacing(plane)
        slices[scope.index] = detector.detect(image, volume.intensity_range, spacing=spacing)
    else:
        for index, detections in detector.detect_slices(volume, plane, time):
            slices[index] = detections
            yield Progress("Looking for tumour", len(slices), total)
    lesions = link(slices, plane, slice_step(volume, plane))
    yield Found(lesions, scope, detector, detector.title, doubts)


def take_labels(scope: Scope, labels: NDArray[Any], title: str) -> Iterator[Progress | Found]:
    """Take the regions of a segmentation.

    Parameters
    ----------
    labels
        On the volume's grid, 0 outside.
    title
        Of the segmentation.
    """
    yield Progress("Reading the labels")
    yield Found(lesions_in(labels, scope.plane), scope, None, title)


def slice_step(volume: Volume, plane: Plane) -> float:
    """From slice to slice, in mm; 1 for a picture."""
    return volume.spacing[-3:][plane.normal_axis] if len(volume.spacing) == 3 else 1.0


class Searcher:
    """Runs one search at a time, and passes on what it says in the GUI thread.

    Parameters
    ----------
    on_progress, on_found, on_error, on_finished
        Called with what happened; ``on_finished`` with whether it was cancelled.
    """

    def __init__(
        self,
        *,
        on_progress: Callable[[Progress], None],
        on_found: Callable[[Found], None],
        on_error: Callable[[Exception], None],
        on_finished: Callable[[bool], None],
    ) -> None:
        self._on_progress, self._on_found = on_progress, on_found
        self._on_error, self._on_finished = on_error, on_finished
        self._worker: Any = None
        self._cancelled = False

    @property
    def is_running(self) -> bool:
        """Whether anything is being looked for."""
        return self._worker is not None

    def start(self, function: Callable[..., Iterator[Progress | Found]], *args: Any) -> None:
        """Start a search; what another one was looking for is no longer of interest."""
        self.close()
        self._cancelled = False
        worker = create_worker(function, *args, _start_thread=False, _ignore_errors=True)
        self._worker = worker
        worker.yielded.connect(self._on_step)
        worker.errored.connect(self._on_error)
        worker.finished.connect(self._finish)
        worker.start()

    def cancel(self) -> None:
        """Ask the running search to end; what it finds is not used."""
        if self._worker is not None:
            self._cancelled = True
            self._worker.quit()

    def close(self) -> None:
        """Stop, and hear no more of it."""
        if self._worker is not None:
            silence(self._worker, SIGNALS)
            self._worker = None

    def _on_step(self, step: Progress | Found) -> None:
        if self._cancelled:
            return
        if isinstance(step, Found):
            self._on_found(step)
        else:
            self._on_progress(step)

    def _finish(self) -> None:
        self._worker = None
        self._on_finished(self._cancelled)
