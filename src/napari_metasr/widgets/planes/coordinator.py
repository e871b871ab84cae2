"""Keeps three panes in step with the viewer's position, image and orientation."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from napari.utils.notifications import show_error
from qtpy.QtCore import QObject

from napari_metasr.figures.caption import scale_text
from napari_metasr.geometry.display import edge_letters
from napari_metasr.volume import Plane
from napari_metasr.widgets.panels.worker import reason
from napari_metasr.widgets.planes.pane import PlaneLook
from napari_metasr.widgets.planes.picture import PlanePicture, Shown, Subject
from napari_metasr.widgets.planes.section import (
    Camera,
    PlanePosition,
    fitting,
    in_plane,
    nearest_inside,
)
from napari_metasr.widgets.viewer import wheel
from napari_metasr.widgets.viewer.anatomical_view import anatomical_view
from napari_metasr.widgets.viewer.colours import APPEARANCE_EVENTS
from napari_metasr.widgets.viewer.layer_choice import LayerChoice
from napari_metasr.widgets.viewer.layer_grid import UnsupportedLayerError
from napari_metasr.widgets.viewer.layer_source import check_supported, layer_source
from napari_metasr.widgets.viewer.lens import Lens, facing
from napari_metasr.widgets.viewer.magnifier import Magnifier
from napari_metasr.widgets.viewer.models import ModelCache
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.viewer.painting import Tile, tile_of
from napari_metasr.widgets.viewer.preferences import preferences
from napari_metasr.widgets.viewer.rendering import Renderings
from napari_metasr.widgets.viewer.result_layers import MADE_ALREADY, PURPOSE, is_super_resolved
from napari_metasr.widgets.viewer.subscriptions import Subscriptions
from napari_metasr.widgets.viewer.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.geometry.display import DisplayConvention
    from napari_metasr.widgets.planes.dock import PlanesDock
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.magnified import Piece
    from napari_metasr.widgets.viewer.models import Loader
    from napari_metasr.zoom.engine import ZoomModel

NO_IMAGE = "Open a volume to see its planes."
NO_VOLUME = "“{name}” is a single slice: three planes need a volume."
OUTSIDE = "The cross-hair lies outside “{name}”: a click in a plane brings it back."
ACROSS = "Across thick slices the through-plane network works between slices."
HOLDER = "planes"
RENDERING = "bicubic, until rendered …"


class PlanesCoordinator(QObject):
    """Shows the planes through the viewer's point, and moves the point.

    The point is napari's own: its sliders move the cross-hair, and the cross-hair moves them.

    Parameters
    ----------
    viewer, dock
        The viewer and the panel; the coordinator is the panel's child.
    engine_factory
        Called as ``engine_factory(model, device=device)``, off the GUI thread.
    byte_budget
        How much memory encoded slices of one plane may take.
    convention
        On which side of the screen the patient's left is.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        dock: PlanesDock,
        engine_factory: Loader[ZoomModel],
        *,
        byte_budget: int,
        convention: DisplayConvention,
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock = viewer, dock
        self._closed = False
        self._updates = Updates(self._update, self)
        self._camera: Camera | None = None
        self._engines = ModelCache(engine_factory)
        self._renderings = Renderings(self._on_rendered, self._on_failed)
        self.pictures = {
            plane: PlanePicture(
                plane, Magnifier(self._engines, byte_budget, self.schedule), self._renderings
            )
            for plane in Plane
        }
        self._appearance = Subscriptions()
        self._followed: weakref.ref[Layer] | None = None
        self._images = LayerChoice(
            viewer, dock.show_sources, changed=self._on_changed, renamed=self._on_layers
        )
        self.lenses: dict[Plane, Lens] = {}
        self._tiles: dict[Plane, tuple[Piece, Lens, Tile]] = {}
        self._anatomy = anatomical_view(viewer, convention)
        self._anatomy.hold(HOLDER)
        dock.source_chosen.connect(self._on_source)
        dock.enhancing_toggled.connect(self.schedule)
        dock.fit_requested.connect(self._fit)
        dock.closed.connect(self.close)
        for pane in dock.panes.values():
            pane.pointed.connect(self._on_pointed)
            pane.dragged.connect(self._on_dragged)
            pane.scrolled.connect(self._on_scrolled)
            pane.stepped.connect(self._on_stepped)
            pane.resized.connect(self.schedule)
        dims, layers = viewer.dims, viewer.layers
        self._subscriptions = Subscriptions(
            [
                (dims.events.current_step, self.schedule),
                (dims.events.ndim, self.schedule),
                (camera_of(viewer).events.orientation, self.schedule),
                (layers.events.inserted, self._on_layers),
                (layers.events.removed, self._on_removed),
            ]
        )
        self._on_layers()

    @property
    def is_waiting(self) -> bool:
        """Whether anything is still to be shown or encoded."""
        return (
            self._updates.is_due
            or self._renderings.is_running
            or any(each.magnifier.is_running for each in self.pictures.values())
        )

    def close(self) -> None:
        """Stop all work and free the memory; safe at any time."""
        if self._closed:
            return
        self._closed = True
        self._subscriptions.close()
        self._appearance.close()
        self._images.close()
        self._renderings.close()
        for picture in self.pictures.values():
            picture.close()
        self._anatomy.release(HOLDER)
        self._engines.clear()

    def schedule(self, event: Any = None) -> None:
        """Ask for an update before the next drawing."""
        if not self._closed:
            self._updates.ask()

    # what happens

    def _on_layers(self, event: Any = None) -> None:
        if self._images.refresh():
            self._camera = None
        self.schedule()

    def _on_removed(self, event: Any) -> None:
        for picture in self.pictures.values():
            picture.forget(event.value)
        self._on_layers()

    def _on_changed(self, layer: Layer) -> None:
        """Forget what was made of a layer that has other numbers or another place."""
        for picture in self.pictures.values():
            picture.forget(layer)
        self._fit()

    def _on_source(self, place: int) -> None:
        self._images.choose(place)
        self._fit()

    def _fit(self) -> None:
        self._camera = None
        self.schedule()

    def _on_pointed(self, plane: Plane, down: float, right: float) -> None:
        """Move the viewer's point to what is under the mouse, or to the nearest voxel there is."""
        lens, layer, dims = self.lenses.get(plane), self._images.layer, self._viewer.dims
        if lens is None or not isinstance(layer, Image):
            return
        ratio = self._dock.panes[plane].devicePixelRatioF()
        point, first = list(dims.point), dims.ndim - len(Plane)
        point[first + plane.row_axis], point[first + plane.column_axis] = lens.view.world(
            lens.edges((down * ratio, right * ratio))
        )
        dims.set_point(range(dims.ndim), _inside(layer_source(layer), point))

    def _on_dragged(self, plane: Plane, down: float, right: float) -> None:
        lens = self.lenses.get(plane)
        if lens is None or self._camera is None:
            return
        ratio = self._dock.panes[plane].devicePixelRatioF()
        height, width = lens.size
        there = lens.view.world(lens.edges((height / 2 - down * ratio, width / 2 - right * ratio)))
        here = lens.view.world(lens.centre)
        self._camera = self._camera.moved(plane, there[0] - here[0], there[1] - here[1])
        self.schedule()

    def _on_scrolled(self, notches: float) -> None:
        if self._camera is not None:
            point = self._viewer.dims.point[-len(Plane) :]
            self._camera = self._camera.zoomed(wheel.magnified(1.0, notches), point)
            self.schedule()

    def _on_stepped(self, plane: Plane, count: int) -> None:
        dims = self._viewer.dims
        axis = dims.ndim - len(Plane) + plane.normal_axis
        dims.set_current_step(axis, dims.current_step[axis] + count)

    def _on_rendered(self, plane: Plane, subject: Subject, piece: Piece | None) -> None:
        if self.pictures[plane].accept(subject, piece):
            self.schedule()

    def _on_failed(self, error: Exception) -> None:
        show_error(f"Three planes: {reason(error)}")

    def _follow(self, layer: Image) -> None:
        """Listen to the appearance of the layer that is shown."""
        if self._followed is None or self._followed() is not layer:
            self._appearance.close()
            self._followed = weakref.ref(layer)
            self._appearance = Subscriptions(
                (getattr(layer.events, name), self._on_appearance) for name in APPEARANCE_EVENTS
            )
            self._tiles.clear()

    def _on_appearance(self, event: Any = None) -> None:
        self._tiles.clear()
        self.schedule()

    # the update

    def _update(self) -> None:
        """Show the planes through the viewer's point."""
        if self._closed:
            return
        layer = self._images.layer
        found = self._views(layer) if isinstance(layer, Image) else NO_IMAGE
        if isinstance(found, str):
            self.lenses = {}
            self._rest(found)
            return
        source, views = found
        self.lenses = {plane: self._lens(plane, view, views) for plane, view in views.items()}
        positions = (PlanePosition.of(plane, self._viewer.dims.point) for plane in Plane)
        if any(source.view(position) is None for position in positions):
            self._rest(OUTSIDE.format(name=source.name))
            return
        self._follow(source.layer)
        notices = [MADE_ALREADY.format(name=source.name)] * is_super_resolved(source.layer)
        across = [self._show(plane, source, lens) for plane, lens in self.lenses.items()]
        notices += [ACROSS] * any(across)
        self._dock.show_notice(" ".join(notices))

    def _rest(self, text: str) -> None:
        """Show nothing, and say why."""
        self._tiles.clear()
        for picture in self.pictures.values():
            picture.rest()
        self._dock.say(text)

    def _views(self, layer: Image) -> tuple[LayerSource, dict[Plane, SliceView]] | str:
        """Return each plane's slice at the viewer's point, or next to it; or why there is none."""
        source = layer_source(layer)
        if layer.ndim < len(Plane) or 1 in layer.data.shape[-len(Plane) :]:
            return NO_VOLUME.format(name=source.name)
        try:
            check_supported(layer)
            point = _inside(source, self._viewer.dims.point)
            found = {plane: source.view(PlanePosition.of(plane, point)) for plane in Plane}
        except UnsupportedLayerError as refusal:
            return str(refusal)
        return source, {plane: view for plane, view in found.items() if view is not None}

    def _show(self, plane: Plane, source: LayerSource, lens: Lens) -> bool:
        """Show one plane; whether the through-plane network works in it."""
        pane, ratio, view = self._dock.panes[plane], self._dock.devicePixelRatioF(), lens.view
        enhances = self._dock.enhancing.isChecked()
        shown = self.pictures[plane].look(source, lens, preferences()["device"], enhances=enhances)
        if shown is None:
            pane.say("")
            return False
        piece = shown.piece
        down, right = lens.spot(view.edges(in_plane(self._viewer.dims.point, plane)))
        pane.show_look(
            PlaneLook(
                None if piece is None else self._tile(plane, source, lens, piece),
                (down / ratio, right / ratio),
                self._letters(plane, source),
                _words(shown, enhances=enhances),
                lens.density[0] / abs(view.scale[0]) / ratio,
                source.unit(view),
            )
        )
        return enhances and shown.sight.network.is_across

    def _tile(self, plane: Plane, source: LayerSource, lens: Lens, piece: Piece) -> Tile:
        """Return a piece in the layer's colours: the same one until anything of it changes."""
        kept = self._tiles.get(plane)
        if kept is not None and kept[0] is piece and kept[1] == lens:
            return kept[2]
        tile = tile_of(source.layer, lens, piece, (0.0, lens.size[1]))
        self._tiles[plane] = piece, lens, tile
        return tile

    def _lens(self, plane: Plane, view: SliceView, views: dict[Plane, SliceView]) -> Lens:
        panes, ratio = self._dock.panes, self._dock.devicePixelRatioF()
        sizes = {
            each: (ratio * pane.height(), ratio * pane.width()) for each, pane in panes.items()
        }
        if self._camera is None:
            self._camera = Camera(_middle(views))
        per_unit = fitting(views, sizes) * self._camera.factor
        orientation = tuple(map(str, camera_of(self._viewer).orientation2d))
        return Lens(
            view,
            view.edges(in_plane(self._camera.middle, plane)),
            (per_unit * abs(view.scale[0]), per_unit * abs(view.scale[1])),
            sizes[plane],
            facing(view, (orientation[0], orientation[1])),
        )

    def _letters(self, plane: Plane, source: LayerSource) -> dict[str, str]:
        if not source.has_sides:
            return {}
        vertical, horizontal = map(str, camera_of(self._viewer).orientation2d)
        return edge_letters(plane.row_axis, plane.column_axis, (vertical, horizontal))


def _inside(source: LayerSource, point: Sequence[float]) -> tuple[float, ...]:
    """Return the place in an image that is nearest to a point of the viewer's world."""
    return nearest_inside(point, source.layer.data.shape, *source.placement)


def _middle(views: dict[Plane, SliceView]) -> tuple[float, float, float]:
    """Return the world position of the volume's middle."""
    axial, coronal = views[Plane.AXIAL], views[Plane.CORONAL]
    y, x = axial.world((axial.shape[0] / 2, axial.shape[1] / 2))
    z, _ = coronal.world((coronal.shape[0] / 2, 0))
    return z, y, x


def _words(shown: Shown, *, enhances: bool) -> str:
    """Return what a picture is."""
    if shown.piece is None or not enhances:
        return "bicubic"
    if shown.is_enhanced:
        return f"super-resolved\n{scale_text(shown.piece.scale, short=True)}\n{PURPOSE}"
    return RENDERING if shown.sight.is_ready else " ".join(shown.sight.reason)
