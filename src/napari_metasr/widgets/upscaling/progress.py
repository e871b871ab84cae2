"""One volume's work as the dock shows it: how far it is, and the slice being worked on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from napari_metasr.geometry.display import edge_letters
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.preview import Pair
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.napari_versions import camera_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.progress import Preview, Progress
    from napari_metasr.upscaling.sidecar import LabelsRecord
    from napari_metasr.widgets.upscaling.dock import UpscaleDock
    from napari_metasr.widgets.upscaling.outlook import Outlook
    from napari_metasr.widgets.upscaling.task import LayerJob

FAINT = 0.1
"""Share of the contrast window below which a pixel is background."""


class WorkShown:
    """What has to be known while a task is done.

    Parameters
    ----------
    layer, viewer
        Slices are shown in the contrast of the one and the orientation of the other.

    Attributes
    ----------
    task, outlook, layer
        What is done, what was said of it before, and what it is done to.
    overall
        How far it is, 0 to 1.
    is_finished, is_failed
        Whether the output is there, and whether there was an error.
    labels
        Records of the segmentations that came along.
    """

    def __init__(
        self,
        dock: UpscaleDock,
        task: LayerJob,
        outlook: Outlook,
        layer: Image,
        viewer: ViewerModel,
    ) -> None:
        self._dock, self.task, self.outlook, self.layer = dock, task, outlook, layer
        self.overall = 0.0
        self._begun = self._told = time.monotonic()
        self._left: float | None = None
        self.is_finished = self.is_failed = False
        self.labels: tuple[LabelsRecord, ...] = ()
        self._stage = words.PREPARING
        self._stopping, self._is_new = False, True
        low, high = layer.contrast_limits
        self._limits = (float(low), float(high))
        vertical, horizontal = camera_of(viewer).orientation2d
        self._orientation2d = (str(vertical), str(horizontal))
        self._has_sides = layer_source(layer).has_sides
        dock.show_working()
        self.tell()

    @property
    def plan(self) -> Plan:
        """Plan of the work."""
        return self.outlook.plan

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float | None:
        """Seconds until the end; None before the work has begun."""
        if self._left is None:
            return None
        return max(self._left - (time.monotonic() - self._told), 0.0)

    def note(self, text: str) -> None:
        """Say what is being done; its duration is unknown."""
        self._stage = text
        self.tell()

    def progress(self, progress: Progress) -> None:
        """Say how far the work is, and show the slice."""
        self._stage = progress.stage.title
        self.overall, self._left, self._told = progress.overall, progress.left, time.monotonic()
        self._dock.show_overall(progress.overall)
        self.tell()
        preview = progress.preview
        if preview is not None and (self._is_new or self._is_seen(preview)):
            self._is_new = False  # from then on, nothing takes the place of something
            self._dock.show_pair(self._pair(preview))

    def _is_seen(self, preview: Preview) -> bool:
        """Return whether anything of a slice is seen at all."""
        low, high = self._limits
        return bool((preview.before > low + FAINT * (high - low)).any())

    def stopping(self) -> None:
        """Note that it has been asked to stop."""
        self._stopping = True
        self._dock.show_stopping()

    def tell(self) -> None:
        """Say what is being done and how long it will take, as it is known now."""
        if not self._stopping:
            self._dock.show_status(words.stage(self._stage, self.left))

    def end(self, *, is_kept: bool) -> None:
        """Say how it ended.

        Parameters
        ----------
        is_kept
            Whether what was done is there to go on with.
        """
        self._dock.show_overall(1.0 if self.is_finished else self.overall)
        if self.is_finished:
            self._dock.show_status(words.done(self.task.job.output.name, self.elapsed))
        else:
            say = words.failed if self.is_failed else words.stopped
            self._dock.show_status(say(self.overall, is_kept=is_kept))

    def _pair(self, preview: Preview) -> Pair:
        rows, columns = preview.plane.row_axis, preview.plane.column_axis
        target = self.plan.target
        height, width = (target.shape[axis] * target.spacing[axis] for axis in (rows, columns))
        return Pair(
            before=preview.before,
            after=preview.image,
            proportion=width / height,
            contrast_limits=self._limits,
            orientation2d=self._orientation2d,
            letters=edge_letters(rows, columns, self._orientation2d) if self._has_sides else {},
            text=words.preview(preview.plane, preview.index, preview.count),
        )
