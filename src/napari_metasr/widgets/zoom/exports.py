"""Keep and save: the whole region, rendered in a thread of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info, show_warning

from napari_metasr.figures.size import PrintSize
from napari_metasr.geometry.windows import Window
from napari_metasr.io.layers import METADATA_KEY, volume_of
from napari_metasr.io.names import stem, volume_file
from napari_metasr.widgets.panels.dialogs import Dialogs, safe_name, with_ending
from napari_metasr.widgets.panels.worker import Task, once, reason
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.preferences import preferences, remember
from napari_metasr.widgets.viewer.result_layers import (
    SUPER_RESOLVED,
    kept_name,
    result_layer,
    undisturbed,
)
from napari_metasr.widgets.zoom.drawn_line import drawn_line
from napari_metasr.widgets.zoom.messages import NO_RESULT
from napari_metasr.widgets.zoom.rendition import (
    ANIMATIONS,
    BLINKING,
    PROFILES,
    REGION_KINDS,
    FileKind,
    RenderingSpec,
    super_resolved,
)
from napari_metasr.widgets.zoom.settings import Export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.widgets.zoom.comparison import Mode
    from napari_metasr.widgets.zoom.display import Displayed
    from napari_metasr.widgets.zoom.dock import ZoomDock
    from napari_metasr.zoom.engine import ZoomModel

EXPORTED: dict[Export, tuple[FileKind, ...]] = {
    Export.PAGE: (FileKind.PAGE,),
    Export.ANIMATION: ANIMATIONS,
    Export.BLINK: BLINKING,
    Export.PROFILE: PROFILES,
}

TOLD = "told"
"""Under this a kept layer's metadata says what the model was told of the scan."""

NO_LINE = (
    "Draw a line inside the slice first, in a Shapes layer with the image's axes: the newest one "
    "is taken."
)


