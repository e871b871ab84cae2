"""Figures of every lesion of a volume in one go: its middle slice, or slices through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_metasr.figures.mosaic import save_mosaic, spread_slices
from napari_metasr.figures.rendition import Slice, render
from napari_metasr.figures.rendition_files import save_figure
from napari_metasr.files import numbered
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io.writer import check_source_kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_metasr.figures.panel import View
    from napari_metasr.figures.rendition import Rendition
    from napari_metasr.geometry.grids import Scale
    from napari_metasr.lesions.lesion import Lesion
    from napari_metasr.volume import Volume
    from napari_metasr.zoom.engine import ZoomModel

SLICES = 8
"""Slices of a mosaic."""


def figure_paths(path: Path, count: int) -> list[Path]:
    """Return the figures' files: ``lesion.png`` becomes ``lesion-1.png`` and so on."""
    return [numbered(path, number, (path.suffix,)) for number in range(1, count + 1)]


def lesion_figure_steps(
    path: Path,
    volume: Volume,
    lesions: Sequence[Lesion],
    model: ZoomModel,
    *,
    scale: Scale,
    view: View,
    time: int = 0,
    mosaic: bool = False,
    overwrite: bool = False,
) -> Iterator[tuple[int, int]]:
    """Write a figure of every lesion, one after the other.

    Parameters
    ----------
    path
        ``.png`` or ``.pdf``; see `figure_paths`.
    lesions
        Best first.
    model
        The network.
    scale, view
        Of all figures.
    time
        Time point of a 4-D volume.
    mosaic
        Whether slices from the first to the last one of a lesion are shown, not its middle one.

    Yields
    ------
    tuple of int
        How many of how many lesions are done.

    Raises
    ------
    OSError, ValueError
        As `save_figure`; figures that were finished before remain.
    """
    for number, (lesion, file) in enumerate(
        zip(lesions, figure_paths(path, len(lesions)), strict=True), start=1
    ):
        check_source_kept(file, volume.source)
        heading = f"{volume.source.name}, lesion {number} of {len(lesions)}"
        if mosaic:
            renditions = [
                _rendition(volume, lesion, index, model, scale, time, whole=True)
                for index in spread_slices(lesion, SLICES)
            ]
            save_mosaic(file, renditions, view=view, heading=heading, overwrite=overwrite)
        else:
            one = _rendition(volume, lesion, lesion.middle, model, scale, time, whole=False)
            save_figure(file, one, view=view, heading=heading, overwrite=overwrite)
        yield number, len(lesions)


def _rendition(
    volume: Volume,
    lesion: Lesion,
    index: int,
    model: ZoomModel,
    scale: Scale,
    time: int,
    *,
    whole: bool,
) -> Rendition:
    """Render a lesion's rectangle in a slice, or that round all of its rectangles."""
    image = volume.slice(lesion.plane, index, time)
    shape = (image.shape[0], image.shape[1])
    window = lesion.window if whole else lesion.detections[index].region
    return render(
        model,
        Slice(image, volume, lesion.plane, index, time),
        OutputGrid.at_scale(shape, scale),
        window.clipped(shape),
        intensity_range=volume.at_time(time).intensity_range,
        value_range=volume.at_time(time).value_range,
    )
