"""The features of a part of an image, each layer on no more than what is needed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from napari_metasr.networks.blocks import Trunk

    Range = tuple[int, int]

BLOCK_REACH = 2
"""Pixels that a residual block looks beyond a pixel."""


def features_of(trunk: Trunk, image: Tensor, rows: Range, columns: Range) -> Tensor:
    """Run a trunk on some rows and columns of a slice, (1, features, rows, columns).

    Parameters
    ----------
    trunk
        In eval mode.
    image
        (1, channels, h, w): a part of the slice that holds these pixels and the trunk's halo
        around them, as far as that lies in the slice.
    rows, columns
        First and last + 1, counted from the part's first.
    """
    needed = rows, columns
    whole = (0, image.shape[2]), (0, image.shape[3])
    shallow = trunk.head(image)
    reach = trunk.halo - trunk.head_radius
    deep, place = shallow, whole
    for block in trunk.blocks:
        deep, place = _cropped(deep, place, needed, reach)
        deep = block(deep)
        reach -= BLOCK_REACH
    deep, place = _cropped(deep, place, needed, reach)
    deep, _ = _cropped(trunk.tail(deep), place, needed, 0)
    shallow, _ = _cropped(shallow, whole, needed, 0)
    return shallow + deep


def _cropped(
    features: Tensor, place: tuple[Range, Range], needed: tuple[Range, Range], reach: int
) -> tuple[Tensor, tuple[Range, Range]]:
    """Crop features to within ``reach`` of the needed range; return them with their place."""
    (top, bottom), (left, right) = (
        (max(first - reach, begin), min(last + reach, end))
        for (first, last), (begin, end) in zip(needed, place, strict=True)
    )
    (first_row, _), (first_column, _) = place
    part = features[
        :, :, top - first_row : bottom - first_row, left - first_column : right - first_column
    ]
    return part, ((top, bottom), (left, right))
