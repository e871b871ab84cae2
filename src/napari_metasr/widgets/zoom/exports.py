"""Keep and save: the whole region, rendered in a thread of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog

from napari_metasr.io.layers import METADATA_KEY, volume_of
from napari_metasr.widgets.panels.worker import Task, once
from napari_metasr.widgets.viewer.result_layers import enhanced_name, result_layer, undisturbed
from napari_metasr.widgets.zoom.rendition import KINDS, RenderingSpec, render_region, save_region

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.zoom.comparison import Mode
    from napari_metasr.widgets.zoom.dock import ZoomDock
    from napari_metasr.widgets.zoom.encoding import Engines
    from napari_metasr.widgets.zoom.plan import Plan
    from napari_metasr.widgets.zoom.rendition import Rendering
    from napari_metasr.zoom.session import SliceKey


def ask_path(parent: Any, suggestion: str) -> tuple[Path, str] | None:
    """Ask the user where to save, and as what; None if they change their mind."""
    name, kind = QFileDialog.getSaveFileName(
        parent, "Save the magnified region", suggestion, ";;".join(KINDS)
    )
    if not name:
        return None
    path = Path(name)
    suffix = KINDS[kind]
    if not path.name.lower().endswith((suffix, ".nii") if suffix == ".nii.gz" else suffix):
        path = path.with_name(path.name + suffix)
    return path, kind


class Exports:
    """Starts the threads for keeping and saving, and reports how they end."""

    def __init__(self, viewer: ViewerModel, dock: ZoomDock, engines: Engines) -> None:
        self._viewer, self._dock, self._engines = viewer, dock, engines
        self._tasks: list[Task] = []
        self.ask_path: Callable[[Any, str], tuple[Path, str] | None] = ask_path

    @property
    def is_running(self) -> bool:
        """Whether anything is being rendered or written."""
        return bool(self._tasks)

    def spec(
        self, key: SliceKey, source: LayerSource, view: SliceView, plan: Plan, title: str
    ) -> RenderingSpec:
        """What the dock shows now, as something to be rendered whole."""
        vertical, horizontal = self._viewer.scene.camera.orientation2d
        low, high = source.layer.contrast_limits
        return RenderingSpec(
            key=key,
            source=source,
            view=view,
            scale=plan.scale,
            grid=plan.grid,
            window=plan.region,
            title=title,
            name=source.name,
            contrast_limits=(float(low), float(high)),
            orientation2d=(str(vertical), str(horizontal)),
        )

    def keep(self, spec: RenderingSpec, mode: Mode | None) -> None:
        """Add the region as a layer of its own."""
        self._start(
            "Rendering the region",
            lambda rendering: self._add(rendering, mode),
            render_region,
            spec,
            self._engines,
        )

    def save(self, spec: RenderingSpec) -> None:
        """Ask for a file's name and write the region."""
        scale = f"{spec.grid.true_scale[0]:.2f}".replace(".", "p")
        answer = self.ask_path(self._dock, f"{spec.name}_res-{scale}x_desc-metasr.nii.gz")
        if answer is not None:
            path, kind = answer
            self._start(
                f"Saving {path.name}",
                lambda saved: show_info(f"Saved {saved}"),
                save_region,
                path,
                kind,
                spec,
                self._engines,
            )

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
        self, text: str, done: Callable[[Any], None], function: Callable[..., Any], *args: Any
    ) -> None:
        task = Task()
        self._tasks.append(task)
        task.step.connect(done)
        task.failed.connect(lambda error: show_error(f"Meta-SR Zoom: {error}"))
        task.finished.connect(self._on_finished)
        self._dock.show_busy(f"{text} …", busy=True)
        task.start(once, function, *args)

    def _on_finished(self, cancelled: bool) -> None:
        self._tasks = [task for task in self._tasks if task.is_running]
        self._dock.show_busy("", busy=False)

    def _add(self, rendering: Rendering, mode: Mode | None) -> None:
        spec = rendering.spec
        if spec.source.is_gone:
            return
        layer = result_layer(
            spec.source, enhanced_name(spec.name, spec.title, spec.grid.true_scale)
        )
        scale, translate = spec.source.placed(
            spec.view,
            *spec.grid.layer_transform(spec.view.scale, spec.view.translate, spec.window),
        )
        layer.data = spec.source.expanded(rendering.enhanced, spec.view)
        layer.scale, layer.translate = scale, translate
        volume = volume_of(spec.source.layer.metadata)
        if volume is not None:  # napari's own saving finds the affine and the header there
            layer.metadata[METADATA_KEY] = volume
        with undisturbed(self._viewer):
            self._viewer.add_layer(layer)
        if mode is not None and mode.snapshot is not None:
            mode.snapshot.shown_later(layer)
