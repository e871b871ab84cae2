"""How well marks agree with true errors and with flagged patches, where the truth is known."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.quality.hallucination import NOT_JUDGED, WRONG

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """What lies inside and outside of marks; those of several slices of a patient add up.

    Attributes
    ----------
    pixels, marked
        Pixels that were compared, and those of them that are marked.
    large, large_marked
        Pixels with a large error, and the marked ones.
    excess, excess_marked
        Sum over pixels of what their error exceeds the limit of large errors by, as a share of the
        intensity range; the same over marked pixels.
    judged, judged_marked
        Pixels in patches that sFRC judged, and the marked ones.
    wrong, wrong_marked
        Pixels in patches that sFRC flagged, and the marked ones.
    """

    pixels: int = 0
    marked: int = 0
    large: int = 0
    large_marked: int = 0
    excess: float = 0.0
    excess_marked: float = 0.0
    judged: int = 0
    judged_marked: int = 0
    wrong: int = 0
    wrong_marked: int = 0

    @classmethod
    def of(
        cls,
        error: NDArray[np.floating],
        marked: NDArray[np.bool_],
        patches: NDArray[np.uint8],
        tau: float,
    ) -> Agreement:
        """Count what marks hold.

        Parameters
        ----------
        error
            Absolute errors of pixels, as shares of the intensity range.
        marked, patches
            Of the same shape: whether they are marked, and the patches that they lie in, as
            `napari_metasr.quality.hallucination.patch_map` gives them.
        tau
            Error above which one is large.
        """
        large, excess = error > tau, np.maximum(error - tau, 0)
        judged, wrong = patches != NOT_JUDGED, patches == WRONG

        def count(where: NDArray[np.bool_]) -> tuple[int, int]:
            return int(np.count_nonzero(where)), int(np.count_nonzero(where & marked))

        return cls(
            error.size,
            int(np.count_nonzero(marked)),
            *count(large),
            float(excess.sum(dtype=np.float64)),
            float(excess[marked].sum(dtype=np.float64)),
            *count(judged),
            *count(wrong),
        )

    def __add__(self, other: Agreement) -> Agreement:
        """Count the pixels of both."""
        return Agreement(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @property
    def marked_share(self) -> float:
        """Share of the pixels that is marked; NaN without any."""
        return _share(self.marked, self.pixels)

    @property
    def missed_share(self) -> float:
        """Share of the large errors that is not marked; 0 where there are none."""
        return 1 - self.large_marked / self.large if self.large else 0.0

    @property
    def excess_share(self) -> float:
        """Share of the errors' excess that is marked; NaN where there is none."""
        return _share(self.excess_marked, self.excess)

    @property
    def recall(self) -> float:
        """Share of the flagged patches' area that is marked; NaN where none is flagged."""
        return _share(self.wrong_marked, self.wrong)

    @property
    def precision(self) -> float:
        """Share of the marks in judged patches that lies in flagged ones; NaN without marks."""
        return _share(self.wrong_marked, self.judged_marked)

    @property
    def wrong_share(self) -> float:
        """Share of the judged patches' area that is flagged: the precision of marks by chance."""
        return _share(self.wrong, self.judged)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
