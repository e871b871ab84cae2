"""What of a scan is tried: from what is chosen in the viewer to a slice and a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_metasr.widgets.proof import messages as words
from napari_metasr.widgets.viewer.drawn_regions import drawn_regions
from napari_metasr.widgets.viewer.focus import lesion_focus, rectangle_of
from napari_metasr.widgets.viewer.layer_grid import same_grid
from napari_metasr.widgets.viewer.layer_source import plane_and_index

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_metasr.geometry.windows import Window
    from napari_metasr.volume import Plane
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView


class ProofScope(StrEnum):
    """What is tried; the values are titles."""

    VOLUME = "Whole scan"
    SLICE = "Current slice"
    LESION = "Chosen lesion"
    REGION = "Drawn region"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Part:
    """What is tried of a scan.

    Attributes
    ----------
    plane, index
        Its plane and slice, where one slice is tried.
    region
        The part of the slice that is compared, in low-resolution edges; None for all of it.
    time
        Time point.
    """

    plane: Plane | None = None
    index: int | None = None
    region: Window | None = None
    time: int = 0


def part_of(scope: ProofScope, viewer: ViewerModel, source: LayerSource, times: int) -> Part:
    """Return what is tried.

    Parameters
    ----------
    source
        The image.
    times
        How many time points it has.

    Raises
    ------
    ValueError
        If the viewer shows no slice of the image where one is needed, no lesion of it is chosen,
        or no rectangle is drawn on it.
    """
    is_flat = viewer.dims.ndisplay == 2
    view = source.view(viewer.dims) if is_flat else None
    time = view.index[0] if view is not None and times > 1 else 0
    if scope is ProofScope.VOLUME:
        return Part(time=time)
    if scope is ProofScope.LESION:
        return _lesion(viewer, source, view, times)
    if not is_flat:
        raise ValueError(words.IN_3D)
    if view is None:
        raise ValueError(words.OUTSIDE)
    plane, index = plane_and_index(view, source.layer.ndim)
    region = None
    if scope is ProofScope.REGION:
        region = drawn_regions(viewer).get(source, view)
        if region is None:
            raise ValueError(words.NO_REGION)
    return Part(plane, index, region, time)


def _lesion(viewer: ViewerModel, source: LayerSource, view: SliceView | None, times: int) -> Part:
    """Return the slice on the screen around the chosen lesion, or the lesion's middle slice."""
    focus = lesion_focus(viewer)
    lesion, layer = focus.lesion, focus.layer
    if lesion is None or layer is None or not same_grid(layer, source.layer):
        raise ValueError(words.NO_LESION)
    time = focus.leading_index[0] if times > 1 and focus.leading_index else 0
    window = focus.window(source, view) if view is not None else None
    if view is not None and window is not None:
        plane, index = plane_and_index(view, source.layer.ndim)
    else:
        plane, index = lesion.plane, lesion.middle
        window = rectangle_of(lesion, plane, index)
    return Part(plane, index, window, time)
