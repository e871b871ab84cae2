"""Stored pixels to values."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.dicom.extra import quiet
from napari_metasr.io.dicom.frame import RefusalError
from napari_metasr.io.dicom.headers import UNREADABLE
from napari_metasr.io.dicom.pixel_format import DEFLATED
from napari_metasr.io.nifti import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.files import Opener
    from napari_metasr.io.dicom.frame import Frame, Header

__all__ = ["decode"]


def decode(frames: Sequence[Frame], opener: Opener) -> list[NDArray[Any]]:
    """Read images, in the order in which they are given.

    Returns
    -------
    values
        Each (rows, columns): what is stored, with unused bits cleared and MONOCHROME1 inverted
        (within the bits that are stored, so that high is bright), times slope plus intercept;
        float32 unless that is the identity on integers.

    Raises
    ------
    RefusalError
        If an image is damaged; says which.
    """
    found: list[NDArray[Any]] = []
    for header, run in groupby(frames, lambda frame: frame.header):
        wanted = list(run)
        try:
            with quiet(), opener.open(header.file) as stream:
                stored = dict(_stored(header, sorted({frame.index for frame in wanted}), stream))
            images = [stored[frame.index] for frame in wanted]
            if any(image.shape != (header.rows, header.columns) for image in images):
                raise EOFError
        except UNREADABLE:
            number = wanted[0].index + 1 if wanted[0].index else header.instance_number
            raise RefusalError(
                f"expected whole files, found image {number} truncated or damaged"
            ) from None
        found += [
            scaled(_bright(_meaningful(image, header), header), frame.slope, frame.intercept)
            for image, frame in zip(images, wanted, strict=True)
        ]
    return found


def _stored(
    header: Header, indices: list[int], stream: BinaryIO
) -> Iterator[tuple[int, NDArray[Any]]]:
    from pydicom import dcmread
    from pydicom.pixels.utils import iter_pixels

    source = dcmread(stream) if header.syntax == DEFLATED else stream
    yield from zip(indices, iter_pixels(source, indices=indices, raw=True), strict=True)


def _meaningful(image: NDArray[Any], header: Header) -> NDArray[Any]:
    """The bits that count: overlays may be stored in the others."""
    image = image.astype(header.pixels, copy=False)
    unused = 8 * header.pixels.itemsize - header.bits
    return (image << unused) >> unused if unused else image


def _bright(image: NDArray[Any], header: Header) -> NDArray[Any]:
    if not header.inverted:
        return image
    ones = (1 << header.bits) - 1 if header.pixels.kind == "u" else -1
    return np.asarray(ones - image, header.pixels)
