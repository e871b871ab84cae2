"""How the numbers of an image are stored, and whether they can be read."""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_metasr.io.dicom.frame import OtherKindError, RefusalError

if TYPE_CHECKING:
    from napari_metasr.io.dicom.frame import Header

__all__ = ["check_decodable", "check_inflated", "check_length", "pixel_format", "syntax_of"]

FLOATS = {0x7FE00008: np.float32, 0x7FE00009: np.float64}
INTEGERS = 0x7FE00010
GRAY = ("MONOCHROME1", "MONOCHROME2")
MOST_INFLATED = 1 << 29
INFLATED_AT_A_TIME = 1 << 20
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

IMPLICIT_PREFIX, EXPLICIT_PREFIX = 8, 12
"""Bytes of an element before its pixels: its tag and length, with or without its type."""


def syntax_of(dataset: Any) -> str:
    """Return the transfer syntax UID, or that of the encoding the file was read with."""
    found = dataset.file_meta.get("TransferSyntaxUID")
    if found:
        return str(found)
    is_implicit, is_little = dataset.original_encoding
    if not is_little:
        return BIG_ENDIAN
    return IMPLICIT if is_implicit else EXPLICIT


def check_inflated(stream: BinaryIO) -> None:
    """Refuse a deflated file that unpacks to far more than an image takes, without unpacking it.

    Parameters
    ----------
    stream
        The file, at its beginning; it is left there.

    Raises
    ------
    RefusalError
        If it does.
    """
    from pydicom.filereader import _read_file_meta_info as read_meta
    from pydicom.filereader import read_preamble

    read_preamble(stream, force=True)
    meta = read_meta(stream)
    if str(meta.get("TransferSyntaxUID") or "") == DEFLATED:
        inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
        while not inflater.eof and (content := inflater.unconsumed_tail or stream.read(1 << 16)):
            size += len(inflater.decompress(content, INFLATED_AT_A_TIME))
            if size > MOST_INFLATED:
                raise RefusalError(
                    f"expected at most {MOST_INFLATED >> 20} MiB in a deflated file, found more"
                )
    stream.seek(0)


def pixel_format(dataset: Any, stream: BinaryIO) -> dict[str, Any]:
    """Determine the pixels' type, the bits that count, the padding and which values are bright.

    Parameters
    ----------
    dataset
        Of the file.
    stream
        The file, where its pixels begin.

    Raises
    ------
    RefusalError
        If they are no gray images, or there are none.
    """
    photometric = str(dataset.get("PhotometricInterpretation") or "")
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or photometric not in {*GRAY, ""}:
        raise OtherKindError(f"expected gray images, found colour ({photometric})")
    tag = _pixel_tag(dataset, stream)
    if tag in FLOATS:
        return {"pixels": np.dtype(FLOATS[tag]), "bits": 8 * np.dtype(FLOATS[tag]).itemsize}
    allocated = int(dataset.get("BitsAllocated") or 0)
    if allocated not in {8, 16, 32}:
        raise RefusalError(f"expected 8, 16 or 32 bits for a pixel, found {allocated}")
    bits = int(dataset.get("BitsStored") or allocated)
    high = int(dataset.get("HighBit") or bits - 1)
    if not 0 < bits <= allocated or high != bits - 1:
        raise RefusalError(
            f"expected the lowest bits of {allocated} to be used, found {bits} up to bit {high}"
        )
    kind = "i" if dataset.get("PixelRepresentation") else "u"
    return {
        "pixels": np.dtype(f"{kind}{allocated // 8}"),
        "bits": bits,
        "inverted": photometric == "MONOCHROME1",
        "padding": _padding(dataset, photometric),
    }


def check_decodable(header: Header) -> None:
    """Refuse a compression that nothing here can undo.

    Raises
    ------
    RefusalError
        Which one.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    syntax = UID(header.syntax)
    name = "an unknown one" if syntax.name[:1].isdigit() else syntax.name
    try:
        readable = get_decoder(syntax).is_available
    except NotImplementedError:
        readable = False
    if not readable:
        raise RefusalError(f"expected a compression that can be undone here, found {name}")


def check_length(header: Header, frames: int, stream: BinaryIO) -> None:
    """Refuse a file that ends before its pixels do, where that can be told from their number.

    Parameters
    ----------
    header
        Of the file.
    frames
        How many images it says it has.
    stream
        The file, where its pixels begin.

    Raises
    ------
    RefusalError
        If it is truncated.
    """
    from pydicom.uid import UID

    syntax = UID(header.syntax)
    if syntax.is_encapsulated or syntax == DEFLATED:
        return
    expected = header.rows * header.columns * frames * header.pixels.itemsize
    start = stream.tell() + (IMPLICIT_PREFIX if syntax.is_implicit_VR else EXPLICIT_PREFIX)
    if stream.seek(0, os.SEEK_END) - start < expected:
        raise RefusalError("expected whole files, found a truncated one")


def _padding(dataset: Any, photometric: str) -> tuple[int, int] | None:
    """Return the range of padding, except that of 0 alone, which is as dark as no signal."""
    value = dataset.get("PixelPaddingValue")
    if value is None or value == "":
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    other = int(value if limit is None or limit == "" else limit)
    low, high = min(int(value), other), max(int(value), other)
    return None if (low, high) == (0, 0) and photometric != "MONOCHROME1" else (low, high)


def _pixel_tag(dataset: Any, stream: BinaryIO) -> int:
    """Return the tag of the element at which the reader stopped."""
    syntax = syntax_of(dataset)
    if syntax == DEFLATED:  # unpacked in memory, so that the file itself is at its end
        return INTEGERS
    start = stream.tell()
    content = stream.read(4)
    stream.seek(start)
    if len(content) < 4:
        raise RefusalError("expected an image, found no pixels")
    group, element = struct.unpack(">HH" if syntax == BIG_ENDIAN else "<HH", content)
    return int(group << 16 | element)
