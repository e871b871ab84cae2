"""What is set in the zoom dock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

from napari_metasr.trust.told import Words
from napari_metasr.widgets.viewer.viewport import RegionMode


class Compare(StrEnum):
    """How bicubic and super-resolved are shown together; the values are titles."""

    SIDE_BY_SIDE = "Side by side"
    SWIPE = "Swipe"
    BLINK = "Blink"
    DIFFERENCE = "Difference map"
    INFERRED = "Inferred part"
    SINGLE = "None (result over source)"

    def __str__(self) -> str:
        return self.value


class Export(StrEnum):
    """What else can be made of what is shown; the values are titles."""

    PAGE = "Interactive page…"
    ANIMATION = "Animated zoom…"
    BLINK = "Before and after in turn…"
    PROFILE = "Line profile…"

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
    CONSISTENT = auto()
    ASSUMED = auto()
    RISK = auto()


REMEMBERED = {
    Setting.REGION: "region",
    Setting.COMPARISON: "comparison",
    Setting.MODEL: "model",
    Setting.DEVICE: "device",
    Setting.ASSUMED: "assumed",
}
"""Settings that are kept from session to session, and their names."""


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
    consistent
        Whether results are made consistent with the scan.
    assumed
        The acquisition that is assumed then, and for the inferred part, and what a model that can
        be told is told of it and of the noise.
    risk
        Whether what may be wrong is marked.
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
    consistent: bool = False
    assumed: Words = field(default_factory=Words)
    risk: bool = False

    @property
    def is_marked(self) -> bool:
        """Whether a lesion or a rectangle that the user has marked is magnified, and not all."""
        if self.region is RegionMode.LESION:
            return True
        return self.region is RegionMode.RECTANGLE and not self.follow_camera

    @property
    def fits_region(self) -> bool:
        """Whether the camera shows all of what the user has marked, at whatever scale."""
        return self.is_marked and self.move_camera and not self.follow_camera

    @property
    def assumes(self) -> bool:
        """Whether anything that is shown rests on the assumed acquisition."""
        return self.consistent or self.comparison is Compare.INFERRED
