"""Writes a region in a thread: this module loads what draws figures, and the window does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.figures.animation import FRAMES, animation_steps, zoom_end
from napari_metasr.figures.blink import save_blink
from napari_metasr.figures.page.writing import save_page
from napari_metasr.figures.panel import View
from napari_metasr.figures.profile import Profile, save_profile
from napari_metasr.figures.rendition import Slice, mark, render
from napari_metasr.figures.rendition_files import save_figure, save_nifti
from napari_metasr.io.layers import volume_of
from napari_metasr.io.writer import check_source_kept
from napari_metasr.widgets.viewer.layer_source import plane_and_index
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.zoom.rendition import ANIMATIONS, BLINKING, OF_THE_NETWORK, FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.widgets.zoom.rendition import RenderingSpec
    from napari_metasr.zoom.engine import ZoomModel


def save_steps(
    path: Path, kind: FileKind, spec: RenderingSpec, models: ModelCache[ZoomModel]
) -> Iterator[Path | tuple[int, int]]:
    """Render a region and write it, replacing an existing file; it appears when it is whole.

    Yields
    ------
    tuple or Path
        How many steps of how many are done, where there are several; the path at the end.

    Raises
    ------
    ValueError, OSError
        If it cannot be rendered or written, or would replace the file it is made from.
    """
    volume = volume_of(spec.source.layer.metadata)
    if volume is not None:
        check_source_kept(path, volume.source)
    _check_shown(path, kind, spec)
    source, view = spec.source, spec.view
    plane, index = plane_and_index(view, source.layer.ndim)
    time = view.index[0] if source.layer.ndim > 3 else 0
    model = spec.model(models)
    cut = Slice(source.read(view), layer_volume(source), plane, index, time)
    shown = View.of(cut.volume, plane, spec.contrast_limits, spec.orientation2d)
    scale = cut.scale_on(spec.grid)
    ranges: dict[str, Any] = dict(
        zip(("intensity_range", "value_range"), source.ranges(view), strict=True)
    )
    if kind is FileKind.PAGE:
        save_page(path, model, cut, spec.window, scale=scale, view=shown, overwrite=True, **ranges)
    elif kind in ANIMATIONS:
        for done in animation_steps(
            path,
            cut.image,
            model,
            title=model.card.title,
            trained_scales=model.card.trained_scales,
            view=shown,
            spacing=cut.spacing,
            window=zoom_end(spec.window, scale, cut.spacing),
            overwrite=True,
            **ranges,
        ):
            yield done, FRAMES
    else:
        rendition = render(model, cut, spec.grid, spec.window, assumption=spec.assumption, **ranges)
        if spec.guarantee is not None:
            head = models.head(spec.key.model, spec.key.device)
            rendition = mark(head, rendition, spec.guarantee, **ranges)
        if spec.line is not None:
            profile = Profile.of(rendition, spec.line)
            save_profile(
                path, rendition, profile, view=shown, heading=spec.name, dpi=spec.size.dpi,
                overwrite=True,
            )  # fmt: skip
        elif kind in BLINKING:
            save_blink(path, rendition, view=shown, overwrite=True)
        elif not kind.is_region:
            save_figure(
                path, rendition, view=shown, heading=spec.name, dpi=spec.size.dpi,
                width_mm=spec.size.width_mm, overwrite=True,
            )  # fmt: skip
        else:
            is_float = kind is FileKind.NIFTI_FLOAT
            dtype = np.dtype(np.float32) if is_float else cut.image.dtype
            save_nifti(path, rendition, dtype=dtype, overwrite=True)
    yield path


def _check_shown(path: Path, kind: FileKind, spec: RenderingSpec) -> None:
    """Refuse to leave out what is switched on."""
    for name, extra in (("Consistent", spec.acquisition), ("Risk", spec.guarantee)):
        if kind in OF_THE_NETWORK and extra is not None:
            raise ValueError(f"{path.name} shows the network alone: switch “{name}” off first")
    if kind in BLINKING and spec.guarantee is not None:
        raise ValueError(f"{path.name} shows no marks: switch “Risk” off first")
