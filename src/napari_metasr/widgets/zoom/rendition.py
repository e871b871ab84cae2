"""The whole region rendered off the GUI thread, for a layer to keep, a file or a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.figures.caption import super_resolved_text
from napari_metasr.figures.comparison import Comparison, Locator, save_comparison
from napari_metasr.figures.panel import View
from napari_metasr.geometry.affines import slice_affine
from napari_metasr.io.layers import volume_of
from napari_metasr.io.writer import check_source_kept, write_slice
from napari_metasr.widgets.viewer.layer_source import plane_and_index
from napari_metasr.widgets.viewer.layer_volume import layer_volume
from napari_metasr.zoom.baselines import interpolate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.geometry.grids import OutputGrid, Scale
    from napari_metasr.geometry.windows import Window
    from napari_metasr.widgets.viewer.layer_source import LayerSource, SliceView
    from napari_metasr.widgets.zoom.encoding import Engines
    from napari_metasr.zoom.session import SliceKey

NIFTI_FLOAT = "NIfTI, 32-bit real numbers (*.nii.gz *.nii)"
NIFTI_SOURCE = "NIfTI, the source's number type (*.nii.gz *.nii)"
FIGURE_PNG = "Figure, PNG (*.png)"
FIGURE_PDF = "Figure, PDF (*.pdf)"
KINDS = {NIFTI_FLOAT: ".nii.gz", NIFTI_SOURCE: ".nii.gz", FIGURE_PNG: ".png", FIGURE_PDF: ".pdf"}


@dataclass(frozen=True)
class Rendering:
    """All of a region at a scale, and what it is of.

    Attributes
    ----------
    bicubic, enhanced
        float32, (rows, columns), in the source's units.
    image
        The low-resolution slice.
    """

    spec: RenderingSpec
    bicubic: NDArray[np.float32]
    enhanced: NDArray[np.float32]
    image: NDArray[Any]


@dataclass(frozen=True)
class RenderingSpec:
    """What is to be rendered.

    Attributes
    ----------
    title
        The model's.
    name
        The source layer's.
    orientation2d
        Where rows and columns point on the screen.
    """

    key: SliceKey
    source: LayerSource
    view: SliceView
    scale: Scale
    grid: OutputGrid
    window: Window
    title: str
    name: str
    contrast_limits: tuple[float, float]
    orientation2d: tuple[str, str]

    @property
    def spacing(self) -> tuple[float, float]:
        """Of the output's rows and columns, in world units."""
        scale_y, scale_x = self.grid.true_scale
        return abs(self.view.scale[0]) / scale_y, abs(self.view.scale[1]) / scale_x


def render_region(spec: RenderingSpec, engines: Engines) -> Rendering:
    """Render all of a region, encoding what is needed; takes a while.

    Raises
    ------
    ValueError
        If the output would be too large, or the model cannot be used.
    """
    engine = engines.get(spec.key.model, spec.key.device)
    image = spec.source.read(spec.view)
    encoded = engine.encode(
        image, intensity=spec.source.intensity_range, limits=spec.source.value_range
    )
    enhanced = engine.render(encoded, spec.scale, window=spec.window)
    bicubic = interpolate(image, spec.scale, window=spec.window, limits=spec.source.value_range)
    return Rendering(spec, bicubic, enhanced, image)


def save_region(path: Path, kind: str, spec: RenderingSpec, engines: Engines) -> Path:
    """Render a region and write it; the file appears when it is whole.

    Parameters
    ----------
    path
        An existing file is replaced.
    kind
        One of ``KINDS``.

    Raises
    ------
    ValueError, OSError
        If it cannot be rendered or written, or would replace the file it is made from.
    """
    volume = volume_of(spec.source.layer.metadata)
    if volume is not None:
        check_source_kept(path, volume.source)
    rendering = render_region(spec, engines)
    if kind in {NIFTI_FLOAT, NIFTI_SOURCE}:
        dtype = np.dtype(np.float32) if kind == NIFTI_FLOAT else rendering.image.dtype
        return _write_nifti(path, rendering, dtype)
    return _write_figure(path, rendering)


def _write_nifti(path: Path, rendering: Rendering, dtype: np.dtype[Any]) -> Path:
    spec = rendering.spec
    layer, volume = spec.source.layer, layer_volume(spec.source)
    plane, index = plane_and_index(spec.view, layer.ndim)
    shape = (1,) * (3 - min(layer.ndim, 3)) + tuple(layer.data.shape[-3:])
    return write_slice(
        path,
        rendering.enhanced,
        slice_affine(volume.affine, shape, plane, index, spec.grid, spec.window),
        plane,
        volume.source,
        dtype=dtype,
        description=super_resolved_text(spec.title, spec.grid.true_scale, spec.spacing),
        overwrite=True,
    )


def _write_figure(path: Path, rendering: Rendering) -> Path:
    spec = rendering.spec
    volume = volume_of(spec.source.layer.metadata)
    index = f"slice {spec.view.index[-1]}" if spec.view.index else ""
    comparison = Comparison(
        interpolated=rendering.bicubic,
        super_resolved=rendering.enhanced,
        spacing=spec.spacing,
        scale=spec.grid.true_scale,
        model=spec.title,
        heading=spec.name,
        details=f"{spec.view.plane or ''} {index}".strip(),
    )
    return save_comparison(
        path,
        comparison,
        view=View(
            spec.view.plane,
            spec.contrast_limits,
            spec.orientation2d,
            is_oriented=volume is None or volume.source.is_oriented,
        ),
        locator=Locator(
            rendering.image, (abs(spec.view.scale[0]), abs(spec.view.scale[1])), spec.window
        ),
        overwrite=True,
    )
