"""Which image the loupe magnifies: the topmost one that is seen under the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Image

from napari_metasr.widgets.viewer.layer_grid import UnsupportedLayerError
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.napari_versions import grid_of, view_boxes
from napari_metasr.widgets.viewer.result_layers import ROLE, is_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_metasr.widgets.viewer.layer_source import LayerSource


def image_under(viewer: ViewerModel, world: tuple[float, float]) -> LayerSource | None:
    """Return the image that is seen at a place; of a result, the image it was made from.

    Parameters
    ----------
    world
        Vertical and horizontal position in the world.

    Returns
    -------
    LayerSource or None
        None where there is no image.
    """
    for layer in _seen(viewer):
        if isinstance(layer, Image) and layer.visible:
            source = _origin(viewer, layer)
            if source is not None and _holds(source, viewer, world):
                return source
    return None


def _seen(viewer: ViewerModel) -> Iterator[Layer]:
    """Yield the layers in the view box under the mouse, the topmost first."""
    layers = viewer.layers
    if not grid_of(viewer).enabled:
        yield from reversed(layers)
        return
    for place, indices in view_boxes(viewer):
        if place == viewer.cursor.viewbox:
            yield from (layers[index] for index in sorted(indices, reverse=True))


def _origin(viewer: ViewerModel, layer: Image) -> LayerSource | None:
    if not is_result(layer):
        return layer_source(layer)
    token = layer.metadata[ROLE]
    images = (each for each in viewer.layers if isinstance(each, Image) and not is_result(each))
    return next((source for source in map(layer_source, images) if source.token == token), None)


def _holds(source: LayerSource, viewer: ViewerModel, world: tuple[float, float]) -> bool:
    """Return whether a place lies in an image; one that cannot be placed is taken to hold it."""
    try:
        view = source.view(viewer.dims)
    except UnsupportedLayerError:
        return True
    if view is None:
        return False
    edges = view.edges(view.on_screen(world))
    return all(0 <= edge <= size for edge, size in zip(edges, view.shape, strict=True))
