"""Writes a result as JSON and as a BIDS mask, off the GUI thread; asks before it replaces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_metasr.lesions.boxes import lesions_of
from napari_metasr.lesions.document import Finder
from napari_metasr.lesions.files import write_rois
from napari_metasr.widgets.lesions.detection import Kind
from napari_metasr.widgets.panels.worker import Task, once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_metasr.lesions.boxes import Box
    from napari_metasr.widgets.lesions.detection import Found
    from napari_metasr.widgets.lesions.results import Result

JSON = ".json"
ROIS, MASK = "_rois", "_mask.nii.gz"


def ask_path(parent: Any, suggestion: str) -> Path | None:
    """Ask the user for the JSON file's name; None if they change their mind."""
    name, _ = QFileDialog.getSaveFileName(
        parent,
        "Export the regions",
        suggestion,
        "Regions, with a mask beside them (*.json)",
        options=QFileDialog.Option.DontConfirmOverwrite,
    )
    if not name:
        return None
    path = Path(name)
    return path if path.suffix.lower() == JSON else path.with_name(path.name + JSON)


def confirm(parent: Any, existing: Sequence[Path]) -> bool:
    """Ask whether files may be replaced."""
    names = "\n".join(str(path) for path in existing)
    answer = QMessageBox.question(
        parent, "Replace?", f"These files exist and would be replaced:\n{names}"
    )
    return bool(answer == QMessageBox.StandardButton.Yes)


def mask_path(path: Path) -> Path:
    """The mask's file beside the JSON file: ``x_rois.json`` goes with ``x_mask.nii.gz``."""
    return path.with_name(path.name[: -len(JSON)].removesuffix(ROIS) + MASK)


def finder(found: Found) -> Finder:
    """What the regions are from, as the JSON file says it."""
    one = found.detector
    if one is None:
        return Finder(kind=found.kind.value, name=found.title)
    return Finder(
        kind=found.kind.value, name=one.name, title=one.title, sha256=one.sha256, point=one.point
    )


def write(path: Path, found: Found, boxes: Sequence[Box], overwrite: bool) -> Path:
    """Write both files, or neither.

    Raises
    ------
    OSError, ValueError
        If one cannot be written, or exists and may not be replaced.
    """
    notes = list(found.concerns)
    by_hand = sum(box.is_by_hand for box in boxes)
    if by_hand and found.kind is not Kind.PERSON:
        notes.append(f"{by_hand} of {len(boxes)} rectangles were drawn or changed by a person")
    write_rois(
        path,
        found.scope.volume,
        tuple(lesions_of(boxes).values()),
        finder(found),
        time=found.scope.time,
        concerns=notes,
        mask=mask_path(path),
        overwrite=overwrite,
    )
    return path


class LesionExport:
    """Starts the thread that writes, and reports how it ends.

    Attributes
    ----------
    ask_path, confirm
        How the user is asked.
    """

    def __init__(self, dock: Any) -> None:
        self._dock = dock
        self._task = Task()
        self._task.step.connect(lambda done: show_info(f"Saved {done} and {mask_path(done).name}"))
        self._task.failed.connect(lambda error: show_error(f"Detect tumour: {error}"))
        self.ask_path: Callable[[Any, str], Path | None] = ask_path
        self.confirm: Callable[[Any, Sequence[Path]], bool] = confirm

    @property
    def is_running(self) -> bool:
        """Whether anything is being written."""
        return self._task.is_running

    def start(self, result: Result) -> None:
        """Ask for a file's name, and write the result as it is now."""
        name = f"{result.found.scope.volume.source.name}_label-tumor{ROIS}{JSON}"
        path = self.ask_path(self._dock, name)
        if path is None or self.is_running:
            return
        existing = [each for each in (path, mask_path(path)) if each.exists()]
        if existing and not self.confirm(self._dock, existing):
            return
        self._task.start(once, write, path, result.found, tuple(result.boxes.boxes), bool(existing))

    def close(self) -> None:
        """Hear no more of what still runs."""
        self._task.close()
