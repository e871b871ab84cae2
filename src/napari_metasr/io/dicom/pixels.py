"""Stored pixels to values."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.dicom.extra import quiet
from napari_metasr.io.dicom.frame import RefusalError
from napari_metasr.io.dicom.pixel_format import DEFLATED
from napari_metasr.io.nifti import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from numpy.typing import NDArray

    from napari_metasr.io.dicom.files import Opener
    from napari_metasr.io.dicom.frame import Frame, Header

__all__ = ["decode", "decode_with_padding"]


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
    return [values for values, _ in decode_with_padding(frames, opener)]


def decode_with_padding(
    frames: Sequence[Frame], opener: Opener
) -> list[tuple[NDArray[Any], NDArray[np.bool_] | None]]:
    """Read images, and which of their pixels stand for no value.

    Returns
    -------
    values, padding
        Values as `decode`; where there is padding, of the same shape, or None if the file knows
        none.

    Raises
    ------
    RefusalError
        As `decode`.
    """
    found: list[tuple[NDArray[Any], NDArray[np.bool_] | None]] = []
    for header, run in groupby(frames, lambda frame: frame.header):
        wanted = list(run)
        try:
            with quiet(), opener.open(header.file) as stream:
                stored = dict(_stored(header, sorted({frame.index for frame in wanted}), stream))
            images = [stored[frame.index] for frame in wanted]
            if any(image.shape != (header.rows, header.columns) for image in images):
                raise EOFError
        except MemoryError:
            raise
        except Exception:
            number = wanted[0].index + 1 if wanted[0].index else header.instance_number
            raise RefusalError(
                f"expected whole files, found image {number} truncated or damaged"
            ) from None
        for image, frame in zip(images, wanted, strict=True):
            numbers = _meaningful(image, header)
            values = scaled(_bright(numbers, header), frame.slope, frame.intercept)
            found.append((values, _padding(numbers, header)))
    return found


def _stored(
    header: Header, indices: list[int], stream: BinaryIO
) -> Iterator[tuple[int, NDArray[Any]]]:
    from pydicom import dcmread
    from pydicom.pixels.utils import iter_pixels

    source: Any = stream
    if header.syntax == DEFLATED or header.is_bare:
        source = dcmread(stream, force=True)
        source.file_meta.TransferSyntaxUID = header.syntax
        source.SamplesPerPixel = 1
        source.PhotometricInterpretation = "MONOCHROME1" if header.inverted else "MONOCHROME2"
        if header.pixels.kind != "f":
            source.BitsStored, source.HighBit = header.bits, header.bits - 1
            source.PixelRepresentation = int(header.pixels.kind == "i")
    yield from zip(indices, iter_pixels(source, indices=indices, raw=True), strict=True)


def _meaningful(image: NDArray[Any], header: Header) -> NDArray[Any]:
    """Keep the bits that count; overlays may be stored in the others."""
    image = image.astype(header.pixels, copy=False)
    unused = 8 * header.pixels.itemsize - header.bits
    return (image << unused) >> unused if unused else image


def _padding(numbers: NDArray[Any], header: Header) -> NDArray[np.bool_] | None:
    if header.padding is None:
        return None
    low, high = _meaningful(np.array(header.padding), header)  # of the type of the numbers
    return (numbers >= min(low, high)) & (numbers <= max(low, high))


def _bright(image: NDArray[Any], header: Header) -> NDArray[Any]:
    if not header.inverted:
        return image
    ones = (1 << header.bits) - 1 if header.pixels.kind == "u" else -1
    return np.asarray(ones - image, header.pixels)
