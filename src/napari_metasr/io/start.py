"""What a volume's file holds beside its voxels, when it is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

    from napari_metasr.volume import Source

__all__ = [
    "INTENT",
    "LABELS",
    "NO_ORIENTATION",
    "Outline",
    "Packing",
    "Start",
    "cannot_hold",
    "sizes_text",
]

INTENT, LABELS = "intent", "labels"
"""Field of headers in text, and what it says of labels; their formats have none of their own."""

NO_ORIENTATION = "the header holds no orientation: left and right, and all directions, are a guess"


@dataclass(frozen=True)
class Outline:
    """A volume's file that is to be written, but for its voxels.

    Attributes
    ----------
    path
        The file; its ending is one of `WRITTEN_SUFFIXES`.
    shape
        (i, j, k) or (i, j, k, t), as stored; (i, j) of a flat image.
    affine
        4 x 4, voxel (i, j, k) to world mm (RAS+).
    dtype
        Type of the voxels.
    source, description, keeps_meaning, labels
        As `write_volume`.
    """

    path: Path
    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    dtype: DTypeLike
    source: Source
    description: str = ""
    keeps_meaning: bool = True
    labels: bool = False

    @property
    def little_endian(self) -> np.dtype[Any]:
        """Type of the voxels in formats that put the low byte first and know no Boolean one."""
        dtype = np.dtype(self.dtype)
        return np.dtype(np.uint8 if dtype == np.bool_ else dtype).newbyteorder("<")

    @property
    def time_step(self) -> float:
        """Seconds from one volume of a series to the next; 0 where that is not known."""
        header = self.source.header
        if len(self.shape) < 4 or header is None or len(header.get_zooms()) < 4:
            return 0.0
        factor = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}.get(header.get_xyzt_units()[1], 0.0)
        return factor * float(header.get_zooms()[3])

    @property
    def words(self) -> str:
        """The description in one line."""
        return " ".join(self.description.split())


class Packing(Enum):
    """What of a file is compressed by gzip."""

    NONE = auto()
    WHOLE = auto()
    VOXELS = auto()


@dataclass(frozen=True)
class Start:
    """The bytes around the voxels, which follow with their first axis running fastest.

    Attributes
    ----------
    content
        Before the voxels.
    dtype
        Type of the voxels in the file.
    end
        Behind the voxels.
    packing
        What is compressed.
    """

    content: bytes
    dtype: np.dtype[Any]
    end: bytes = b""
    packing: Packing = Packing.NONE


def cannot_hold(path: Path, kind: str, name: str) -> ValueError:
    """Return the refusal of a type that a format lacks."""
    return ValueError(f"{path}: expected a type that {kind} can hold, found {name}")


def sizes_text(shape: tuple[int, ...]) -> str:
    """Return the sizes of three axes, or of four, as headers in text list them."""
    return " ".join(str(size) for size in (*shape, 1, 1)[: max(len(shape), 3)])
