"""What detectors' networks answer, read as scored windows of the slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


ScoredWindow = tuple[Window, float]

NEIGHBOURS = np.ones((3, 3), bool)


def read_box(answer: Tensor, level: float) -> list[ScoredWindow]:
    """Read the box of a box regression, (5,): top, left, bottom, right in shares, and score."""
    top, left, bottom, right, score = answer.tolist()
    return [(Window(top, left, bottom, right), score)] if bottom > top and right > left else []


def read_map(answer: Tensor, level: float) -> list[ScoredWindow]:
    """Box each connected part of a map, corners included, with its highest probability.

    Parameters
    ----------
    answer
        (1, m, n) logits; cell (i, j) covers the shares i/m .. (i + 1)/m of the rows, and so on.
    level
        The probability from which a cell belongs to a part.
    """
    probability = answer[0].sigmoid().numpy()
    parts, _ = ndimage.label(probability >= level, structure=NEIGHBOURS)
    m, n = probability.shape
    return [
        (
            Window(rows.start / m, columns.start / n, rows.stop / m, columns.stop / n),
            float(probability[rows, columns][parts[rows, columns] == part].max()),
        )
        for part, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1)
    ]


READERS: dict[int, Callable[[Tensor, float], list[ScoredWindow]]] = {1: read_box, 3: read_map}
"""By the number of dimensions of one slice's answer."""
