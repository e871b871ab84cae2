"""Report how far the work on a volume is, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.upscaling.parts import PassKind
    from napari_metasr.volume import Plane

    Stage: TypeAlias = "Phase | PassKind"


class Phase(Enum):
    """What is being done to a volume before and after its passes."""

    READING = "reading"
    MEASURING = "measuring"
    SEARCHING = "looking for lesions"
    UPSCALING = "upscaling"
    COMPRESSING = "compressing"
    LABELLING = "putting labels on the new grid"
    DONE = "done already"

    @property
    def title(self) -> str:
        """Its name on progress bars."""
        return self.value


@dataclass(frozen=True)
class Preview:
    """A slice that has just been upscaled, to look at while the work goes on.

    Attributes
    ----------
    image
        (rows, columns), in the source's intensity units, as its pass has made it.
    before
        (rows, columns) of the same slice before that pass.
    plane
        Plane of the slice; it may be one of the two orthogonal ones.
    index, count
        Index of the slice, and number of slices of the pass.
    intensity_range
        The volume's intensity range, for display.
    """

    image: NDArray[np.float32]
    before: NDArray[Any]
    plane: Plane
    index: int
    count: int
    intensity_range: tuple[float, float]


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes
    ----------
    stage
        What is being done.
    done
        Share of the stage, 0 to 1.
    overall
        Share of the whole work, 0 to 1, by the time it is expected to take; it never decreases.
    left
        Seconds that the rest of the work is expected to take.
    preview
        The last slice that was upscaled, if one was.
    """

    stage: Stage
    done: float
    overall: float
    left: float
    preview: Preview | None = None
