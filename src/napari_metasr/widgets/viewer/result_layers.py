"""The two results of one source, bicubic and super-resolved, as napari layers in their place."""

from __future__ import annotations

import weakref
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from napari.experimental import link_layers, unlink_layers
from napari.layers import Image, Layer
from qtpy.QtCore import QTimer

from napari_metasr.figures.caption import scale_text
from napari_metasr.io.layers import volume_of
from napari_metasr.widgets.viewer.napari_versions import arranged_once, unrefreshed
from napari_metasr.widgets.viewer.shared import real_viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari.components import LayerList, ViewerModel
    from napari.layers import Labels
    from napari.layers.utils.layer_utils import Extent
    from napari.utils.events import EventEmitter
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView

LINKED = ("contrast_limits", "colormap", "gamma")
ROLE = "napari-metasr"
"""Key in the metadata of the layers that a dock shows: the token of the source, of results."""
SUPER_RESOLVED = "super-resolved"
"""Under which key the metadata of super-resolved layers say by which model."""
MADE_ALREADY = "“{name}” is super-resolved already: its detail is partly invented."
NAMING_MS = 120
LABEL_SIZE = 7
LONGEST_NAME = 10
PURPOSE = "research use"
"""First in a name, as the end of it may not fit its view."""


def bicubic_name(source: str, scale: tuple[float, float], waiting_for: str = "") -> str:
    """Return the name of a layer that shows bicubic interpolation.

    Parameters
    ----------
    waiting_for
        The model whose result will take its place, while there is none yet.
    """
    waiting = f" ({waiting_for} is being computed)" if waiting_for else ""
    return f"bicubic {scale_text(scale, short=True)}{waiting} · {source}"


def elided(name: str) -> str:
    """Return a long name without its middle, so that a caption fits its view."""
    short = len(name) <= LONGEST_NAME
    return name if short else f"{name[: LONGEST_NAME - 5]}…{name[-4:]}"


def enhanced_name(source: str, model: str, scale: tuple[float, float], part: str = "") -> str:
    """Return the name of a layer that shows a network's result.

    Parameters
    ----------
    part
        What alone is super-resolved, such as ``lesion``, where it is not all that is shown;
        it takes the source's place, as there is room for one.
    """
    what = f"super-resolved ({model} {scale_text(scale, short=True)})"
    return f"{PURPOSE} · {part} {what}" if part else f"{PURPOSE} · {what} · {elided(source)}"


def kept_name(source: str, model: str, scale: tuple[float, float]) -> str:
    """Return the name of a result that the user has kept."""
    return f"kept: {enhanced_name(source, model, scale)}"


def is_result(layer: Any) -> bool:
    """Return whether a layer is shown by the dock; a kept result is the user's."""
    return ROLE in layer.metadata


def is_super_resolved(layer: Layer) -> bool:
    """Return whether a layer of the user's is what a network made, here or in its file."""
    if SUPER_RESOLVED in layer.metadata:
        return True
    volume = volume_of(layer.metadata)
    header = volume.source.header if volume is not None else None
    if not isinstance(header, nib.Nifti1Header):
        return False
    return SUPER_RESOLVED.encode() in bytes(header["descrip"]).lower()


def active_layer(viewer: ViewerModel) -> Layer | None:
    """Return the viewer's active layer itself: plugins get a stand-in that only equals it."""
    active = viewer.layers.selection.active
    return next((layer for layer in viewer.layers if layer == active), None)


@contextmanager
def undisturbed(viewer: ViewerModel) -> Iterator[None]:
    """Add and remove layers, and leave selection and sliders as they are.

    napari selects every layer that is added. Its sliders keep their step, not their position,
    when a layer's finer steps come or go, and would jump to another slice.
    """
    selected, active = set(viewer.layers.selection), viewer.layers.selection.active
    point = viewer.dims.point
    try:
        yield
    finally:
        viewer.layers.selection = {layer for layer in selected if layer in viewer.layers}
        if active in viewer.layers:
            viewer.layers.selection.active = active
            viewer.layers.selection.update(layer for layer in selected if layer in viewer.layers)
        if len(viewer.dims.point) == len(point) and viewer.dims.point != point:
            viewer.dims.set_point(range(len(point)), point)


