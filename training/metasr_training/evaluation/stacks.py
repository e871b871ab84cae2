"""Slices that cross a stack: of volumes, and of pictures whose rows stand for the stack's axis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.eight_bits import eight_bits
from metasr_training.datasets.slices import LEAST_HEAD_SHARE, Slice
from metasr_training.evaluation.cases import Case
from napari_metasr.acquisition import slice_code
from napari_metasr.degradations import degrade
from napari_metasr.geometry.display import as_displayed
from napari_metasr.geometry.grids import AxisGrid, OutputGrid
from napari_metasr.geometry.windows import Window
from napari_metasr.io import read_volume
from napari_metasr.quality.metrics import brain_box
from napari_metasr.volume import Plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.volume import Volume

ACROSS = (Plane.SAGITTAL, Plane.CORONAL)
"""The planes that cross axial slices; their rows are the slices."""


@dataclass(frozen=True)
class Thickness:
    """How thick the kept slices are, as a share of their spacing."""

    name: str
    share: float

    @property
    def code(self) -> NDArray[np.float32]:
        """What a model is told of such slices where they are the rows of an image."""
        return slice_code(self.share, along_rows=True)


THICK = Thickness("thick", 1.0)
THIN = Thickness("thin", 0.0)


def views(volume: Volume, name: str, count: int) -> list[Slice]:
    """Return sagittal and coronal slices of a volume, evenly spread, as a screen shows them.

    Parameters
    ----------
    count
        Of each plane; all where 0. Those with hardly any head are left out first.
    """
    found: list[Slice] = []
    for plane in ACROSS:
        pool = [
            Slice(
                np.ascontiguousarray(as_displayed(volume.slice(plane, index))),
                volume.intensity_range,
                f"{plane}",
                name,
                f"{name}:{plane}:{index}",
            )
            for index in range(volume.slice_count(plane))
        ]
        pool = [one for one in pool if one.head_share > LEAST_HEAD_SHARE]
        take = min(count, len(pool)) or len(pool)
        found += [pool[int(i)] for i in np.linspace(0, len(pool) - 1, take)]
    return found


def volume_views(data: Path, patterns: Iterable[str], count: int) -> Iterator[Slice]:
    """Yield the views of every volume in the data folder whose path matches one of the patterns."""
    for path in sorted({path for pattern in patterns for path in data.glob(pattern)}):
        yield from views(read_volume(path), path.name.split(".")[0], count)


def thinned(one: Slice, factor: float, thickness: Thickness) -> Case:
    """Reduce the rows of a slice by ``factor``, each then a thick or a thin slice of the stack.

    Columns stay as they are: the grid's scale is (factor, 1), as nearly as whole rows allow.
    """
    truth = eight_bits(one)
    rows, columns = truth.shape
    grid = OutputGrid(AxisGrid(max(round(rows / factor), 1), rows), AxisGrid(columns, columns))
    low_resolution = degrade(truth, grid.input_shape, "slice-profile", thickness=thickness.share)
    regions: dict[str, Window] = {
        "slice": Window(0, 0, rows, columns),
        "brain": Window(*brain_box(truth)),
    }
    return Case(one, f"x{factor:g}-{thickness.name}", truth, low_resolution, grid, regions)
