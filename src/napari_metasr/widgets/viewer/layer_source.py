"""What a napari layer is to the zoom: where its slices lie, and the numbers in them."""

from __future__ import annotations

import itertools
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_metasr import normalisation
from napari_metasr.geometry.affines import edges_from_napari, napari_from_edges
from napari_metasr.io.layers import volume_of
from napari_metasr.volume import Plane
from napari_metasr.widgets.viewer.layer_grid import (
    GEOMETRY_EVENTS,
    UnsupportedLayerError,
    scale_and_translate,
)
from napari_metasr.widgets.viewer.measured import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_metasr.volume import Volume
    from napari_metasr.widgets.viewer.measured import Place, Range


MAX_SAMPLED_VALUES = 1 << 26
MOST_AXES = 4
SPACE = 3
"""A layer's last axes, which are those of space; a series has others before them."""
SHORT_UNITS = {"millimeter": "mm", "micrometer": "µm", "pixel": "px"}
_tokens = itertools.count(1)
_sources: weakref.WeakKeyDictionary[Layer, LayerSource] = weakref.WeakKeyDictionary()


class Position(Protocol):
    """Where in its world a viewer is, and which of the world's axes it displays."""

    @property
    def ndim(self) -> int:
        """Number of axes."""

    @property
    def displayed(self) -> tuple[int, ...]:
        """The axes that run down and along the screen."""

    @property
    def point(self) -> tuple[float, ...]:
        """Position on every axis, in world units."""


@dataclass(frozen=True)
class SliceView:
    """Which slice of a layer is on the screen, and where it lies in the world.

    Attributes
    ----------
    axes
        The layer's axes of the slice's rows and columns, ascending.
    index
        The position on each of the layer's other axes, in order.
    shape
        Rows and columns.
    scale, translate
        World units per pixel, and the world position of pixel 0's centre, of both axes.
    transposed
        Whether the screen shows the columns as rows.
    plane
        The anatomical plane, where the layer's orientation is known.
    """

    axes: tuple[int, int]
    index: tuple[int, ...]
    shape: tuple[int, int]
    scale: tuple[float, float]
    translate: tuple[float, float]
    transposed: bool = False
    plane: Plane | None = None

    def edges(self, world: tuple[float, float]) -> tuple[float, float]:
        """Return a world position of the two axes in low-resolution pixel edges."""
        row, column = (
            edges_from_napari(position, scale, translate)
            for position, scale, translate in zip(world, self.scale, self.translate, strict=True)
        )
        return row, column

    def world(self, edges: tuple[float, float]) -> tuple[float, float]:
        """Return a position in low-resolution pixel edges as world coordinates of the two axes."""
        row, column = (
            napari_from_edges(edge, scale, translate)
            for edge, scale, translate in zip(edges, self.scale, self.translate, strict=True)
        )
        return row, column

    def on_screen(self, pair: tuple[float, float]) -> tuple[float, float]:
        """Return a (row, column) pair as (vertical, horizontal) on the screen, and the reverse."""
        return (pair[1], pair[0]) if self.transposed else pair


