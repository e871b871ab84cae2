"""Where to look in a slice: the mask's box, the detector's, or the brain's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from metasr_training.datasets.windows import mask_box
from napari_metasr.quality.metrics import brain_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice
    from napari_metasr.volume import Window

Roi = Literal["mask", "detector", "box"]

LEAST_SCORE = 0.5


class Detector(Protocol):
    """Finds the tumour in a slice."""

    def detect(
        self, image: NDArray[Any], intensity: tuple[float, float] | None = None
    ) -> tuple[Window, float]:
        """Its box (top, left, bottom, right) in pixels, and a score 0..1.

        ``intensity`` is what the network sees as 0 and 1.
        """


def regions_of_interest(
    slices: Iterable[Slice], roi: Roi, detector: Callable[[], Detector]
) -> dict[tuple[str, str, str], Window]:
    """The region of interest of each slice that has one, by the slice's key.

    Parameters
    ----------
    slices
        Any.
    roi
        ``mask``: the mask's box, none without a tumour, and the brain's box where there is no
        mask; ``detector``: the box that it finds with a score of at least one half; ``box``: the
        brain's box.
    detector
        Gives the detector; called if it is needed.
    """
    found: dict[tuple[str, str, str], Window] = {}
    finder = detector() if roi == "detector" else None
    for one in slices:
        box: Window | None
        if finder is not None:
            box, score = finder.detect(one.image, one.limits)
            box = box if score >= LEAST_SCORE else None
        elif roi == "mask" and one.mask is not None:
            box = mask_box(one.mask)
        else:
            box = brain_box(one.image)
        if box is not None:
            found[one.key] = box
    return found
