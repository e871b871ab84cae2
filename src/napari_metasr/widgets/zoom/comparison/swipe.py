"""Bicubic left of a line, super-resolved right of it; the line is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from napari_metasr.geometry.windows import Window
from napari_metasr.widgets.viewer.napari_versions import camera_of
from napari_metasr.widgets.zoom.comparison.base import Mode, set_visible
from napari_metasr.widgets.zoom.settings import Compare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.widgets.viewer.layer_source import SliceView
    from napari_metasr.widgets.zoom.comparison.base import Stage

GRIP_PIXELS = 12


class Swipe(Mode):
    """The super-resolved layer, on top, is rendered right of the line only.

    Parameters
    ----------
    changed
        Called when the line has been moved and the results must be rendered anew.
    """

    compare: ClassVar[Compare] = Compare.SWIPE

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self._changed = changed
        self._stage: Stage | None = None
        self._view: SliceView | None = None
        self._window: Window | None = None
        self._fraction = 1 / 2

    @property
    def fraction(self) -> float:
        """Where the line is, from 0 at the left edge of what is shown to 1 at the right."""
        return self._fraction

    @fraction.setter
    def fraction(self, fraction: float) -> None:
        fraction = min(max(float(fraction), 0.0), 1.0)
        if fraction != self._fraction:
            self._fraction = fraction
            self._changed()

    def enter(self, stage: Stage) -> None:
        """Listen to the mouse."""
        stage.viewer.mouse_drag_callbacks.append(self._drag)
        self._stage = stage
        super().enter(stage)

    def windows(self, window: Window, view: SliceView, grid: OutputGrid) -> tuple[Window, Window]:
        """Show bicubic in all of the window, super-resolved right of the line.

        Each side has a pixel of the output at least; where there is but one, it is super-resolved.
        """
        self._view, self._window = view, window
        start, stop, axis = self._extent()
        pixels = (grid.rows, grid.columns)[axis]
        centres = pixels.positions()[slice(*pixels.pixel_range(start, stop))]
        if len(centres) < 2:
            return window, window
        first, last = float(centres[:2].mean()), float(centres[-2:].mean())
        line = min(max(self._line_edge(), first), last)
        enhanced = list(window)
        enhanced[axis + 2 if self._is_flipped() else axis] = line
        return window, Window(*enhanced)

    def update(self, stage: Stage) -> None:
        """Show both results and the line."""
        self._stage = stage
        self.single_box(stage)
        for number, pair in enumerate(stage.pairs):
            for layer in pair.layers:
                set_visible(layer, number == 0)
        if stage.pairs:
            stage.names.show(stage.pairs[0])
        else:
            stage.names.hide()
        if stage.pairs and self._view is not None and self._window is not None:
            stage.line.show(self._ends())

    def leave(self) -> None:
        """Take the line away and put the view back."""
        stage, self._stage, self._view = self._stage, None, None
        if stage is not None:
            stage.names.hide()
            stage.line.hide()
            stage.viewer.mouse_drag_callbacks.remove(self._drag)
        super().leave()

    def _is_flipped(self) -> bool:
        """Return whether the right of the screen is where the slice's index is low."""
        if self._stage is None or self._view is None:
            return False
        points_left = camera_of(self._stage.viewer).orientation2d[1] == "left"
        return bool(points_left != (self._view.scale[self._axis()] < 0))

    def _axis(self) -> int:
        return 0 if self._view is not None and self._view.transposed else 1

    def _extent(self) -> tuple[float, float, int]:
        if self._window is None:
            raise RuntimeError("there is no window to swipe over yet")
        axis = self._axis()
        return self._window[axis], self._window[axis + 2], axis

    def _line_edge(self) -> float:
        start, stop, _ = self._extent()
        fraction = 1 - self._fraction if self._is_flipped() else self._fraction
        return start + fraction * (stop - start)

    def _ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return row and column of the line's two ends, in the world."""
        if self._view is None or self._window is None:
            raise RuntimeError("there is no window to swipe over yet")
        axis, line = self._axis(), self._line_edge()
        ends = []
        for side in (0, 2):
            edges = [self._window[side], self._window[side + 1]]
            edges[axis] = line
            ends.append(self._view.on_screen(self._view.world((edges[0], edges[1]))))
        return ends[0], ends[1]

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        """Move the line while it is dragged; elsewhere the camera pans as always."""
        if self._view is None or self._window is None or not self._is_on_line(viewer, event):
            return
        pan = camera_of(viewer).mouse_pan
        camera_of(viewer).mouse_pan = False
        yield
        while event.type == "mouse_move":
            self._move_to(event)
            yield
        camera_of(viewer).mouse_pan = pan

    def _pointed(self, event: Any) -> float:
        """Return the low-resolution edge under the mouse, along the line's axis."""
        if self._view is None:
            raise RuntimeError("there is no slice to swipe over yet")
        world = [event.position[axis] for axis in event.dims_displayed]
        return self._view.edges(self._view.on_screen((world[0], world[1])))[self._axis()]

    def _is_on_line(self, viewer: Any, event: Any) -> bool:
        if self._view is None or event.button != 1 or event.modifiers:
            return False
        per_voxel = camera_of(viewer).zoom * abs(self._view.scale[self._axis()])
        return abs(self._pointed(event) - self._line_edge()) * per_voxel <= GRIP_PIXELS

    def _move_to(self, event: Any) -> None:
        start, stop, _ = self._extent()
        fraction = (self._pointed(event) - start) / (stop - start)
        self.fraction = 1 - fraction if self._is_flipped() else fraction
