"""The loupe of a viewer: follows mouse, camera and slices while it is open."""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QPoint, Qt

from napari_metasr.figures.caption import scale_text
from napari_metasr.weights import DEFAULT_MODEL
from napari_metasr.widgets.loupe.pane import Look, LoupePane
from napari_metasr.widgets.loupe.target import image_under
from napari_metasr.widgets.panels.worker import Task, once
from napari_metasr.widgets.viewer import wheel
from napari_metasr.widgets.viewer.camera import CameraControl
from napari_metasr.widgets.viewer.colours import APPEARANCE_EVENTS
from napari_metasr.widgets.viewer.encoding import prepare_network
from napari_metasr.widgets.viewer.layer_grid import GEOMETRY_EVENTS, UnsupportedLayerError
from napari_metasr.widgets.viewer.layer_source import check_supported
from napari_metasr.widgets.viewer.lens import Lens, facing
from napari_metasr.widgets.viewer.magnifier import Magnifier
from napari_metasr.widgets.viewer.models import ModelCache, load_zoom_model
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_widget
from napari_metasr.widgets.viewer.painting import tile_of
from napari_metasr.widgets.viewer.preferences import preferences
from napari_metasr.widgets.viewer.result_layers import PURPOSE, is_super_resolved
from napari_metasr.widgets.viewer.shared import real_viewer, shared
from napari_metasr.widgets.viewer.subscriptions import Subscriptions
from napari_metasr.widgets.viewer.updates import Updates

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Layer
    from qtpy.QtWidgets import QWidget

    from napari_metasr.widgets.viewer.layer_source import LayerSource
    from napari_metasr.widgets.viewer.magnified import Network, Piece
    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.zoom.engine import ZoomModel

log = logging.getLogger(__name__)

BYTE_BUDGET = 256 << 20
LEAST, MOST = 1.2, 16.0
FIRST = 2.0
NO_IMAGE = "No image lies under the mouse."
IN_3D = "The loupe magnifies slices: go back to 2-D first (Ctrl+Y)."
NO_SLICE = "“{name}” has no slice here."
MADE_ALREADY = "“{name}” is super-resolved already: put the loupe on the original."
READING = "Reading the slice …"


