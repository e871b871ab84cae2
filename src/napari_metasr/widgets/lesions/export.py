"""Writes a result as JSON and a BIDS mask, as DICOM or as figures, off the GUI thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info

from napari_metasr.io.dicom.regions import ENDING
from napari_metasr.io.names import record_path, volume_file
from napari_metasr.lesions.boxes import lesions_of
from napari_metasr.lesions.dicom import regions_of, series_of, write_rtstruct, write_seg
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import write_rois
from napari_metasr.normalisation import contrast_limits
from napari_metasr.weights import DEFAULT_MODEL
from napari_metasr.widgets.lesions.detection import Origin
from napari_metasr.widgets.panels.dialogs import Dialogs, safe_name
from napari_metasr.widgets.panels.worker import Task, once, reason
from napari_metasr.widgets.viewer.models import ModelCache, load_zoom_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from napari_metasr.lesions.boxes import Box
    from napari_metasr.widgets.lesions.detection import SearchResult
    from napari_metasr.widgets.lesions.dock import LesionDock
    from napari_metasr.widgets.lesions.results import Result
    from napari_metasr.zoom.engine import ZoomModel

JSON = ".json"
ROIS, MASK = "_rois", "_mask.nii.gz"
REGIONS, SEG, RTSTRUCT, FIGURES, MOSAICS = (
    "Regions, with a mask beside them",
    "DICOM segmentation (names the patient)",
    "RT structure set (names the patient)",
    "A figure of every region, PNG",
    "A mosaic of every region's slices, PNG",
)
KINDS = {
    REGIONS: (JSON,),
    SEG: (ENDING,),
    RTSTRUCT: (ENDING,),
    FIGURES: (".png",),
    MOSAICS: (".png",),
}
SCALE = 4.0
"""Scale of figures: the largest that the models are trained for."""


def mask_path(path: Path) -> Path:
    """Return the mask's file beside the JSON file: ``x_rois.json`` goes with ``x_mask.nii.gz``."""
    return path.with_name(path.name[: -len(JSON)].removesuffix(ROIS) + MASK)


def write(
    path: Path, found: SearchResult, boxes: Sequence[Box], overwrite: bool
) -> tuple[Path, Path]:
    """Write both files, or neither.

    Raises
    ------
    OSError, ValueError
        If one cannot be written, or exists and may not be replaced.
    """
    one, notes = found.detector, list(found.concerns)
    by_hand = sum(box.is_by_hand for box in boxes)
    if by_hand and found.kind is not Origin.PERSON:
        notes.append(f"{by_hand} of {len(boxes)} rectangles were drawn or changed by a person")
    write_rois(
        path,
        found.scope.volume,
        tuple(lesions_of(boxes).values()),
        Finder(kind=found.kind.value, name=found.title) if one is None else Finder.of(one),
        time=found.scope.time,
        concerns=notes,
        mask=mask_path(path),
        overwrite=overwrite,
    )
    return path, mask_path(path)


def write_as_dicom(
    path: Path, kind: str, found: SearchResult, boxes: Sequence[Box], overwrite: bool
) -> tuple[Path]:
    """Write the regions as DICOM, in the study of the series that they lie in.

    Raises
    ------
    OSError, ValueError
        If they do not lie in a DICOM series, or the file cannot be written.
    """
    volume = found.scope.volume
    origin = volume.source.path
    if origin is None:
        raise ValueError(
            f"expected a DICOM series to write regions of as DICOM, found “{volume.source.name}”, "
            "which is no file"
        )
    algorithm = "" if found.detector is None else found.detector.title
    regions = regions_of(tuple(lesions_of(boxes).values()), volume.spatial_shape, algorithm)
    write = write_seg if kind == SEG else write_rtstruct
    source = series_of(volume, origin)
    return (write(path, regions, source, time=found.scope.time, overwrite=overwrite),)


