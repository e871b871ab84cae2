"""How far the work on a volume is, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from napari_metasr.volume import Plane


@dataclass(frozen=True)
class Preview:
    """A slice that was enlarged just now, to look at while the work goes on.

    Attributes
    ----------
    image
        (rows, columns), in the source's intensity units, as the pass it is from has made it.
    before
        (rows, columns) of the same slice before that pass.
    plane
        Whose slice it is: also one of the two orthogonal ones.
    index, count
        Which of how many the pass goes through.
    intensity
        The volume's intensity range, for display.
    """

    image: NDArray[np.float32]
    before: NDArray[Any]
    plane: Plane
    index: int
    count: int
    intensity: tuple[float, float]


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes
    ----------
    stage
        In words.
    done
        Share of the stage, 0 to 1.
    overall
        Share of the whole work, 0 to 1, by what it is estimated to cost: the time left is
        ``(1 - overall) / overall`` of the time so far.
    preview
        The last slice that was enlarged, if one was.
    """

    stage: str
    done: float
    overall: float
    preview: Preview | None = None
