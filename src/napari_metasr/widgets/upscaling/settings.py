"""What is set in the dock for whole volumes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_metasr.trust.told import Words
    from napari_metasr.volume import Plane
    from napari_metasr.widgets.upscaling.target import Target


class Setting(Enum):
    """A control of the dock."""

    PLANE = auto()
    TARGET = auto()
    MODEL = auto()
    THROUGH_PLANE_MODEL = auto()
    ASSUMED = auto()
    WITHIN = auto()
    THICKNESS = auto()
    DTYPE = auto()
    DEVICE = auto()
    LABELS = auto()
    OUTPUT = auto()


class NumberType(Enum):
    """The output's number type, as options name it."""

    SOURCE = "source"
    FLOAT = "float32"

    def __str__(self) -> str:
        return NUMBER_TYPES[self]


NUMBER_TYPES = {
    NumberType.SOURCE: "The source's, rounded and clipped",
    NumberType.FLOAT: "32-bit floating point",
}
"""What the user reads."""

WHOLE, FOUND = range(2)
"""Entries of where networks work; layers with regions come after them."""


@dataclass(frozen=True)
class UpscaleSettings:
    """What is set in the dock.

    Attributes
    ----------
    plane
        Plane in which the slices were acquired.
    target
        How fine the output is to be.
    model, through_plane_model, device
        By name.
    assumed
        What a model that can be told is told of how the slices were acquired.
    within
        ``WHOLE``, ``FOUND``, or the place of a layer after them.
    thickness
        Thickness of slices, in mm, where they do not touch.
    dtype
        Number type of the output.
    output
        The file; empty where it is to be asked for.
    opens
        Whether the output becomes a layer.
    labels
        Whether the segmentations on the volume's grid come along.
    """

    plane: Plane
    target: Target
    model: str
    through_plane_model: str
    device: str
    assumed: Words
    within: int
    thickness: float | None
    dtype: NumberType
    output: str
    opens: bool
    labels: bool
