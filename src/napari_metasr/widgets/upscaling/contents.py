"""Where an image holds more than background, looked for while the window goes on."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_metasr.upscaling.unpacking import occupied
from napari_metasr.widgets.panels.worker import Task, once

if TYPE_CHECKING:
    from napari_metasr.upscaling.occupied import Occupied
    from napari_metasr.volume import Volume


class Contents(QObject):
    """Knows where the image that was asked for last holds more than background.

    Networks work on little else, so that the time they take depends on it. Images that are not in
    memory are not looked through.

    Signals
    -------
    found
        An image was looked through; another one can be asked for.
    """

    found = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._volume: weakref.ref[Volume] | None = None
        self._occupied: Occupied | None = None
        self._looking = Task(announced=False)
        self._looking.step.connect(self._on_step)
        self._looking.finished.connect(lambda _: self.found.emit())

    def of(self, volume: Volume) -> Occupied | None:
        """Return what is known of a volume; begin to look at one of which nothing is known yet."""
        if self._volume is not None and self._volume() is volume:
            return self._occupied
        if isinstance(volume.data, np.ndarray) and not self._looking.is_running:
            self._volume, self._occupied = weakref.ref(volume), None
            self._looking.start(once, _look, volume)
        return None

    @property
    def is_looking(self) -> bool:
        """Whether an image is being looked through."""
        return self._looking.is_running

    def close(self) -> None:
        """Look no more."""
        self._looking.close()

    def _on_step(self, seen: tuple[weakref.ref[Volume], Occupied]) -> None:
        if self._volume is not None and self._volume() is seen[0]():
            self._occupied = seen[1]


def _look(volume: Volume) -> tuple[weakref.ref[Volume], Occupied]:
    voxels: np.ndarray[Any, Any] = volume.data
    return weakref.ref(volume), occupied(voxels if voxels.ndim > 3 else voxels[None])