class Loupe(QObject):
    """A pane at the mouse that shows a slice magnified: bicubic left, super-resolved right.

    It adds no layer. Use `loupe_of`, which gives a viewer's one loupe.

    Parameters
    ----------
    viewer
        The viewer itself.
    canvas
        The widget that it draws in.
    engine_factory
        Loads a model, called as ``engine_factory(model, device=device)``.

    Attributes
    ----------
    magnification
        How many times larger than on the canvas.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        canvas: QWidget,
        engine_factory: Loader[ZoomModel] = load_zoom_model,
    ) -> None:
        super().__init__(canvas)
        self._viewer, self._canvas = weakref.ref(viewer), canvas
        self.magnification = FIRST
        self.pane: LoupePane | None = None
        self.lens: Lens | None = None
        self._engines = ModelCache(engine_factory)
        self._preparing = Task(announced=False)
        self._preparing.failed.connect(lambda error: log.warning("the loupe's network: %s", error))
        self._magnifier: Magnifier | None = None
        self._subscriptions = Subscriptions()
        self._appearance = Subscriptions()
        self._layer: weakref.ref[Image] | None = None
        self._mouse: QPoint | None = None
        self._pointed: tuple[QPoint, tuple[float, float]] | None = None
        self.updates = Updates(self._update, self)

    @property
    def is_open(self) -> bool:
        """Whether it follows the mouse."""
        return self.pane is not None

    @property
    def is_waiting(self) -> bool:
        """Whether anything is still to be shown or encoded."""
        return self.updates.is_due or (self._magnifier is not None and self._magnifier.is_running)

    @property
    def is_preparing(self) -> bool:
        """Whether the network is being loaded for a loupe that may be opened."""
        return self._preparing.is_running

    def prepare(self) -> None:
        """Load the network in the background, before it is asked for; it stays loaded."""
        device = preferences()["device"]
        if not self.is_preparing and self._engines.loaded(DEFAULT_MODEL, device) is None:
            self._preparing.start(once, prepare_network, DEFAULT_MODEL, device, self._engines)

    def open(self) -> None:
        """Show what lies under the mouse, from now on."""
        viewer = self._viewer()
        if self.is_open or viewer is None:
            return
        self.pane = LoupePane(self._canvas)
        self._magnifier = Magnifier(self._engines, BYTE_BUDGET, self.schedule)
        self._canvas.installEventFilter(self)
        camera, dims, layers = camera_of(viewer), viewer.dims, viewer.layers
        self._subscriptions = Subscriptions(
            [
                (viewer.cursor.events.position, self._on_cursor),
                (camera.events.center, self.schedule),
                (camera.events.zoom, self.schedule),
                (camera.events.orientation, self.schedule),
                (dims.events.current_step, self.schedule),
                (dims.events.order, self.schedule),
                (dims.events.ndisplay, self.schedule),
                (layers.events.inserted, self.schedule),
                (layers.events.removed, self._on_removed),
                (layers.events.reordered, self.schedule),
            ]
        )
        place = self._canvas.mapFromGlobal(self._canvas.cursor().pos())
        if self._canvas.rect().contains(place):
            self._mouse = place
        if self._mouse is not None and self._pointed is None:
            self._on_cursor()
        self.schedule()

    def close(self) -> None:
        """Take the pane away, stop all work and free the memory; safe at any time."""
        if self.pane is None:
            return
        self._subscriptions.close()
        self._follow(None)
        if self._magnifier is not None:
            self._magnifier.close()
        self._magnifier = self.lens = None
        self._canvas.removeEventFilter(self)
        self.pane.hide()
        self.pane.deleteLater()
        self.pane = None

    def toggle(self) -> None:
        """Open it, or close it."""
        if self.is_open:
            self.close()
        else:
            self.open()

    def schedule(self, event: Any = None) -> None:
        """Ask for an update before the next drawing."""
        if self.is_open:
            self.updates.ask()

    # what happens

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow the mouse over the canvas; the wheel changes the magnification."""
        if event is None or not self.is_open:
            return False
        kind = event.type()
        if kind == QEvent.Type.MouseMove:
            self._mouse = event.position().toPoint()  # type: ignore[attr-defined]
            self.schedule()
        elif kind == QEvent.Type.Leave:
            self._mouse = self._pointed = None
            self.schedule()
        elif kind == QEvent.Type.Wheel and event.modifiers() == Qt.KeyboardModifier.NoModifier:  # type: ignore[attr-defined]
            self._turn(wheel.notches(event))  # type: ignore[arg-type]
            return True
        elif kind == QEvent.Type.Hide:
            self.close()
        return False

    def _turn(self, notches: float) -> None:
        self.magnification = min(max(wheel.magnified(self.magnification, notches), LEAST), MOST)
        self.schedule()

    def _on_cursor(self, event: Any = None) -> None:
        """Remember how far from the middle of its view box the mouse points, in screen pixels."""
        viewer = self._viewer()
        if viewer is None or self._mouse is None or self._is_dragging():
            return
        place = viewer.cursor.position
        world = [place[axis] for axis in viewer.dims.displayed[-2:]]
        camera = camera_of(viewer)
        vertical, horizontal = (
            (position - middle) * camera.zoom
            for position, middle in zip(world, camera.center[-2:], strict=True)
        )
        self._pointed = self._mouse, (vertical, horizontal)
        self.schedule()

    def _is_dragging(self) -> bool:
        """Return whether the mouse is moving the camera, which napari knows a drawing later."""
        from qtpy.QtWidgets import QApplication

        return QApplication.mouseButtons() != Qt.MouseButton.NoButton

    def _on_removed(self, event: Any) -> None:
        layer: Layer = event.value
        if self._magnifier is not None:
            self._magnifier.forget(layer)
        self.schedule()

    def _follow(self, layer: Image | None) -> None:
        """Listen to the appearance, the numbers and the place of the layer that is shown."""
        if layer is (self._layer() if self._layer is not None else None):
            return
        self._appearance.close()
        self._layer = weakref.ref(layer) if layer is not None else None
        if layer is not None:
            self._appearance = Subscriptions(
                (getattr(layer.events, name), self.schedule)
                for name in (*APPEARANCE_EVENTS, *GEOMETRY_EVENTS)
            )

    # the update

    def world(self, viewer: ViewerModel) -> tuple[float, float] | None:
        """Return what the mouse points at, (vertical, horizontal) in the world, if anything.

        It is told from the camera as it is now: slices and camera move while the mouse rests.
        """
        if self._mouse is None or self._pointed is None or viewer.cursor.viewbox is None:
            return None
        camera = camera_of(viewer)
        then, offset = self._pointed
        moved = (self._mouse.y() - then.y(), self._mouse.x() - then.x())
        vertical, horizontal = (
            middle + (pixels + way * step) / camera.zoom
            for middle, pixels, way, step in zip(
                camera.center[-2:], offset, _ways(viewer), moved, strict=True
            )
        )
        return vertical, horizontal

    def _update(self) -> None:
        """Show what lies under the mouse by now."""
        viewer, pane = self._viewer(), self.pane
        if viewer is None or pane is None:
            return
        if self._mouse is None:
            pane.hide()
            return
        found = self._target(viewer)
        if isinstance(found, str):
            self._rest(pane, found)
            return
        source, lens = found
        self._follow(source.layer)
        self._show(pane, source, lens)

    def _rest(self, pane: LoupePane, text: str) -> None:
        """Magnify nothing, and say why."""
        self.lens = None
        if self._magnifier is not None:
            self._magnifier.rest()
        if self._mouse is not None:
            pane.say(text, self._mouse)

    def _target(self, viewer: ViewerModel) -> tuple[LayerSource, Lens] | str:
        """Return what is magnified, or the reason why nothing is."""
        if viewer.dims.ndisplay == 3:
            return IN_3D
        world = self.world(viewer)
        source = image_under(viewer, world) if world is not None else None
        if world is None or source is None:
            return NO_IMAGE
        try:
            check_supported(source.layer)
            view = source.view(viewer.dims)
        except UnsupportedLayerError as refusal:
            return str(refusal)
        if view is None:
            return NO_SLICE.format(name=source.name)
        if is_super_resolved(source.layer):
            return MADE_ALREADY.format(name=source.name)
        pane, ratio = self.pane, self._canvas.devicePixelRatioF()
        side = ratio * pane.side if pane is not None else ratio
        on_canvas = CameraControl(viewer).viewport().screen_scale(view)
        least = max(self.magnification, 1 / min(on_canvas))
        rows, columns = (ratio * least * density for density in on_canvas)
        vertical, horizontal = map(str, camera_of(viewer).orientation2d)
        lens = Lens(
            view,
            view.edges(view.on_screen(world)),
            (rows, columns),
            (side, side),
            facing(view, (vertical, horizontal)),
        )
        return source, lens

    def _show(self, pane: LoupePane, source: LayerSource, lens: Lens) -> None:
        if self._magnifier is None or self._mouse is None:
            return
        self.lens = lens
        sight = self._magnifier.look(source, lens, preferences()["device"])
        if sight is None:
            pane.say(READING if lens.window() is not None else NO_IMAGE, self._mouse)
            return
        below = sight.interpolated(lens.window(stop=1 / 2))
        above = sight.super_resolved(lens.window(start=1 / 2))
        if sight.is_ready:
            name = _name(sight.network, above, source, lens)
        else:
            name = "\n".join(sight.reason)
        middle, width = lens.size[1] / 2, lens.size[1]
        tiles = tuple(
            tile_of(source.layer, lens, piece, clip)
            for piece, clip in ((below, (0.0, middle)), (above, (middle, width)))
            if piece is not None
        )
        ratio = self._canvas.devicePixelRatioF()
        per_unit = lens.view.on_screen(lens.density)[1] / ratio
        per_unit /= abs(lens.view.on_screen(lens.view.scale)[1])
        foot = self._foot(source, lens, ratio)
        look = Look(tiles, "bicubic", name, foot, per_unit, source.unit(lens.view))
        pane.show_look(look, self._mouse)

    def _foot(self, source: LayerSource, lens: Lens, ratio: float) -> str:
        """Return the factor to the canvas, and the size of a voxel."""
        rows, columns = (f"{abs(step):.3g}" for step in lens.view.on_screen(lens.view.scale))
        viewer = self._viewer()
        zoom = camera_of(viewer).zoom if viewer is not None else 1.0
        factor = lens.density[0] / (abs(lens.view.scale[0]) * zoom * ratio)
        return f"magnified ×{factor:.1f}\nvoxel {rows} × {columns} {source.unit(lens.view)}"


