"""Measure what models add to scans that were not reduced, where no truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from metasr_training.evaluation.output.sheets import Tile
from metasr_training.tables import markdown_table
from napari_metasr.geometry.grids import OutputGrid
from napari_metasr.io import read
from napari_metasr.io.contrast import guess_contrast
from napari_metasr.quality.artefacts import Counts, count_artefacts, head_of
from napari_metasr.zoom.baselines import interpolate_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.volume import Volume
    from napari_metasr.zoom.engine import ZoomModel

INTERPOLATIONS = ("bicubic", "lanczos")
LEAST_SHARE = 0.02
"""Share of a slice that must show tissue for it to be measured."""

SHOWN_PIXELS = 40
ALL = "all"


@dataclass(frozen=True)
class NativeRow:
    """One method on one scan, or (``all``) on all scans of a contrast, at one scale.

    Shares and the residual are percentages; see ``napari_metasr.quality.artefacts.Artefacts``.
    """

    scan: str
    contrast: str
    scale: float
    method: str
    slices: int
    rim: float
    inside: float
    over: float
    under: float
    texture: float
    residual: float


@dataclass(frozen=True)
class NativeSlice:
    """A slice as it is, and what it is of.

    Attributes
    ----------
    scan, contrast
        Name of the file, and contrast by it.
    image, head
        (rows, columns), and where it shows tissue.
    median
        Of the tissue of the slices that were taken of the scan.
    volume
        The scan.
    """

    scan: str
    contrast: str
    image: NDArray[np.float32]
    head: NDArray[np.bool_]
    median: float
    volume: Volume


def native_slices(paths: Iterable[Path], number: int) -> Iterator[NativeSlice]:
    """Take axial slices that show tissue, evenly spread over each scan.

    Raises
    ------
    ValueError
        If a scan shows no tissue, or has a value that is not finite.
    OSError
        If one cannot be read.
    """
    for path in paths:
        volume = read(path)
        if volume.data.ndim != 3:
            raise ValueError(f"{path}: expected one volume, found shape {volume.data.shape}")
        stack = volume.data.astype(np.float32)
        if not np.isfinite(stack).all():
            raise ValueError(f"{path}: expected finite values, found NaN or infinity")
        heads = {index: head_of(image) for index, image in enumerate(stack) if np.ptp(image) > 0}
        shown = [index for index, head in heads.items() if head.mean() >= LEAST_SHARE]
        if not shown:
            raise ValueError(f"{path}: expected a head, found no slice that shows one")
        spread = np.linspace(0, len(shown) - 1, min(number or len(shown), len(shown)))
        chosen = [shown[round(place)] for place in spread]
        median = float(np.median(np.concatenate([stack[i][heads[i]] for i in chosen])))
        contrast = guess_contrast(path.name) or "unknown"
        for index in chosen:
            yield NativeSlice(path.name, contrast, stack[index], heads[index], median, volume)


def methods_of(models: Sequence[tuple[str, ZoomModel]]) -> dict[str, Callable[..., NDArray]]:
    """Interpolation and models by their labels: (slice, grid) to its output."""

    def by_interpolation(name: str) -> Callable[[NativeSlice, OutputGrid], NDArray]:
        def upscale(one: NativeSlice, grid: OutputGrid) -> NDArray:
            value_range = one.volume.value_range
            return interpolate_pixels(one.image, grid, grid.pixel_range(), name, value_range)

        return upscale

    def by_model(model: ZoomModel) -> Callable[[NativeSlice, OutputGrid], NDArray]:
        def upscale(one: NativeSlice, grid: OutputGrid) -> NDArray:
            volume = one.volume
            encoded = model.encode(one.image, volume.intensity_range, volume.value_range)
            return model.render_pixels(encoded, grid, grid.pixel_range())

        return upscale

    found = {name: by_interpolation(name) for name in INTERPOLATIONS}
    return found | {label: by_model(model) for label, model in models}


def measure_native(
    slices: Sequence[NativeSlice],
    methods: dict[str, Callable[..., NDArray]],
    scales: Iterable[float],
) -> list[NativeRow]:
    """Upscale every slice by every method, and count what was added: by scan, and by contrast."""
    rows: list[NativeRow] = []
    for scale in scales:
        counts: dict[tuple[str, str, str], list[Counts]] = {}
        for one in tqdm(slices, desc=f"x{scale:g}", unit="slice"):
            grid = OutputGrid.at_scale(one.image.shape, scale)
            for label, upscale in methods.items():
                found = count_artefacts(upscale(one, grid), one.image, grid, one.head, one.median)
                for scan in (one.scan, ALL):
                    counts.setdefault((scan, one.contrast, label), []).append(found)
        rows += [_row(scale, *key, found) for key, found in counts.items()]
    return sorted(rows, key=lambda row: (row.scan == ALL, row.contrast, row.scan, row.scale))


def _row(scale: float, scan: str, contrast: str, method: str, counts: list[Counts]) -> NativeRow:
    found = sum(counts, Counts()).artefacts
    return NativeRow(
        scan=scan,
        contrast=contrast,
        scale=scale,
        method=method,
        slices=len(counts),
        rim=100 * found.rim,
        inside=100 * found.inside,
        over=100 * found.over,
        under=100 * found.under,
        texture=found.texture,
        residual=100 * found.residual,
    )


def native_table(rows: Iterable[NativeRow]) -> str:
    """Tabulate rows in Markdown, with percentages."""
    columns: dict[str, Callable[[NativeRow], str]] = {
        "scan": lambda row: row.scan,
        "contrast": lambda row: row.contrast,
        "scale": lambda row: f"x{row.scale:g}",
        "method": lambda row: row.method,
        "slices": lambda row: str(row.slices),
        "false rim at the edge (%)": lambda row: f"{row.rim:.2f}",
        "inside (%)": lambda row: f"{row.inside:.2f}",
        "above local range (%)": lambda row: f"{row.over:.2f}",
        "below (%)": lambda row: f"{row.under:.2f}",
        "texture": lambda row: f"{row.texture:.2f}",
        "averaged back (%)": lambda row: f"{row.residual:.2f}",
    }
    return markdown_table(columns, rows)


def rim_tiles(
    one: NativeSlice, methods: dict[str, Callable[..., NDArray]], scale: float
) -> list[Tile]:
    """Cut the window where the methods differ most out of every method's result."""
    grid = OutputGrid.at_scale(one.image.shape, scale)
    results = {label: upscale(one, grid) for label, upscale in methods.items()}
    found = np.stack(list(results.values()))
    place = np.unravel_index(np.ptp(found, axis=0).argmax(), grid.output_shape)
    size = round(SHOWN_PIXELS * scale)
    top, left = (
        int(np.clip(centre - size // 2, 0, max(whole - size, 0)))
        for centre, whole in zip(place, grid.output_shape, strict=True)
    )
    limits = (float(one.image.min()), one.volume.intensity_range[1])
    part = np.s_[top : top + size, left : left + size]
    return [Tile(image[part], limits, label) for label, image in results.items()]
