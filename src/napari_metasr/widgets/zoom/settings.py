"""What is set in the zoom dock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_metasr.widgets.viewer.viewport import RegionMode


class Compare(StrEnum):
    """How bicubic and super-resolved are shown together; the values are titles."""

    SIDE_BY_SIDE = "Side by side"
    SWIPE = "Swipe"
    BLINK = "Blink"
    DIFFERENCE = "Difference map"
    SINGLE = "None (result over source)"

    def __str__(self) -> str:
        return self.value


class Setting(Enum):
    """A control of the dock."""

    SOURCE = auto()
    REGION = auto()
    SCALE = auto()
    MOVE_CAMERA = auto()
    FOLLOW_CAMERA = auto()
    CONTRASTS = auto()
    MODEL = auto()
    DEVICE = auto()
    COMPARISON = auto()


@dataclass(frozen=True)
class ZoomSettings:
    """What is set in the dock.

    Attributes
    ----------
    source
        Which of the listed layers; -1 for none.
    region
        What is super-resolved.
    scale
        Output pixels per input pixel, 1 to 8.
    move_camera, follow_camera
        Whether the slider moves the camera, and whether the camera sets region and scale.
    contrasts
        Which further layers are super-resolved too, as places in the list of contrasts.
    model, device
        By name.
    comparison
        How the two results are shown together.
    """

    source: int
    region: RegionMode
    scale: float
    move_camera: bool
    follow_camera: bool
    contrasts: tuple[int, ...]
    model: str
    device: str
    comparison: Compare
