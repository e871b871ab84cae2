"""The output as a layer: shown where its source is, in its contrast, and named for what it is."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari_metasr.io.layers import placed_anew
from napari_metasr.widgets.viewer.layer_source import layer_source
from napari_metasr.widgets.viewer.result_layers import PURPOSE, SUPER_RESOLVED

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_metasr.io.layers import LayerData
    from napari_metasr.upscaling.target import Target


def named_as_made(data: LayerData) -> LayerData:
    """Return an output as the reader gives it, with a name that says what an image is."""
    voxels, keywords, kind = data
    if kind == "image":
        keywords = {
            **keywords,
            "name": f"{PURPOSE} · super-resolved · {keywords['name']}",
            "metadata": {**keywords.get("metadata", {}), SUPER_RESOLVED: True},
        }
    return voxels, keywords, kind


def like_source(data: LayerData, source: Image, target: Target) -> LayerData:
    """Return an output in the size, place and contrast of its source.

    By itself a file that is oblique to the scanner is shown without its rotation, beside others
    of the same field of view whose first voxel lies elsewhere.

    Parameters
    ----------
    data
        The output.
    source
        The layer that it was made of; may lie anywhere in the window.
    target
        The output's voxels over the source's.
    """
    voxels, keywords, kind = data
    if kind == "image":
        shown = {name: getattr(source, name) for name in ("contrast_limits", "gamma", "colormap")}
        keywords = {**keywords, **shown}
    inputs = tuple(axis.input for axis in target.axes)
    if tuple(source.data.shape[-3:]) == inputs and voxels.ndim <= source.ndim:
        with suppress(ValueError):  # it was rotated meanwhile
            scale, translate = (one[-voxels.ndim :] for one in layer_source(source).placement)
            for axis, grid in enumerate(target.axes, start=voxels.ndim - 3):
                scale[axis], translate[axis] = grid.place(scale[axis], translate[axis])
            units = [str(unit) for unit in source.units][-voxels.ndim :]
            place = {"scale": scale, "translate": translate, "units": units}
            keywords = placed_anew(keywords, voxels.ndim, **place)
    return voxels, keywords, kind
