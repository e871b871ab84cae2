"""FreeSurfer's volumes (.mgh, .mgz): https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader, MGHImage

from napari_metasr.io.body import UNREADABLE, Body, Encoding, cause, unpacked
from napari_metasr.io.names import FREESURFER, has_ending
from napari_metasr.io.start import Packing, Start, cannot_hold
from napari_metasr.io.volume_file import (
    ALIGNED,
    VolumeFile,
    as_nifti,
    existing_file,
    volume_shape,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.start import Outline
    from napari_metasr.volume import Source

__all__ = ["check_sides_known", "integers_held", "mgh_start", "open_mgh"]

KIND = "FreeSurfer"
SCANNER = 1
"""The code of NIfTI for positions in the scanner, which those of FreeSurfer are."""

STORED = {"uint8", "int16", "uint16", "int32", "float32"}
WIDENED = {"bool": "uint8", "int8": "int16", "float16": "float32"}

VERSION = 1
"""The lowest byte of a header's first number; the bytes above it hold the intent."""

IMAGES, LABELS = {0, 0xFF, 0xFFFF}, 1
VECTORS = {2: "values on a surface", 3: "a warp", 4: "an inverse warp"}
"""Intents, as FreeSurfer's package ``surfa`` numbers them: what voxels hold. All bits are set where
it is not known."""

LABELS_MARK = b"labels\0"
"""Of labels that are written here: the first unused bytes of the header. An intent would say it as
well, but nibabel reads no file that has one."""

COMMAND = 3
"""The tag of a text that says what made a file; behind it stands the text's length."""


def open_mgh(path: Path) -> VolumeFile:
    """Read the header of a volume of FreeSurfer.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        In one line, if it is none, or claims more voxels than are there.
    """
    existing_file(path, KIND)
    try:
        with unpacked(path) as stream:
            content = stream.read(DATA_OFFSET)
    except UNREADABLE as error:
        raise ValueError(f"{path}: expected a {KIND} file, {cause(error)}") from error
    size = MGHHeader._hdrdtype.itemsize
    version = int.from_bytes(content[:4], "big")
    if len(content) < DATA_OFFSET or version & 0xFF != VERSION or version >> 24:
        raise ValueError(f"{path}: expected a {KIND} file, found another header")
    intent = version >> 8
    if intent not in {*IMAGES, LABELS}:
        found = VECTORS.get(intent, "something else")
        raise ValueError(
            f"{path}: expected a brightness in every voxel, found {found} (intent code {intent})"
        )
    header = MGHHeader(content[:size], check=False)
    is_oriented = int.from_bytes(content[28:30], "big", signed=True) > 0
    code = int(header["type"])
    try:
        dtype = header.get_data_dtype()
    except KeyError:
        raise ValueError(
            f"{path}: expected a type of gray voxels that {KIND} defines, found code {code}"
        ) from None
    shape = volume_shape(path, tuple(int(size) for size in header["dims"]))
    with np.errstate(all="ignore"):  # what is no number is refused as an affine
        affine = np.asarray(header.get_affine(), np.float64)
    file = VolumeFile(
        path=path,
        kind=KIND,
        header_path=path,
        body=Body(path, DATA_OFFSET, Encoding.WHOLE_FILE, dtype),
        shape=shape,
        affine=affine,
        header=None,
        is_oriented=is_oriented,
        holds_labels=intent == LABELS or content[size:].startswith(LABELS_MARK),
        concerns=()
        if is_oriented
        else ("the header holds no orientation: that of coronal slices of 1 mm is assumed",),
    )
    file = file.checked()
    step = _stored_repetition_time(file.body, shape) if len(shape) == 4 else 0.0
    code = SCANNER if is_oriented else ALIGNED
    return replace(file, header=as_nifti(shape, affine, code, step / 1000))


def integers_held(values: NDArray[Any], dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return int32 in place of a wider integer type, where it holds all values; else the type."""
    info = np.iinfo(np.int32)
    if dtype.kind not in "iu" or dtype.name in STORED | WIDENED.keys():
        return dtype
    fits = info.min <= int(values.min()) and int(values.max()) <= info.max
    return np.dtype(np.int32) if fits else dtype


def check_sides_known(path: Path, source: Source) -> None:
    """Refuse to write in this format what it would state more of than is known.

    Parameters
    ----------
    path
        The file to write, of any format.
    source
        What it is made of.

    Raises
    ------
    ValueError
        If the name stands for this format, and nobody knows left and right.
    """
    if has_ending(path, FREESURFER) and not source.is_oriented:
        raise ValueError(
            f"{path}: expected an image whose left and right are known, which {KIND}'s format "
            "always states, found one whose are not; .nii.gz can hold it"
        )


def mgh_start(outline: Outline) -> Start:
    """Build what stands before and behind the voxels in a volume of FreeSurfer.

    A type that the format lacks is widened where that loses nothing; the source gives the
    repetition time of a series.

    Raises
    ------
    ValueError
        If the format has no such type, or it is not known where left and right are, which this
        format cannot leave open.
    """
    check_sides_known(outline.path, outline.source)
    shape = outline.shape
    name = np.dtype(outline.dtype).name
    name = WIDENED.get(name, name)
    if name not in STORED:
        raise cannot_hold(outline.path, KIND, name)
    stored = np.dtype(name).newbyteorder(">")
    empty = np.broadcast_to(np.zeros((), stored.newbyteorder("=")), shape)
    made = MGHImage(empty, outline.affine, MGHHeader()).header
    made.set_data_dtype(stored.newbyteorder("="))
    if len(shape) == 4:
        made["tr"] = 1000 * outline.time_step
    content = made.binaryblock
    size = MGHHeader._hdrdtype.itemsize
    text = outline.words.encode("utf-8") + b"\0"
    end = content[size:] + struct.pack(">iq", COMMAND, len(text)) + text
    packing = Packing.NONE if outline.path.suffix.lower() == ".mgh" else Packing.WHOLE
    start = content[:size] + (LABELS_MARK if outline.labels else b"")
    return Start(start.ljust(DATA_OFFSET, b"\0"), stored, end, packing)


def _stored_repetition_time(body: Body, shape: tuple[int, ...]) -> float:
    """Return the repetition time in ms that stands behind the voxels, or 0 where none does."""
    try:
        with unpacked(body.path) as stream:
            stream.seek(body.offset + math.prod(shape) * body.dtype.itemsize)
            (time,) = struct.unpack(">f", stream.read(4))
    except (*UNREADABLE, struct.error):
        return 0.0
    return float(time) if 0 < time < math.inf else 0.0
