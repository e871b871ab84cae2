"""Where to look in a slice: the mask's box, the detector's, or the brain's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from metasr_training.datasets.windows import mask_box
from napari_metasr.geometry.windows import Window
from napari_metasr.quality.metrics import brain_box

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Slice
    from napari_metasr.lesions.detector import Detector

Roi = Literal["mask", "detector", "box"]


def regions_of_interest(
    slices: Iterable[Slice], roi: Roi, detector: Callable[[], Detector]
) -> dict[tuple[str, str, str], Window]:
    """Find the region of interest of each slice that has one, keyed by the slice's key.

    Parameters
    ----------
    slices
        Any.
    roi
        ``mask``: the mask's box, none without a tumour, and the brain's box where there is no
        mask; ``detector``: the surest box that it finds, none where it finds none; ``box``: the
        brain's box.
    detector
        Gives the detector; called if it is needed.
    """
    found: dict[tuple[str, str, str], Window] = {}
    finder = detector() if roi == "detector" else None
    for one in slices:
        if finder is not None:
            seen = finder.detect(one.image, one.intensity_range)
            box: tuple[float, float, float, float] | None = seen[0].region if seen else None
        elif roi == "mask" and one.mask is not None:
            box = mask_box(one.mask)
        else:
            box = brain_box(one.image)
        if box is not None:
            found[one.key] = Window(*box)
    return found