def lay_over_images(viewer: ViewerModel, layer: Layer) -> None:
    """Put a layer above all images, and below segmentations and boxes."""
    layers = viewer.layers
    images = [
        place for place, each in enumerate(layers) if isinstance(each, Image) and each is not layer
    ]
    above = max(images, default=-1) + 1
    if layer not in layers:
        layers.insert(above, layer)
        return
    now = layers.index(layer)
    if above not in {now, now + 1}:
        layers.move(now, above)


def reorder(layers: LayerList, order: Sequence[Layer]) -> None:
    """Bring all layers of a viewer into an order; napari arranges its scene once for that."""
    if list(layers) == list(order):
        return
    with layers.events.reordered.blocker():
        for place, layer in enumerate(order):
            if layers.index(layer) != place:
                layers.move(layers.index(layer), place)
    layers.events.reordered(value=layers)


class SourceSteps(Layer):
    """A layer finer than its source that leaves the viewer's sliders on the source's slices.

    napari's sliders step by the finest voxel of all layers, and would stop between the slices.

    Parameters
    ----------
    steps
        World units per voxel of the source.
    """

    def __init__(self, data: NDArray[Any], *, steps: Sequence[float], **options: Any) -> None:
        self._steps = np.abs(steps)
        super().__init__(data, **options)

    @cached_property
    def extent(self) -> Extent:
        """Where the layer lies, in steps of its source."""
        return super().extent._replace(step=self._steps)


class ResultImage(SourceSteps, Image):
    """An image finer than its source."""

    @property
    def _type_string(self) -> str:
        return "image"  # what napari saves and duplicates it as


def result_layer(source: LayerSource, name: str, **options: Any) -> ResultImage:
    """Return an image layer that looks like its source and holds its first voxel so far."""
    origin = source.layer
    scale, translate = source.placement
    layer = ResultImage(
        np.zeros((1,) * origin.ndim, np.float32),
        steps=scale,
        name=name,
        scale=scale,
        translate=translate,
        contrast_limits=origin.contrast_limits,
        colormap=origin.colormap,
        gamma=origin.gamma,
        units=origin.units,
        axis_labels=origin.axis_labels,
        interpolation2d="nearest",
        **options,
    )
    layer.contrast_limits_range = origin.contrast_limits_range
    return layer


def place(
    viewer: ViewerModel,
    layer: Image | Labels,
    source: LayerSource,
    view: SliceView,
    image: NDArray[Any],
    grid: OutputGrid,
    window: Window,
) -> None:
    """Show a rendered window in its place in the world, one slice thick.

    Parameters
    ----------
    image
        What was rendered of ``window`` on ``grid``.
    """
    scale, translate = source.placed(
        view, *grid.layer_transform(view.scale, view.translate, window)
    )
    _move(viewer, layer, source.expanded(image, view), scale, translate)


def place_like(viewer: ViewerModel, layer: Image, other: Image, data: NDArray[Any]) -> None:
    """Show numbers in the place of another layer with as many pixels."""
    _move(viewer, layer, data, other.scale, other.translate)


def _move(
    viewer: ViewerModel, layer: Image | Labels, data: NDArray[Any], scale: Any, translate: Any
) -> None:
    with _quietly(viewer, layer):
        layer.data = data
        layer.scale = scale
        layer.translate = translate
    layer.refresh(thumbnail=False)


@contextmanager
def _quietly(viewer: ViewerModel, layer: Image | Labels) -> Iterator[None]:
    """Set several things of a layer, but slice it once, and leave the viewer's sliders alone.

    napari works out the range and the step of its sliders from all layers whenever one of them
    changes, 3 ms each time. A result never reaches outside its source, and its finer steps would
    put the sliders between the slices.
    """
    with ExitStack() as stack:
        stack.enter_context(unrefreshed(layer))
        for emitter in (layer.events.scale, layer.events.translate):
            stack.enter_context(emitter.blocker())  # the refresh that follows places it anew
        for callback in _callbacks_of(real_viewer(viewer), layer.events.data):
            stack.enter_context(layer.events.data.blocker(callback))
        yield


