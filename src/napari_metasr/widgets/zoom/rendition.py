"""The whole region rendered off the GUI thread, and what it can be saved as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from napari_metasr.figures.size import PRINT_SIZE, PrintSize
from napari_metasr.io.names import marks_path, record_path, sidecar_path, table_path
from napari_metasr.widgets.viewer.telling import told_network, told_text
from napari_metasr.widgets.zoom.corrections import assumption_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid
    from napari_metasr.geometry.windows import Line, Window
    from napari_metasr.trust.assumption import Assumption
    from napari_metasr.trust.risk import Guarantee
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.viewer.models import ModelCache
    from napari_metasr.zoom.engine import ZoomModel
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
        if self in OF_THE_NETWORK:
            return [path]
        return [path, *([table_path(path)] if self in PROFILES else ()), record_path(path)]

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

    def model(self, models: ModelCache) -> Any:
        """Return the loaded model, told what it is to be told."""
        model = models.get(self.key.model, self.key.device)
        return told_network(model, self.key.told, self.source, self.view)

    @property
    def told(self) -> str:
        """What the model was told, in words, once it has been; empty for one that cannot be."""
        return told_text(self.key.told, self.source, self.view)

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


def super_resolved(spec: RenderingSpec, models: ModelCache[ZoomModel]) -> NDArray[np.float32]:
    """Super-resolve a region, encoding what is needed; takes a while.

    Raises
    ------
    ValueError
        If the output would be too large, or the model cannot be used.
    """
    source, model = spec.source, spec.model(models)
    intensities, values = source.ranges(spec.view)
    encoded = model.encode(source.read(spec.view), intensity_range=intensities, value_range=values)
    pixels, assumption = spec.grid.pixel_range(spec.window), spec.assumption
    if assumption is None:
        return model.render_pixels(encoded, spec.grid, pixels)
    from napari_metasr.trust.correction import Correction

    correction = Correction(model, encoded, spec.grid, assumption)
    return model.render_pixels(encoded, spec.grid, pixels, correction)