class LayerSource:
    """Reads slices of one image layer.

    Use `layer_source`, which gives the same source for a layer as long as it lives.

    Attributes
    ----------
    contrast
        Which MRI contrast the layer shows, if the user has said so.
    measured
        What has been measured of the layer, until its data or place change.
    changes
        How often they have changed.
    warned
        Texts of the warnings, without numbers, that the user has been told of the layer.
    """

    def __init__(self, layer: Image) -> None:
        self._layer = weakref.ref(layer)
        self.token = next(_tokens)
        self.contrast: str | None = None
        self.warned: set[str] = set()
        self.measured = Measured()
        self.changes = 0
        for name in GEOMETRY_EVENTS:  # napari holds methods weakly
            getattr(layer.events, name).connect(self.forget, position="first")

    @property
    def layer(self) -> Image:
        """The layer.

        Raises
        ------
        UnsupportedLayerError
            If it does not exist any more.
        """
        layer = self._layer()
        if layer is None:
            raise UnsupportedLayerError("the layer has been removed")
        return layer

    @property
    def is_gone(self) -> bool:
        """Whether the layer does not exist any more."""
        return self._layer() is None

    @property
    def name(self) -> str:
        """The layer's name."""
        return str(self.layer.name)

    @property
    def volume(self) -> Volume | None:
        """The volume that our reader attached, while the layer still has its shape."""
        layer = self.layer
        volume = volume_of(layer.metadata)
        if volume is None or tuple(volume.data.shape) != tuple(layer.data.shape):
            return None
        return volume

    @property
    def is_anatomical(self) -> bool:
        """Whether it is known which way is right, anterior and superior."""
        volume = self.volume
        return volume is not None and volume.data.ndim > 2

    @property
    def has_sides(self) -> bool:
        """Whether its header says where left and right are."""
        volume = self.volume
        return volume is not None and volume.data.ndim > 2 and volume.source.is_oriented

    @property
    def is_lazy(self) -> bool:
        """Whether reading a slice may take long (dask, zarr, files)."""
        return not isinstance(self.layer.data, np.ndarray)

    def place(self, view: SliceView) -> Place:
        """Return which volume of a series a view is in, () without a series, and its axes."""
        return view.index[: max(self.layer.ndim - SPACE, 0)], view.axes

    def ranges(self, view: SliceView) -> tuple[Range, Range]:
        """Return `intensity_range` and `value_range` of the volume that a slice is in.

        The volumes of a series, such as one of diffusion, can be as unlike as 1 and 1000.
        """
        return self._ranges(self.place(view)[0])

    @property
    def intensity_range(self) -> Range:
        """The percentiles that inference maps to 0 and 1, of the whole layer.

        Evenly spaced planes are read of a lazy layer beyond ``MAX_SAMPLED_VALUES``.
        """
        return self._ranges(())[0]

    @property
    def value_range(self) -> Range:
        """The smallest and the largest finite value of the whole layer."""
        return self._ranges(())[1]

    def forget(self, event: Any = None) -> None:
        """Forget what was measured: the layer's data or place have changed."""
        self.measured = Measured()
        self.changes += 1

    def _ranges(self, leading: tuple[int, ...]) -> tuple[Range, Range]:
        known = self.measured.ranges
        if leading not in known:
            data = self._sampled(self.layer.data[leading] if leading else self.layer.data)
            if leading and not np.isfinite(data).any():
                known[leading] = self._ranges(())
            else:
                known[leading] = (
                    normalisation.intensity_range(data),
                    normalisation.value_range(data),
                )
        return known[leading]

    def _sampled(self, data: Any) -> NDArray[Any]:
        step = max(-(-int(np.prod(data.shape)) // MAX_SAMPLED_VALUES), 1) if self.is_lazy else 1
        return np.asarray(data[::step])

    def view(self, dims: Position) -> SliceView | None:
        """Return the slice that is shown at a position.

        Parameters
        ----------
        dims
            The viewer's ``dims``, or another position in its world.

        Returns
        -------
        SliceView or None
            None where the viewer's position lies outside the layer.

        Raises
        ------
        UnsupportedLayerError
            If the layer cannot be zoomed as it is shown.
        """
        layer = self.layer
        missing = dims.ndim - layer.ndim
        displayed = tuple(axis - missing for axis in dims.displayed)
        if len(displayed) != 2 or min(displayed) < 0:
            raise UnsupportedLayerError(
                f"“{layer.name}” has {layer.ndim} axes and lies across the plane that is shown"
            )
        if min(displayed) < layer.ndim - SPACE:
            raise UnsupportedLayerError(
                f"“{layer.name}” is shown along time, which is no space: choose a plane"
            )
        scale, translate = scale_and_translate(layer)
        axes = (min(displayed), max(displayed))
        others = [axis for axis in range(layer.ndim) if axis not in axes]
        point = np.asarray(dims.point)[missing:]
        index = tuple(int(np.round((point[a] - translate[a]) / scale[a])) for a in others)
        if any(not 0 <= i < layer.data.shape[a] for i, a in zip(index, others, strict=True)):
            return None
        return SliceView(
            axes=axes,
            index=index,
            shape=(int(layer.data.shape[axes[0]]), int(layer.data.shape[axes[1]])),
            scale=(scale[axes[0]], scale[axes[1]]),
            translate=(translate[axes[0]], translate[axes[1]]),
            transposed=displayed[0] > displayed[1],
            plane=self._plane(others),
        )

    def _plane(self, others: list[int]) -> Plane | None:
        normal = others[-1] - (self.layer.ndim - SPACE) if others else -1
        return list(Plane)[normal] if self.is_anatomical and 0 <= normal <= 2 else None

    def read(self, view: SliceView) -> NDArray[Any]:
        """Return the numbers of a slice, (rows, columns)."""
        index: list[Any] = [slice(None)] * self.layer.ndim
        others = [axis for axis in range(self.layer.ndim) if axis not in view.axes]
        for axis, position in zip(others, view.index, strict=True):
            index[axis] = position
        return np.asarray(self.layer.data[tuple(index)])

    def unit(self, view: SliceView) -> str:
        """Return the world's unit along the slice's rows, as short as can be."""
        unit = str(self.layer.units[view.axes[0]])
        return SHORT_UNITS.get(unit, unit)

    def describe(self, position: Sequence[float]) -> str:
        """Return a world position of the viewer in words, in mm of the patient if known."""
        layer = self.layer
        world = np.asarray(position, float)[-layer.ndim :]
        volume = self.volume
        if volume is None or not self.has_sides:
            unit = SHORT_UNITS.get(str(layer.units[-1]), str(layer.units[-1]))
            return ", ".join(f"{value:.1f}" for value in world) + f" {unit}"
        voxel = np.asarray(layer.world_to_data(world), float)[-3:]
        patient = volume.affine @ [*voxel[::-1], 1.0]
        texts = [
            f"{letters[0] if value >= 0 else letters[1]} {abs(value):.1f}"
            for letters, value in zip(("RL", "AP", "SI"), patient, strict=False)
        ]
        return "  ".join(texts) + " mm"

    @property
    def placement(self) -> tuple[list[float], list[float]]:
        """(scale, translate) in the world of all axes, the layer's affine included."""
        return scale_and_translate(self.layer)

    def placed(
        self, view: SliceView, scale: tuple[float, float], translate: tuple[float, float]
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return (scale, translate), of all axes, of a layer one slice thick in this slice.

        Parameters
        ----------
        scale, translate
            Those of the slice's rows and columns.
        """
        scales, starts = scale_and_translate(self.layer)
        others = [axis for axis in range(self.layer.ndim) if axis not in view.axes]
        for axis, position in zip(others, view.index, strict=True):
            starts[axis] += position * scales[axis]
        for k, axis in enumerate(view.axes):
            scales[axis], starts[axis] = scale[k], translate[k]
        return tuple(scales), tuple(starts)

    def expanded(self, image: NDArray[Any], view: SliceView) -> NDArray[Any]:
        """Return a rendered slice with the layer's other axes added, of length one."""
        others = tuple(axis for axis in range(self.layer.ndim) if axis not in view.axes)
        return np.expand_dims(image, others)


def layer_source(layer: Image) -> LayerSource:
    """Return the source of a layer: the same one as long as the layer lives."""
    if layer not in _sources:
        _sources[layer] = LayerSource(layer)
    return _sources[layer]


def check_supported(layer: Image) -> None:
    """Refuse a layer that cannot be zoomed.

    Raises
    ------
    UnsupportedLayerError
        If it is RGB, multiscale, rotated or sheared, or holds no real numbers.
    """
    name = f"“{layer.name}”"
    if layer.multiscale:
        raise UnsupportedLayerError(
            f"{name} is multiscale: add its full resolution as a layer of its own"
        )
    if layer.rgb:
        raise UnsupportedLayerError(f"{name} is RGB: a gray image is needed, one channel a layer")
    if layer.dtype.kind not in "fiu":
        raise UnsupportedLayerError(
            f"{name} holds {layer.dtype} values: integers or real numbers are needed"
        )
    if layer.ndim < 2 or min(layer.data.shape) < 1:
        raise UnsupportedLayerError(f"{name} is empty: its shape is {tuple(layer.data.shape)}")
    scale_and_translate(layer)


def plane_and_index(view: SliceView, ndim: int) -> tuple[Plane, int]:
    """Return the plane and the slice of a layer's last three axes, taken for (z, y, x).

    Raises
    ------
    ValueError
        If the layer has more axes than time and three of space.
    """
    if ndim > MOST_AXES:
        raise ValueError(f"expected a layer of two to four axes, found {ndim}")
    if ndim == len(view.axes):
        return Plane.AXIAL, 0
    spatial = [axis - (ndim - SPACE) for axis in view.axes]
    normal = ({0, 1, 2} - set(spatial)).pop()
    return list(Plane)[normal], view.index[-1]