def _ways(viewer: ViewerModel) -> tuple[int, int]:
    """Return which way the world's displayed axes grow on the screen, down and rightwards."""
    vertical, horizontal = map(str, camera_of(viewer).orientation2d)
    return (-1 if vertical == "up" else 1), (-1 if horizontal == "left" else 1)


def _name(network: Network, piece: Piece | None, source: LayerSource, lens: Lens) -> str:
    """Return what the super-resolved half is called: its true scale, and its pixels' size."""
    if piece is None:
        return network.title
    scale = lens.view.on_screen(piece.scale)
    steps = lens.view.on_screen(lens.view.scale)
    sizes = dict.fromkeys(
        f"{abs(step) / along:.2g}" for step, along in zip(steps, scale, strict=True)
    )
    across = "across the slices\n" if network.is_across else ""
    spacing = f"{' × '.join(sizes)} {source.unit(lens.view)}"
    return f"super-resolved\n{across}{scale_text(scale, short=True)}\n{spacing}\n{PURPOSE}"


def loupe_of(viewer: ViewerModel) -> Loupe | None:
    """Return the loupe of a viewer, always the same one; None for a viewer without a window."""
    real = real_viewer(viewer)
    canvas = canvas_widget(real)
    return None if canvas is None else shared(real, Loupe, lambda: Loupe(real, canvas))
