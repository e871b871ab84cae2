"""Which slice each plane shows, and where it is magnified about; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_metasr.widgets.viewer.layer_source import SliceView

MARGIN = 0.94
LARGEST = 20.0


@dataclass(frozen=True)
class PlanePosition:
    """A viewer's position with another plane displayed, as `LayerSource.view` takes it.

    Attributes
    ----------
    ndim, displayed, point
        Number of axes, those of rows and columns, and the position in the world.
    """

    ndim: int
    displayed: tuple[int, ...]
    point: tuple[float, ...]

    @classmethod
    def of(cls, plane: Plane, point: Sequence[float]) -> PlanePosition:
        """Return the position for a plane; the last three axes are taken for (z, y, x)."""
        first = len(point) - len(Plane)
        return cls(len(point), (first + plane.row_axis, first + plane.column_axis), tuple(point))


def nearest_inside(
    point: Sequence[float],
    shape: Sequence[int],
    scale: Sequence[float],
    translate: Sequence[float],
) -> tuple[float, ...]:
    """Return the place nearest to a point that lies between a layer's outermost voxel centres.

    Parameters
    ----------
    point
        World position; the layer's axes are the world's last ones.
    shape, scale, translate
        The layer's number of voxels, and where they lie in the world.
    """
    others = len(point) - len(shape)
    ends = (
        sorted((first, first + step * (count - 1)))
        for count, step, first in zip(shape, scale, translate, strict=True)
    )
    inside = (
        min(max(place, low), high) for place, (low, high) in zip(point[others:], ends, strict=True)
    )
    return (*point[:others], *inside)


def in_plane(point: Sequence[float], plane: Plane) -> tuple[float, float]:
    """Return what of a point (…, z, y, x) lies along a plane's rows and columns."""
    z_y_x = point[-len(Plane) :]
    return z_y_x[plane.row_axis], z_y_x[plane.column_axis]


def fitting(views: Mapping[Plane, SliceView], sizes: Mapping[Plane, tuple[float, float]]) -> float:
    """Return the pixels per unit of length at which every plane fits into its pane.

    Parameters
    ----------
    sizes
        Height and width of the panes in pixels.
    """
    return MARGIN * min(
        pixels / (count * abs(step))
        for plane, view in views.items()
        for pixels, count, step in zip(sizes[plane], view.shape, view.scale, strict=True)
    )


@dataclass(frozen=True)
class Camera:
    """What all planes show together.

    Attributes
    ----------
    middle
        World position (z, y, x) in the middle of the panes.
    factor
        How many times larger than fitted into the panes.
    """

    middle: tuple[float, float, float]
    factor: float = 1.0

    def zoomed(self, by: float, about: Sequence[float]) -> Camera:
        """Return the camera after zooming; a point (z, y, x) stays where it is on the screen."""
        factor = min(max(self.factor * by, 1.0), LARGEST)
        done = factor / self.factor
        z, y, x = (
            fixed + (middle - fixed) / done
            for fixed, middle in zip(about, self.middle, strict=True)
        )
        return Camera((z, y, x), factor)

    def moved(self, plane: Plane, rows: float, columns: float) -> Camera:
        """Return the camera moved within a plane, in units of length."""
        middle = list(self.middle)
        middle[plane.row_axis] += rows
        middle[plane.column_axis] += columns
        z, y, x = middle
        return Camera((z, y, x), self.factor)
