"""The whole region rendered off the GUI thread, for a layer to keep, a file or a figure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.figures.animation import FRAMES, animation_steps, zoom_end
from napari_metasr.figures.blink import save_blink
from napari_metasr.figures.page.writing import save_page
from napari_metasr.figures.panel import View
from napari_metasr.figures.profile import Profile, save_profile, table_path
from napari_metasr.figures.rendition import (
    Slice,
    mark,
    render,
    save_figure,
    save_nifti,
)
from napari_metasr.figures.size import PRINT_SIZE, PrintSize
from napari_metasr.io.layers import volume_of
from napari_metasr.io.names import marks_path, sidecar_path
from napari_metasr.io.writer import check_source_kept
from napari_metasr.trust.correction import Correction
from napari_metasr.widgets.viewer.layer_source import plane_and_index
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.widgets.viewer.models import RISK
from napari_metasr.widgets.zoom.corrections import assumption_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.geometry.windows import Line, Window
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.trust.risk import Guarantee
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.zoom.session import SliceKey


class FileKind(StrEnum):
    """What a region can be saved as; the values are what the user reads."""

    NIFTI_FLOAT = "NIfTI, 32-bit floating point"
    NIFTI_SOURCE = "NIfTI, the source's number type"
    FIGURE_PNG = "Figure, PNG"
    FIGURE_PDF = "Figure, PDF"
    PAGE = "Interactive page, HTML"
    GIF = "Animation, GIF"
    MP4 = "Film, MP4"
    BLINK_GIF = "Before and after in turn, GIF"
    BLINK_MP4 = "Before and after in turn, MP4"
    PROFILE_PNG = "Profile, PNG with a CSV table"
    PROFILE_PDF = "Profile, PDF with a CSV table"

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of the file's name, the usual one first."""
        others = {
            FileKind.FIGURE_PNG: (".png",),
            FileKind.FIGURE_PDF: (".pdf",),
            FileKind.PAGE: (".html",),
            FileKind.GIF: (".gif",),
            FileKind.MP4: (".mp4",),
            FileKind.BLINK_GIF: (".gif",),
            FileKind.BLINK_MP4: (".mp4",),
            FileKind.PROFILE_PNG: (".png",),
            FileKind.PROFILE_PDF: (".pdf",),
        }
        return others.get(self, (".nii.gz", ".nii"))

    def files(self, path: Path) -> list[Path]:
        """Return all files that are written, the one that is named first."""
        if self.is_region:
            return [path, sidecar_path(path)]
        return [path, table_path(path)] if self in PROFILES else [path]

    @property
    def has_dpi(self) -> bool:
        """Whether it is printed in dots."""
        return self in {FileKind.FIGURE_PNG, FileKind.PROFILE_PNG}

    @property
    def has_width(self) -> bool:
        """Whether the width of its page can be chosen."""
        return self in {FileKind.FIGURE_PNG, FileKind.FIGURE_PDF}

    @property
    def is_region(self) -> bool:
        """Whether it is the region's voxels, with a sidecar beside them."""
        return self in {FileKind.NIFTI_FLOAT, FileKind.NIFTI_SOURCE}


PROFILES = (FileKind.PROFILE_PNG, FileKind.PROFILE_PDF)
ANIMATIONS = (FileKind.GIF, FileKind.MP4)
BLINKING = (FileKind.BLINK_GIF, FileKind.BLINK_MP4)
OF_THE_NETWORK = (FileKind.PAGE, *ANIMATIONS)
"""What shows the network's own results at many scales."""

REGION_KINDS = tuple(kind for kind in FileKind if kind not in OF_THE_NETWORK + BLINKING + PROFILES)
"""What *Save* offers."""


@dataclass(frozen=True)
class RenderingSpec:
    """What is to be rendered, and how it is shown.

    Attributes
    ----------
    key, source, view
        The slice: its model and device, its layer, its place.
    grid, window
        Output grid, and low-resolution edges (top, left, bottom, right).
    name
        The source layer's.
    contrast_limits
        Shown black, shown white.
    orientation2d
        Where rows and columns point on the screen.
    acquisition
        What is assumed for consistency with the scan; None where the result is not made consistent.
    line
        Of a profile.
    guarantee
        What marks the result where it may be wrong; None where it is not marked.
    size
        How large a figure is printed.
    """

    key: SliceKey
    source: LayerSource
    view: SliceView
    grid: OutputGrid
    window: Window
    name: str
    contrast_limits: tuple[float, float]
    orientation2d: tuple[str, str]
    acquisition: str | None = None
    line: Line | None = None
    guarantee: Guarantee | None = None
    size: PrintSize = PRINT_SIZE

    def files(self, path: Path, kind: FileKind) -> list[Path]:
        """Return all files that are written as a kind, the one that is named first."""
        marked = self.guarantee is not None and kind.is_region
        return [*kind.files(path), *([marks_path(path)] if marked else ())]

    @property
    def assumption(self) -> Assumption | None:
        """The acquisition with which the result is to be consistent, if with any.

        Raises
        ------
        ValueError
            If the scan does not show it.
        """
        if self.acquisition is None:
            return None
        return assumption_of(self.source, self.view, self.acquisition)


def super_resolved(spec: RenderingSpec, models: ModelCache) -> NDArray[np.float32]:
    """Super-resolve a region, encoding what is needed; takes a while.

    Raises
    ------
    ValueError
        If the output would be too large, or the model cannot be used.
    """
    source = spec.source
    model = models.get(spec.key.model, spec.key.device)
    intensities, values = source.ranges(spec.view)
    encoded = model.encode(source.read(spec.view), intensity_range=intensities, value_range=values)
    pixels, assumption = spec.grid.pixel_range(spec.window), spec.assumption
    if assumption is None:
        return model.render_pixels(encoded, spec.grid, pixels)
    correction = Correction(model, encoded, spec.grid, assumption)
    return model.render_pixels(encoded, spec.grid, pixels, correction)


def save_steps(
    path: Path, kind: FileKind, spec: RenderingSpec, models: ModelCache
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
    if kind in OF_THE_NETWORK:
        for name, extra in (("Consistent", spec.acquisition), ("Risk", spec.guarantee)):
            if extra is not None:
                raise ValueError(f"{path.name} shows the network alone: switch “{name}” off first")
    source, view = spec.source, spec.view
    plane, index = plane_and_index(view, source.layer.ndim)
    time = view.index[0] if source.layer.ndim > 3 else 0
    model = models.get(spec.key.model, spec.key.device)
    cut = Slice(source.read(view), layer_volume(source), plane, index, time)
    oriented = volume is None or volume.source.is_oriented
    shown = View(view.plane, spec.contrast_limits, spec.orientation2d, is_oriented=oriented)
    scale = spec.grid.true_scale[int(cut.spacing[1] < cut.spacing[0])]
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
            head = models.get(f"{RISK}{spec.key.model}", spec.key.device)
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
