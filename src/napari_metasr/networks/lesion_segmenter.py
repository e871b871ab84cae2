"""LD+, the lesion detector with a mask head: where in a slice of any size the tumour is."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_metasr.geometry.grids import fitted_shape
from napari_metasr.networks.lesion_detector import (
    WIDTHS,
    DetectorUnit,
    check_slices,
    detector_block,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

STRIDE = 2
RARE = 0.03
"""Share of a slice that a tumour takes, about; the map begins with it everywhere."""


class Refinement(nn.Module):
    """Coarse features, enlarged to finer ones, joined with them and passed through a unit."""

    def __init__(self, *, coarse: int, fine: int) -> None:
        super().__init__()
        self.unit = DetectorUnit(inputs=coarse + fine, outputs=fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """Map (batch, coarse, h, w) and (batch, fine, H, W) to (batch, fine, H, W)."""
        enlarged = functional.interpolate(coarse, fine.shape[2:], mode="bilinear")
        return self.unit(torch.cat([enlarged, fine], dim=1))


class LesionSegmenter(nn.Module):
    """The lesion detector's trunk with a map of the tumour in place of one box.

    The residual blocks with max pooling are those of LD (Zhu, Yang, Lio 2018, sec. 2.2); their
    features are joined from coarse to fine (Ronneberger et al. 2015), so that several tumours, or
    none, can be told. Every slice is brought to the same size first, so that one that was reduced
    by 2 or 4 looks like one that was not.

    Parameters
    ----------
    widths
        Features of each block; each halves the image.
    field
        Pixels of the slice's longer side, as the network sees it.
    """

    def __init__(self, *, widths: Sequence[int] = WIDTHS, field: int = 128) -> None:
        super().__init__()
        self.field = field
        inputs = (1, *widths[:-1])
        self.encoder = nn.Sequential(*map(detector_block, inputs, widths))
        self.decoder = nn.ModuleList(
            Refinement(coarse=coarse, fine=fine) for coarse, fine in pairwise(reversed(widths))
        )
        self.head = nn.Conv2d(widths[0], 1, 1)
        with torch.no_grad():
            self.head.weight.mul_(0.1)
            self.head.get_parameter("bias").fill_(math.log(RARE / (1 - RARE)))

    def features(self, image: Tensor) -> Tensor:
        """Return the encoder's coarsest features, of the image as it is; see ``LesionDetector``.

        Raises
        ------
        ValueError
            If the image has not one channel, or is smaller than 32 x 32.
        """
        check_slices(image)
        return self.encoder(image)

    def forward(self, image: Tensor) -> Tensor:
        """Map the tumour, (batch, 1, h, w) in 0..1 to logits (batch, 1, m, n).

        Cell (i, j) of the map covers the rows from i / m to (i + 1) / m of the slice, and the
        columns likewise; the longer side has ``field / 2`` cells.

        Raises
        ------
        ValueError
            As ``features``.
        """
        check_slices(image)
        rows, columns = fitted_shape((image.shape[2], image.shape[3]), self.field, STRIDE)
        if (rows, columns) != tuple(image.shape[2:]):
            image = functional.interpolate(image, (rows, columns), mode="bilinear", antialias=True)
        levels = []
        for block in self.encoder:
            image = block(image)
            levels.append(image)
        found = levels.pop()
        for refinement in self.decoder:
            found = refinement(found, levels.pop())
        logits: Tensor = self.head(found)
        return logits


def build_lesion_segmenter(*, widths: Sequence[int] = WIDTHS, field: int = 128) -> LesionSegmenter:
    """Build the lesion detector with a mask head: five blocks of 16 to 128 features."""
    return LesionSegmenter(widths=widths, field=field)
