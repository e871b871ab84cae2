"""Slices as detectors are shown them, with the truth about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from metasr_training.datasets.eight_bits import eight_bit_range
from metasr_training.datasets.windows import mask_box
from metasr_training.evaluation.bench import box_on
from metasr_training.evaluation.cases import degrade_slice
from metasr_training.evaluation.detection.boxes import RegionScore, brightest_point, score_region
from napari_metasr.geometry.windows import Window
from napari_metasr.quality.metrics import brain_box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from metasr_training.condition import Condition
    from metasr_training.datasets.slices import Slice
    from napari_metasr.lesions.detector import Detector
    from napari_metasr.weights import OperatingPoint


@dataclass(frozen=True)
class View:
    """A slice under a condition.

    Attributes
    ----------
    slice
        With a mask, cut to whole low-resolution pixels.
    low_resolution
        (h, w) on the 0..255 scale: what detectors are shown.
    head
        The head's box, in the slice's pixels.
    brightest
        The middle of the brightest blob.
    """

    slice: Slice
    low_resolution: NDArray[np.float32]
    head: Window
    brightest: tuple[float, float]

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """(rows, columns), true where the tumour is."""
        return np.asarray(self.slice.mask, bool)

    @cached_property
    def tumour(self) -> Window | None:
        """The tumour's own box; None where there is none."""
        box = mask_box(self.mask)
        return None if box is None else Window(*box)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the slice."""
        return self.mask.shape[0], self.mask.shape[1]

    def score(self, boxes: Iterable[Window]) -> RegionScore:
        """Compare the union of boxes with the tumour.

        Raises
        ------
        ValueError
            If there is none.
        """
        if self.tumour is None:
            raise ValueError(f"expected a slice with a tumour, found {self.slice.name}")
        return score_region(boxes, self.mask, self.tumour, self.head)

    def boxes(self, detector: Detector, point: OperatingPoint | None = None) -> list[Window]:
        """Detect boxes in the slice's pixels, the highest score first."""
        low = self.low_resolution
        found = detector.detect(low, eight_bit_range(self.slice), point=point)
        return [box_on(one.region, low.shape, self.shape) for one in found]

    def highest(self, detector: Detector, point: OperatingPoint) -> float:
        """Return the highest score in the slice, whatever the threshold; 0 if nothing is found."""
        every = point.model_copy(update={"threshold": 0.0, "margin": 0.0})
        found = detector.detect(self.low_resolution, eight_bit_range(self.slice), point=every)
        return found[0].score if found else 0.0


def look(one: Slice, condition: Condition) -> View:
    """Reduce a slice."""
    one, truth, low_resolution, _ = degrade_slice(one, condition)
    return View(one, low_resolution, Window(*brain_box(truth)), brightest_point(truth))