def _callbacks_of(owner: object, emitter: EventEmitter) -> list[Callable[..., Any]]:
    """Return the methods of an object that listen to an event."""
    methods = [callback for callback in emitter.callbacks if isinstance(callback, tuple)]
    return [getattr(owner, name) for reference, name in methods if reference() is owner]


@dataclass(frozen=True)
class Signed:
    """A signed image of what a pair shows.

    Attributes
    ----------
    image
        (rows, columns), in ``unit_name``.
    unit, unit_name
        What the source's intensities were divided by, and the name of the quotient's unit.
    """

    image: NDArray[Any]
    unit: float
    unit_name: str


class ResultPair:
    """The bicubic and the super-resolved layer of one source, in the viewer, hidden at first.

    Both follow the source's contrast limits, colormap and gamma, and it theirs.

    Attributes
    ----------
    inferred
        What of the super-resolved one the source does not determine, where it was asked for.
    """

    def __init__(self, viewer: ViewerModel, source: LayerSource) -> None:
        self._viewer = weakref.ref(viewer)
        self.source = source
        self._origin = weakref.ref(source.layer)
        self.inferred: Signed | None = None
        self.bicubic = result_layer(source, bicubic_name(source.name, (1, 1)), visible=False)
        self.enhanced = result_layer(source, f"being computed · {source.name}", visible=False)
        for layer in self.layers:
            layer.metadata[ROLE] = source.token
            layer.name_overlay.font_size = LABEL_SIZE
        with undisturbed(viewer), arranged_once(viewer):
            for layer in self.layers:
                lay_over_images(viewer, layer)
        link_layers([source.layer, *self.layers], LINKED)
        self._kinds: dict[Image, str] = {}
        self._names: dict[Image, str] = {}
        self._naming = QTimer()  # superqt's debouncer does not tell whether one is to come
        self._naming.setSingleShot(True)
        self._naming.setInterval(NAMING_MS)
        self._naming.timeout.connect(self.write_names)

    @property
    def layers(self) -> tuple[Image, Image]:
        """Bicubic below, super-resolved above."""
        return self.bicubic, self.enhanced

    @property
    def is_complete(self) -> bool:
        """Whether both layers are still in the viewer."""
        viewer = self._viewer()
        return viewer is not None and all(layer in viewer.layers for layer in self.layers)

    def show(
        self,
        layer: Image,
        view: SliceView,
        image: NDArray[Any],
        grid: OutputGrid,
        window: Window,
        kind: str,
        name: str,
    ) -> None:
        """Show a rendered window in one of the two layers, under this name.

        Parameters
        ----------
        kind
            What it is: another kind is named at once. The same kind at another scale is named
            when the slider rests, since napari takes longer to write a name than to draw.
        """
        viewer = self._viewer()
        if viewer is None or layer not in viewer.layers:
            return
        place(viewer, layer, self.source, view, image, grid, window)
        self._names[layer] = name
        if self._kinds.get(layer) != kind:
            self._kinds[layer] = kind
            self.write_names()
        elif layer.name != name:
            self._naming.start()

    @property
    def is_naming(self) -> bool:
        """Whether a name is still to be written."""
        return bool(self._naming.isActive())

    def write_names(self) -> None:
        """Write the names that the layers have by now."""
        self._naming.stop()
        for layer, name in self._names.items():
            if layer.name != name:
                layer.name = name

    def tell_viewer(self) -> None:
        """Let napari work out its sliders anew, once the results lie in another plane."""
        viewer = self._viewer()
        if viewer is not None:
            with undisturbed(viewer):
                self.enhanced.events.scale()

    def close(self) -> None:
        """Take both layers out of the viewer and let go of everything."""
        self._naming.stop()
        viewer, origin = self._viewer(), self._origin()
        unlink_layers([layer for layer in (origin, *self.layers) if layer is not None], LINKED)
        if viewer is not None:
            with undisturbed(viewer), arranged_once(viewer):
                for layer in self.layers:
                    if layer in viewer.layers:
                        viewer.layers.remove(layer)
