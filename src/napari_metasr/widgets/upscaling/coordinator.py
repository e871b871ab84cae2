"""Keeps the dock for whole volumes, the work and the viewer in step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Layer
from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QObject, QTimer

from napari_metasr.io.names import labels_name, sidecar_path
from napari_metasr.upscaling.job import LESION, Job
from napari_metasr.upscaling.outputs import check_inputs_kept, check_own_record
from napari_metasr.upscaling.workspace import Workspace
from napari_metasr.widgets.panels.dialogs import Dialogs
from napari_metasr.widgets.panels.worker import Task, once
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.contents import Contents
from napari_metasr.widgets.upscaling.form import UpscaleChoice
from napari_metasr.widgets.upscaling.masks import mask_maker
from napari_metasr.widgets.upscaling.outlook import file_name, files_of_labels, options
from napari_metasr.widgets.upscaling.progress import WorkShown
from napari_metasr.widgets.upscaling.result_layer import like_source, named_as_made
from napari_metasr.widgets.upscaling.settings import FOUND
from napari_metasr.widgets.upscaling.task import LayerJob, Note, Opened, Saved, upscale
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.result_layers import undisturbed

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel
    from napari.layers import Image

    from napari_metasr.geometry.display import DisplayConvention
    from napari_metasr.upscaling.plan import Plan
    from napari_metasr.upscaling.upscale import Upscaling
    from napari_metasr.widgets.upscaling.dock import UpscaleDock
    from napari_metasr.widgets.upscaling.task import Step

HOLDER = "upscale dock"
TITLE = "Upscale volume"
TICK_MS = 1000
KINDS = {
    "NIfTI": (".nii.gz", ".nii"),
    "FreeSurfer": (".mgz", ".mgh"),
    "NRRD": (".nrrd",),
    "MetaImage": (".mha",),
}
LONG_ENOUGH = 30.0
"""Seconds of work from which on it tells how fast the machine is."""


class UpscaleCoordinator(QObject):
    """Makes volumes of the viewer finer, one at a time, and adds what comes of it.

    Parameters
    ----------
    viewer, dock
        The viewer and the controls; the coordinator is the dock's child.
    prepare
        See ``Job.prepare``; called off the GUI thread.
    measure
        Called as ``measure(model, device)``, off the GUI thread: seconds for a unit of cost.
    convention
        On which side of the screen the patient's left is.

    Attributes
    ----------
    dialogs
        How the user is asked.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: UpscaleDock,
        prepare: Callable[[Job], Upscaling],
        measure: Callable[[str, str], float],
        *,
        convention: DisplayConvention,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock = viewer, dock
        self._closed = False
        self._work: WorkShown | None = None
        self._speeds: dict[tuple[str, str], float | None] = {}
        self._measure = measure
        self._measuring = Task(announced=False)
        self._measuring.step.connect(self._on_measured)
        self._contents = Contents()
        self._contents.found.connect(self._update)
        self.dialogs = Dialogs()
        self.choice = UpscaleChoice(viewer, dock)
        self._prepare = prepare
        self.worker = Task()
        self.worker.step.connect(self._on_step)
        self.worker.warned.connect(lambda text: show_warning(f"{TITLE}: {text}"))
        self.worker.failed.connect(self._on_error)
        self.worker.finished.connect(self._on_finished)
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._anatomy = anatomical_view(viewer, convention)
        self._anatomy.hold(HOLDER)
        self.choice.changed.connect(self._update)
        dock.browse_requested.connect(self._on_browse)
        dock.start_requested.connect(lambda: self._on_start(resume=False))
        dock.resume_requested.connect(lambda: self._on_start(resume=True))
        dock.discard_requested.connect(self._on_discard)
        dock.cancel_requested.connect(self._on_cancel)
        dock.closed.connect(self.close)
        dock.show_status(words.READY)
        self._update()

    def close(self) -> None:
        """Stop, and let go of the viewer; what is done stays on the disk. Safe at any time."""
        if self._closed:
            return
        self._closed = True
        self.worker.close()
        self._measuring.close()
        self._contents.close()
        self._timer.stop()
        self.choice.close()
        self._anatomy.release(HOLDER)

    @property
    def is_waiting(self) -> bool:
        """Whether anything is being done, measured or looked at."""
        return self.worker.is_running or self._measuring.is_running or self._contents.is_looking

    def _update(self) -> None:
        """Bring the dock in step with the layers and with what is set."""
        self.choice.refresh()
        if self.worker.is_running:
            return
        dock = self._dock
        try:
            volume = self.choice.volume()
        except ValueError as refusal:
            dock.target.show_finest("")
            dock.show_plan(str(refusal))
            dock.show_idle(can_start=False)
            return
        try:
            ahead = self.choice.outlook(self._contents)
        except ValueError as refusal:
            dock.show_plan(f"{words.size(volume)}\n{refusal}")
            dock.show_idle(can_start=False)
            return
        dock.show_output(self.choice.default_output)
        try:
            unfinished = self._is_begun(self.choice.output)
        except (ValueError, OSError) as refusal:
            reason = getattr(refusal, "strerror", None) or refusal  # without the whole path
            dock.show_plan(f"{words.size(volume)}\nOutput: {reason}")
            dock.show_idle(can_start=False)
            return
        text = words.plan(
            volume,
            ahead,
            self._speed(ahead.plan),
            labels=[layer.name for layer in self.choice.segmentations],
        )
        plan = ahead.plan
        dock.show_plan(
            text,
            in_plane=plan.in_plane is not None,
            through_plane=plan.through_plane is not None,
            can_be_told=plan.in_plane is not None and plan.in_plane.can_be_told,
        )
        dock.show_idle(can_start=True, unfinished=unfinished)

    def _speed(self, plan: Plan) -> float | None:
        """Return seconds for a unit of cost, as far as known; it is measured where it is not."""
        key = _network_of(plan)
        if key is not None and key not in self._speeds and not self._measuring.is_running:
            self._speeds[key] = None  # measured once, whatever comes of it
            self._measuring.start(once, self._measured, key)
        return None if key is None else self._speeds.get(key)

    def _measured(self, key: tuple[str, str]) -> tuple[tuple[str, str], float]:
        """Measure how fast a model is on a device; called off the GUI thread."""
        return key, self._measure(*key)

    def _on_measured(self, found: tuple[tuple[str, str], float]) -> None:
        key, seconds = found
        if self._speeds[key] is None:  # nothing was learned from real work meanwhile
            self._speeds[key] = seconds
        self._update()

    def _is_begun(self, output: Path | None) -> bool:
        """Return whether there is unfinished work to go on with."""
        return output is not None and Workspace(output).is_begun

    def _on_browse(self) -> None:
        path = self._ask_path(self.choice.default_output or self.choice.suggestion)
        if path is not None:
            self.choice.set_output(path)

    def _ask_path(self, suggestion: str) -> Path | None:
        answer = self.dialogs.path(self._dock, words.WRITE, suggestion, KINDS)
        return None if answer is None else answer[0]

    def _on_start(self, *, resume: bool) -> None:
        """Ask what has to be asked, and begin."""
        image = self.choice.image
        try:
            output = self.choice.output
            if output is None:
                output = self._ask_path(self.choice.suggestion)
            if image is None or output is None or self.worker.is_running:
                return
            self.choice.set_output(output)
            self._is_begun(output)  # refuses a name that no file can have
            check_own_record(output)
            written = (output, sidecar_path(output), *self._label_outputs(output).values())
            existing = [path for path in written if path.exists()]
            ahead = self.choice.outlook(self._contents)
            task = self._task(image, output, resume=resume, overwrite=bool(existing))
        except (ValueError, OSError) as refusal:
            self._tell(refusal)
            return
        if ahead.is_large and not self.dialogs.confirm(
            self._dock, words.REALLY, words.large(ahead)
        ):
            return
        if existing and not self.dialogs.may_replace(self._dock, existing):
            return
        self._work = WorkShown(self._dock, task, ahead, image, self._viewer)
        self._timer.start()
        self.worker.start(upscale, task, self._prepare)

    def _label_outputs(self, output: Path) -> dict[str, Path]:
        """Return where the labels of each segmentation go, by the names of their files."""
        names = files_of_labels([layer.name for layer in self.choice.segmentations], output)
        return {name: output.with_name(labels_name(output, Path(name))) for name in names}

    def _task(self, image: Image, output: Path, *, resume: bool, overwrite: bool) -> LayerJob:
        """Return what is to be done.

        Raises
        ------
        ValueError
            If the output is the input.
        """
        settings, region, path = self._dock.settings, self.choice.region, self.choice.file
        volume = self.choice.volume()
        layers = (image,) if region is None else (image, region)
        origins = (volume.source.path, *(layer.source.path for layer in layers))
        labels, made = self.choice.segmentations, self._label_outputs(output)
        origins = (*origins, *(layer.source.path for layer in labels))
        check_inputs_kept(
            output,
            [Path(origin) for origin in origins if origin is not None],
            made.values(),
        )
        job = Job(
            input=path or Path(file_name(volume, ".nii")),
            output=output,
            options=options(volume, settings),
            within=LESION if settings.within == FOUND else None,
            device=settings.device,
            overwrite=overwrite,
            resume=resume,
            force=True,  # the user has been asked
        )
        return LayerJob(
            job,
            volume,
            layer=None if path is not None else image.as_layer_data_tuple(),
            mask=None if region is None else mask_maker(region, image),
            opens=settings.opens,
            labels={name: np.asarray(layer.data) for name, layer in zip(made, labels, strict=True)},
        )

    def _on_cancel(self) -> None:
        if self._work is not None:
            self._work.stopping()
        self.worker.cancel()

    def _on_discard(self) -> None:
        try:
            output = self.choice.output
            if output is not None:
                Workspace(output).discard()
                self._dock.show_overall(0.0)
                self._dock.show_status(words.DISCARDED)
        except (ValueError, OSError) as refusal:
            self._tell(refusal)
        self._update()

    def _on_tick(self) -> None:
        if self._work is not None:
            self._work.tell()

    def _on_step(self, step: Step) -> None:
        work = self._work
        if work is None:
            return
        if isinstance(step, Note):
            work.note(step.text)
        elif isinstance(step, Saved):
            work.is_finished, work.labels = True, step.labels
        elif isinstance(step, Opened):
            self._add(step, work)
        else:
            work.progress(step)

    def _add(self, opened: Opened, work: WorkShown) -> None:
        """Add the output where it belongs, and leave the viewer at its slice."""
        lives = work.layer in self._viewer.layers
        added = []
        for data in map(named_as_made, opened.layers):
            shown = like_source(data, work.layer, work.plan.target) if lives else data
            layer = Layer.create(*shown)
            with undisturbed(self._viewer):
                added.append(self._viewer.add_layer(layer))
        self._viewer.layers.selection.active = added[0]

    def _on_error(self, error: Exception) -> None:
        if self._work is not None:
            self._work.is_failed = True
        self._tell(error)

    def _tell(self, refusal: Exception) -> None:
        """Say why not."""
        show_error(f"{TITLE}: {words.refusal(refusal)}")

    def _on_finished(self, cancelled: bool) -> None:
        self._timer.stop()
        work, self._work = self._work, None
        if work is not None:
            output = work.task.job.output
            work.end(is_kept=self._is_begun(output))
            if work.is_finished:
                self._learn_speed(work)
                show_info("\n".join([f"Saved {output}", *map(words.volumes, work.labels)]))
        self._update()

    def _learn_speed(self, work: WorkShown) -> None:
        """Remember how fast this machine is, for the next volume."""
        key, job = _network_of(work.plan), work.task.job
        if work.elapsed < LONG_ENOUGH or job.resume or key is None:
            return
        if work.outlook.occupied is None:  # its cost counts air, on which no time was spent
            return
        if job.within is None and work.task.mask is None:
            self._speeds[key] = work.elapsed / work.outlook.cost


def _network_of(plan: Plan) -> tuple[str, str] | None:
    """Return the name and the device of the network that takes most of the time, if there is one.

    That is the one for slices, which does every part that the other one starts from.
    """
    if plan.in_plane is not None:
        return plan.options.model, plan.device
    if plan.through_plane is not None:
        return plan.options.through_plane_model, plan.device
    return None
