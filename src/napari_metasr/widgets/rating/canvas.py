"""The viewer while images are rated: one nameless image, keys, and everything put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image

from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_resized, grid_of
from napari_metasr.widgets.viewer.result_layers import ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from napari.components import ViewerModel
    from numpy.typing import NDArray

CONTRAST_LIMITS = (0, 255)
AS_A_PICTURE = ("down", "right")


class RatingCanvas:
    """Takes a viewer that has no layers, until `close`.

    Parameters
    ----------
    viewer
        The viewer.
    interpolation
        How pixels are scaled to the screen's, by napari's name.
    actions
        Name of a key -> what it does.
    disturbed
        Called when a layer is added from elsewhere, or the image removed.

    Raises
    ------
    ValueError
        If the viewer has layers: another image beside it would tell what is rated, and its place
        in space would move it.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        interpolation: str,
        actions: Mapping[str, Callable[[], None]],
        disturbed: Callable[[], None],
    ) -> None:
        if len(viewer.layers):
            raise ValueError(
                f"rating needs the viewer to itself: close the {len(viewer.layers)} open "
                f"layer{'s' if len(viewer.layers) > 1 else ''} first"
            )
        self._viewer, self._actions, self._disturbed = viewer, actions, disturbed
        self._interpolation = interpolation
        self._layer: Image | None = None
        self._closed = False
        camera, grid = camera_of(viewer), grid_of(viewer)
        self._before = (camera.orientation2d, viewer.dims.ndisplay, grid.enabled)
        camera.orientation2d = AS_A_PICTURE
        viewer.dims.ndisplay = 2
        grid.enabled = False
        self._unbound = {key: viewer.bind_key(key, None) for key in actions}
        self._bind(viewer)
        viewer.layers.events.inserted.connect(self._on_layers)
        viewer.layers.events.removed.connect(self._on_layers)
        canvas_resized(viewer).connect(self._fit)

    def show(self, image: NDArray[np.uint8], name: str) -> None:
        """Show an image, fitted to the view; it is none that other docks work on."""
        if self._layer is None:
            layer = Image(
                image, name=name, contrast_limits=CONTRAST_LIMITS, colormap="gray",
                interpolation2d=self._interpolation, metadata={ROLE: None},
            )  # fmt: skip
            layer.events.contrast_limits.connect(self._hold_display)
            layer.events.gamma.connect(self._hold_display)
            self._bind(layer)
            self._layer = layer
            self._viewer.add_layer(layer)
        else:
            self._layer.data, self._layer.name = image, name
            self._hold_display()
        self._fit()

    def close(self) -> None:
        """Take the image away and give the viewer back as it was; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        viewer, layer = self._viewer, self._layer
        self._layer = None
        viewer.layers.events.inserted.disconnect(self._on_layers)
        viewer.layers.events.removed.disconnect(self._on_layers)
        canvas_resized(viewer).disconnect(self._fit)
        for key, function in self._unbound.items():
            viewer.bind_key(key, None)
            if function is not None:
                viewer.bind_key(key, function)
        if layer is not None and layer in viewer.layers:
            viewer.layers.remove(layer)
        orientation, viewer.dims.ndisplay, grid_of(viewer).enabled = self._before
        camera_of(viewer).orientation2d = orientation

    def _bind(self, provider: Any) -> None:
        """Bind the keys to the viewer, or to the layer, whose own would come first."""
        for key, action in self._actions.items():
            provider.bind_key(key, lambda _, action=action: action(), overwrite=True)

    def _fit(self, event: Any = None) -> None:
        """Fit the image to the view, whatever size that has by now."""
        if self._layer is not None:
            self._viewer.fit_to_view()

    def _hold_display(self, event: Any = None) -> None:
        """Keep the study's display window, whatever is dragged."""
        if self._layer is None:
            return
        if tuple(self._layer.contrast_limits) != CONTRAST_LIMITS:
            self._layer.contrast_limits = CONTRAST_LIMITS
        if self._layer.gamma != 1:
            self._layer.gamma = 1

    def _on_layers(self, event: Any) -> None:
        """Notice that a layer was added, or the image removed."""
        if self._layer is not None and list(self._viewer.layers) != [self._layer]:
            self._disturbed()
