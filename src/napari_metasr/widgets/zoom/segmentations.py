"""Segmentations over the results: on the results' grid, with smooth outlines."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.experimental import link_layers, unlink_layers
from napari.layers import Labels

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.layer_grid import has_grid_of
from napari_metasr.widgets.viewer.napari_versions import arranged_once
from napari_metasr.widgets.viewer.result_layers import (
    ROLE,
    SourceSteps,
    is_result,
    place,
    undisturbed,
)
from napari_metasr.widgets.viewer.subscriptions import Subscriptions
from napari_metasr.zoom.labels import SmoothLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.components import ViewerModel
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.snapshot import ViewSnapshot

LOOK = ("opacity", "colormap", "contour", "blending", "selected_label", "show_selected_label")
"""What copies have in common with the layer that they are of."""

RESTING = {"pan_zoom", "transform"}
"""Modes of a layer in which nothing is drawn."""

MOST_PIXELS = 1 << 21
"""Larger slices are labelled only where results are shown."""


class ResultLabels(SourceSteps, Labels):
    """A segmentation finer than its source."""

    @property
    def _type_string(self) -> str:
        return "labels"


class Segmentations:
    """Shows the viewer's segmentations over the results, in place of themselves.

    Those on the source's grid are rendered on the grid of the results, whatever that is; others
    are shown as they are.

    Parameters
    ----------
    viewer
        The viewer.
    changed
        Called when a segmentation is to be shown anew.
    spent
        Takes the copies that are shown no longer, hidden, for the viewer to be rid of.
    """

    def __init__(
        self, viewer: ViewerModel, changed: Callable[[], None], spent: list[Layer]
    ) -> None:
        self._viewer, self._changed, self._spent = viewer, changed, spent
        self._source: LayerSource | None = None
        self._panes: tuple[str, ...] = ()
        self._watched: weakref.WeakKeyDictionary[Labels, Subscriptions] = (
            weakref.WeakKeyDictionary()
        )
        self._smooth: dict[Labels, tuple[Any, SmoothLabels]] = {}
        self._drawn: dict[Labels, Any] = {}
        self._themselves: weakref.WeakSet[Labels] = weakref.WeakSet()
        self.copies: dict[Labels, list[Labels]] = {}

    def take(
        self, snapshot: ViewSnapshot, source: LayerSource, panes: Sequence[str], *, every: bool
    ) -> bool:
        """Show segmentations by copies, one for each pane, and hide them themselves.

        Parameters
        ----------
        snapshot
            Remembers how the view was.
        source
            The source of the results.
        panes
            Names of what the copies lie over.
        every
            Take those too that lie on other grids, and those that are drawn on: otherwise a layer
            whose eye was clicked is shown itself until it is clicked again, since napari lets
            nothing be drawn on what is hidden.

        Returns
        -------
        bool
            Whether there are other copies now.
        """
        wanted = []
        for layer in list(self._viewer.layers):
            if not isinstance(layer, Labels) or is_result(layer):
                continue
            self._watch(layer)
            on_grid = has_grid_of(layer, source.layer)
            if not every and (not on_grid or self._is_drawn_on(layer)):
                self._give_back(layer, snapshot)
            elif layer in self.copies or layer.visible:
                wanted.append(layer)
        for layer in wanted:
            if layer.visible and self.copies.get(layer):  # its eye was clicked
                first = self.copies[layer][0]
                first.visible = not first.visible
                snapshot.remember(layer, visible=first.visible)
            snapshot.hide(layer)
        lost = any(
            copy not in self._viewer.layers for copies in self.copies.values() for copy in copies
        )
        kept = 0 if lost or self._source is not source else _length_in_common(self._panes, panes)
        self._source, self._panes = source, tuple(panes)
        changed = self._drop({layer: kept if layer in wanted else 0 for layer in self.copies})
        missing = [layer for layer in wanted if len(self.copies.get(layer, ())) < len(panes)]
        if missing:
            with undisturbed(self._viewer), arranged_once(self._viewer):
                for layer in missing:
                    self._add(layer)
        return changed or bool(missing)

    def render(self, view: SliceView, grid: OutputGrid, window: Window, *, around: bool) -> None:
        """Render the slice that is shown, for every segmentation on the source's grid.

        Parameters
        ----------
        view
            The slice.
        grid, window
            Grid of the results, and what they show.
        around
            Label the whole slice, unless that has very many pixels.
        """
        source = self._source
        if source is None:
            return
        if around and grid.rows.output * grid.columns.output <= MOST_PIXELS:
            window = Window.whole(view.shape)
        pixels = grid.pixel_range(window)
        for layer, copies in self.copies.items():
            smooth = self._of_slice(layer, source, view)
            if smooth is None:
                continue
            state = (smooth, grid, pixels)
            if self._drawn.get(layer) == state:
                continue
            self._drawn[layer] = state
            top, left, bottom, right = pixels
            image = smooth.render((grid.rows, grid.columns), ((top, bottom), (left, right)))
            for copy in copies:
                place(self._viewer, copy, source, view, image, grid, window)

    def close(self) -> None:
        """Hide all copies and let go of them; safe to call twice."""
        self._drop(dict.fromkeys(self.copies, 0))
        self._source = None
        for subscriptions in self._watched.values():
            subscriptions.close()
        self._watched.clear()

    def _of_slice(self, layer: Labels, source: LayerSource, view: SliceView) -> SmoothLabels | None:
        """Return the labels of a slice, measured once; None for those on another grid."""
        missing = source.layer.ndim - layer.ndim
        if not has_grid_of(layer, source.layer) or min(view.axes) < missing:
            return None
        key = (view.axes, view.index, view.scale)
        if layer not in self._smooth or self._smooth[layer][0] != key:
            self._smooth[layer] = key, SmoothLabels(_slice_of(layer, view, missing), view.scale)
        return self._smooth[layer][1]

    def _add(self, layer: Labels) -> None:
        on_grid = self._source is not None and has_grid_of(layer, self._source.layer)
        copies, layers = self.copies.setdefault(layer, []), self._viewer.layers
        for pane in self._panes[len(copies) :]:
            copy = self._copy(layer, pane, on_grid=on_grid)
            copy.visible = not copies or copies[0].visible
            copies.append(copy)
            layers.insert(layers.index(layer) + 1, copy)
        self._drawn.pop(layer, None)
        self._link(layer)

    def _link(self, layer: Labels) -> None:
        link_layers([layer, *self.copies[layer]], LOOK)
        link_layers(self.copies[layer], ("visible",))

    def _copy(self, layer: Labels, pane: str, *, on_grid: bool) -> Labels:
        """Return a layer with the look of a segmentation: its voxels, or none yet."""
        look: dict[str, Any] = {
            "name": f"{layer.name} over {pane}",
            "units": layer.units,
            "axis_labels": layer.axis_labels,
            "opacity": layer.opacity,
            "blending": layer.blending,
            "colormap": layer.colormap,
            "metadata": {ROLE: True},
        }
        if on_grid and self._source is not None:
            origin = self._source.layer
            scale, translate = self._source.placement
            copy: Labels = ResultLabels(
                np.zeros((1,) * origin.ndim, layer.dtype),
                steps=scale,
                scale=scale,
                translate=translate,
                **{**look, "units": origin.units, "axis_labels": origin.axis_labels},
            )
        else:
            names = ("scale", "translate", "rotate", "shear", "affine")
            copy = Labels(layer.data, **{name: getattr(layer, name) for name in names}, **look)
        copy.contour = layer.contour
        copy.selected_label = layer.selected_label
        copy.show_selected_label = layer.show_selected_label
        return copy

    def _drop(self, kept: dict[Labels, int]) -> bool:
        """Hide copies of segmentations but for the first few of each; return if any went."""
        gone: list[Labels] = []
        for layer, number in kept.items():
            copies = self.copies[layer]
            if number >= len(copies):
                continue
            unlink_layers([layer, *copies])
            gone += copies[number:]
            del copies[number:]
            self._drawn.pop(layer, None)
            if not copies:
                del self.copies[layer]
                self._smooth.pop(layer, None)
            else:
                self._link(layer)
        for copy in gone:
            copy.visible = False
        self._spent += gone
        return bool(gone)

    def _give_back(self, layer: Labels, snapshot: ViewSnapshot) -> None:
        """Show a segmentation itself again, so that it can be drawn on."""
        copies = self.copies.get(layer)
        if copies is not None:
            visible = copies[0].visible
            self._drop({layer: 0})
            snapshot.remember(layer, visible=visible)
            layer.visible = visible

    def _is_drawn_on(self, layer: Labels) -> bool:
        """Return whether a layer is to be shown itself, and remember it."""
        if str(layer.mode) not in RESTING or (layer.visible and layer in self.copies):
            self._themselves.add(layer)
        elif not layer.visible and layer in self._themselves:  # its eye was clicked again
            self._themselves.discard(layer)
            layer.visible = True
        return layer in self._themselves

    def _watch(self, layer: Labels) -> None:
        if layer in self._watched:
            return
        events = layer.events
        self._watched[layer] = Subscriptions(
            [(emitter, self._on_edited) for emitter in (events.data, events.paint)]
            + [(emitter, self._on_seen) for emitter in (events.visible, events.mode)]
        )

    def _on_edited(self, event: Any) -> None:
        self._smooth.pop(event.source, None)
        self._changed()

    def _on_seen(self, event: Any = None) -> None:
        self._changed()


def _length_in_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many names two sequences begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _slice_of(layer: Labels, view: SliceView, missing: int) -> NDArray[Any]:
    """Return the labels of a slice, (rows, columns)."""
    axes = [axis - missing for axis in view.axes]
    others = [axis for axis in range(layer.ndim) if axis not in axes]
    index: list[Any] = [slice(None)] * layer.ndim
    for axis, position in zip(others, view.index[len(view.index) - len(others) :], strict=True):
        index[axis] = position
    return np.asarray(layer.data[tuple(index)])
