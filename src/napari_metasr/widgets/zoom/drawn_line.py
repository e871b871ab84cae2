"""The line that a person has drawn on the slice, in any Shapes layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.layers import Shapes

from napari_metasr.geometry.windows import Line

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.widgets.viewer.layer_source import SliceView
    from napari_metasr.widgets.viewer.snapshot import ViewSnapshot

LINES = {"line", "path"}


def drawn_line(
    viewer: ViewerModel, view: SliceView, ndim: int, before: ViewSnapshot | None
) -> Line | None:
    """Return the newest line of the topmost visible Shapes layer that has one on the slice.

    Layers without the axes of the slice's rows and columns are passed over: what is drawn in two
    dimensions lies in every slice of the last two axes, and in no other plane.

    Parameters
    ----------
    view
        The slice on the screen.
    ndim
        Axes of its layer, the last ones of the viewer.
    before
        The view before images were compared: what a comparison has hidden counts too.

    Returns
    -------
    Line or None
        In low-resolution pixel edges; from a path's first to its last point.
    """
    axes = [axis - ndim for axis in view.axes]  # counted from the last one
    for layer in reversed(viewer.layers):
        seen = layer.visible if before is None else before.shows(layer)
        if not isinstance(layer, Shapes) or not seen or layer.ndim < -min(axes):
            continue
        for points, kind in reversed(list(zip(layer.data, layer.shape_type, strict=True))):
            ends = [layer.data_to_world(points[place]) for place in (0, -1)]
            others = [axis for axis in range(-min(ndim, len(ends[0])), 0) if axis not in axes]
            steps = [viewer.dims.range[axis].step for axis in others]
            near = (
                abs(end[axis] - viewer.dims.point[axis]) <= step / 2
                for end in ends
                for axis, step in zip(others, steps, strict=True)
            )
            if kind not in LINES or not all(near):
                continue
            first, last = (view.edges((float(end[axes[0]]), float(end[axes[1]]))) for end in ends)
            if first != last:
                return Line(*first, *last)
    return None
