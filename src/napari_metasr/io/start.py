"""What a volume's file holds beside its voxels, when it is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Packing", "Start"]


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