def figures(
    path: Path,
    kind: str,
    found: SearchResult,
    boxes: Sequence[Box],
    models: ModelCache[ZoomModel],
    device: str,
) -> Iterator[tuple[int, int] | tuple[Path, ...]]:
    """Write a figure of every region; yields how many of how many are done, then the paths.

    Raises
    ------
    OSError, ValueError
        If one cannot be written.
    """
    from napari_metasr.figures.lesions import figure_paths, lesion_figure_steps
    from napari_metasr.figures.panel import View

    scope = found.scope
    volume = scope.volume
    limits = contrast_limits(volume.at_time(scope.time).data)
    lesions = tuple(lesions_of(boxes).values())
    yield from lesion_figure_steps(
        path,
        volume,
        lesions,
        models.get(DEFAULT_MODEL, device),
        scale=SCALE,
        view=View.of(volume, scope.plane, limits),
        time=scope.time,
        mosaic=kind == MOSAICS,
        overwrite=True,
    )
    yield tuple(figure_paths(path, len(lesions)))


def written_files(path: Path, kind: str, boxes: Sequence[Box]) -> Sequence[Path]:
    """Return all files that an export writes."""
    if kind == REGIONS:
        return path, mask_path(path)
    if kind in {FIGURES, MOSAICS}:
        from napari_metasr.figures.lesions import figure_paths

        pictures = figure_paths(path, len(lesions_of(boxes)))
        return (*pictures, *map(record_path, pictures))
    return (path,)


class LesionExport:
    """Starts the thread that writes, and reports how it ends.

    Parameters
    ----------
    device
        Where figures are super-resolved.
    changed
        Called when writing begins, when another figure is drawn, and at the end, however it came.

    Attributes
    ----------
    dialogs
        How the user is asked.
    drawn
        How many of how many figures are drawn; None while none are being drawn.
    """

    def __init__(self, dock: LesionDock, device: str, changed: Callable[[], None]) -> None:
        self._dock, self._device, self._changed = dock, device, changed
        self.drawn: tuple[int, int] | None = None
        self._models = ModelCache(load_zoom_model)
        self._task = Task()
        self._task.step.connect(self._on_step)
        self._task.failed.connect(lambda error: show_error(f"Detect tumour: {reason(error)}"))
        self._task.finished.connect(self._on_finished)
        self.dialogs = Dialogs()

    @property
    def is_running(self) -> bool:
        """Whether anything is being written."""
        return self._task.is_running

    def start(self, result: Result) -> None:
        """Ask for a file's name, and write the result as it is now."""
        source = result.found.scope.volume.source
        name = f"{safe_name(source.name, 'scan')}_label-tumor{ROIS}{JSON}"
        file = volume_file(source.path)
        suggestion = name if file is None else str(file.with_name(name))
        answer = self.dialogs.path(self._dock, "Export the regions", suggestion, KINDS)
        if answer is None or self.is_running:
            return
        path, kind = answer
        boxes = tuple(result.boxes.boxes)
        written = written_files(path, kind, boxes)
        existing = [each for each in written if each.exists()]
        if existing and not self.dialogs.may_replace(self._dock, existing):
            return
        if kind in {FIGURES, MOSAICS}:
            self.drawn = 0, len(lesions_of(boxes))
            self._task.start(figures, path, kind, result.found, boxes, self._models, self._device)
        elif kind == REGIONS:
            self._task.start(once, write, path, result.found, boxes, bool(existing))
        else:
            self._task.start(once, write_as_dicom, path, kind, result.found, boxes, bool(existing))
        self._changed()

    def cancel(self) -> None:
        """Draw no further figures; a file that is being written is."""
        if self.drawn is not None:
            self._task.cancel()

    def close(self) -> None:
        """Hear no more of what still runs."""
        self._task.close()

    def _on_step(self, step: tuple[Any, ...]) -> None:
        if isinstance(step[0], int):
            self.drawn = step
            self._changed()
        elif self.drawn is not None and len(step) > 1:
            show_info(f"Saved {len(step)} figures: {step[0]} to {step[-1].name}")
        else:
            show_info(f"Saved {' and '.join(map(str, step))}")

    def _on_finished(self, cancelled: bool) -> None:
        self._models.clear()
        self.drawn = None
        self._changed()