class Exports:
    """Starts the threads for keeping and saving, and reports how they end.

    Parameters
    ----------
    viewer, dock, engines
        The viewer, the controls that ask for it, the models.
    shown
        Returns what is on the screen, if there is a result.

    Attributes
    ----------
    dialogs
        How the user is asked.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: ZoomDock,
        engines: ModelCache[ZoomModel],
        shown: Callable[[], Displayed | None],
    ) -> None:
        self._viewer, self._dock, self._engines, self._shown = viewer, dock, engines, shown
        dock.keep_requested.connect(self.keep)
        dock.save_requested.connect(self.save)
        dock.export_requested.connect(self.export)
        self._tasks: dict[Task, object] = {}
        self.dialogs = Dialogs()

    @property
    def is_running(self) -> bool:
        """Whether anything is being rendered or written."""
        return bool(self._tasks)

    def spec(self) -> RenderingSpec | None:
        """Return what is shown now, to be rendered whole; None, and a warning, without a result."""
        shown = self._shown()
        if shown is None:
            show_warning(NO_RESULT)
            return None
        vertical, horizontal = camera_of(self._viewer).orientation2d
        low, high = shown.source.layer.contrast_limits
        return RenderingSpec(
            key=shown.key,
            source=shown.source,
            view=shown.view,
            grid=shown.plan.grid,
            window=shown.plan.region,
            name=shown.source.name,
            contrast_limits=(float(low), float(high)),
            orientation2d=(str(vertical), str(horizontal)),
            acquisition=shown.acquisition,
            guarantee=shown.guarantee,
        )

    def keep(self) -> None:
        """Add the region as a layer of its own, under the title of its model."""
        shown, spec = self._shown(), self.spec()
        if shown is None or spec is None:
            return
        title, mode = shown.title, shown.mode
        self._start(
            "Rendering the region",
            lambda image: self._add(image, spec, title, mode),
            once,
            super_resolved,
            spec,
            self._engines,
        )

    def save(self) -> None:
        """Ask for a file's name, and write the region."""
        spec = self.spec()
        if spec is not None:
            self._save(spec, REGION_KINDS)

    def _save(self, spec: RenderingSpec, offered: Sequence[FileKind]) -> None:
        """Ask for a file's name among the kinds that are offered, and write the region."""
        kinds = {str(kind): kind.endings for kind in offered}
        suggestion = with_ending(suggested(spec), offered[0].endings)
        answer = self.dialogs.path(self._dock, "Save the region", str(suggestion), kinds)
        if answer is None:
            return
        path, kind = answer[0], FileKind(answer[1])
        existing = [each for each in spec.files(path, kind) if each.exists()]
        if existing and not self.dialogs.may_replace(self._dock, existing):
            return
        if kind.has_dpi or kind.has_width:
            size = self._print_size(kind)
            if size is None:
                return
            spec = replace(spec, size=size)
        self._start(
            f"Saving {path.name}",
            lambda saved: show_info(f"Saved {saved}"),
            _written,
            path,
            kind,
            spec,
            self._engines,
        )

    def _print_size(self, kind: FileKind) -> PrintSize | None:
        """Ask how large a figure is to be, offering the size of the last one."""
        kept = preferences()
        offered = PrintSize(kept["figure_dpi"], kept["figure_width"] or None)
        size = self.dialogs.print_size(
            self._dock, offered, has_dpi=kind.has_dpi, has_width=kind.has_width
        )
        if size is not None:
            remember(figure_dpi=size.dpi, figure_width=round(size.width_mm or 0))
        return size

    def export(self, export: Export) -> None:
        """Ask for a file's name and make what was chosen of the region."""
        spec, shown = self.spec(), self._shown()
        if spec is None or shown is None:
            return
        if export is Export.PROFILE:
            ndim, before = spec.source.layer.ndim, shown.mode.snapshot
            line = drawn_line(self._viewer, spec.view, ndim, before)
            if line is None or not Window.whole(spec.view.shape).contains(line.box):
                show_warning(NO_LINE)
                return
            window = line.surroundings.clipped(spec.view.shape)
            spec = replace(spec, line=line, window=window)
        self._save(spec, EXPORTED[export])

    def cancel(self) -> None:
        """Use nothing of what is being rendered."""
        for task in self._tasks:
            task.cancel()

    def close(self) -> None:
        """Hear no more of what still runs."""
        for task in self._tasks:
            task.close()
        self._tasks.clear()

    def _start(
        self,
        text: str,
        done: Callable[[Any], None],
        function: Callable[..., Iterator[Any]],
        *args: Any,
    ) -> None:
        """Run a generator that yields how far it is, (done, total), and its result at the end."""
        holder = object()  # not the task: Qt would keep what is connected to it, and so itself

        def on_step(step: Any) -> None:
            if isinstance(step, tuple):
                self._dock.show_busy(holder, f"{text}: {step[0]} of {step[1]}", busy=True)
            else:
                done(step)

        task = Task()
        self._tasks[task] = holder
        task.step.connect(on_step)
        task.failed.connect(lambda error: show_error(f"Meta-SR Zoom: {reason(error)}"))
        task.finished.connect(self._on_finished)
        self._dock.show_busy(holder, f"{text} …", busy=True)
        task.start(function, *args)

    def _on_finished(self, cancelled: bool) -> None:
        for task in [task for task in self._tasks if not task.is_running]:
            self._dock.show_busy(self._tasks.pop(task), "", busy=False)

    def _add(
        self, image: NDArray[np.float32], spec: RenderingSpec, title: str, mode: Mode | None
    ) -> None:
        if spec.source.is_gone:
            return
        name = kept_name(spec.name, title, spec.grid.true_scale)
        layer = result_layer(spec.source, name)
        scale, translate = spec.source.placed(
            spec.view,
            *spec.grid.layer_transform(spec.view.scale, spec.view.translate, spec.window),
        )
        layer.data = spec.source.expanded(image, spec.view)
        layer.scale, layer.translate = scale, translate
        volume = volume_of(spec.source.layer.metadata)
        if volume is not None:  # napari's own saving finds the affine and the header there
            layer.metadata[METADATA_KEY] = volume
        layer.metadata[SUPER_RESOLVED] = title
        if spec.told:
            layer.metadata[TOLD] = spec.told
        with undisturbed(self._viewer):
            self._viewer.add_layer(layer)
        if mode is not None and mode.snapshot is not None:
            mode.snapshot.shown_later(layer)
            show_info(f"Kept as the layer “{layer.name}”: it is shown when comparing ends.")
        else:
            show_info(f"Kept as the layer “{layer.name}”.")


def _written(*arguments: Any) -> Iterator[Any]:
    """Write a region; what draws figures is loaded in the thread that draws them."""
    from napari_metasr.widgets.zoom.writing import save_steps

    yield from save_steps(*arguments)


def suggested(spec: RenderingSpec) -> Path:
    """Return how a saved region is called by default: beside its source's file, if it has one."""
    volume = spec.source.volume
    path = None if volume is None else volume_file(volume.source.path)
    name = safe_name(spec.name if path is None else stem(path), "slice")
    where = f"_{spec.view.plane}-{spec.view.index[-1]}" if spec.view.plane else ""
    scale = f"{spec.grid.true_scale[0]:.2f}".rstrip("0").rstrip(".").replace(".", "p")
    saved = f"{name}{where}_res-{scale}x_desc-metasr.nii.gz"
    return Path(saved) if path is None else path.with_name(saved)
