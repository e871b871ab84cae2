"""MetaImage volumes (.mha, .mhd): https://itk.org/Wiki/MetaIO/Documentation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.io.body import Body, Encoding
from napari_metasr.io.data_file import data_file
from napari_metasr.io.start import (
    INTENT,
    LABELS,
    NO_ORIENTATION,
    Start,
    cannot_hold,
    sizes_text,
)
from napari_metasr.io.volume_file import (
    ALIGNED,
    VolumeFile,
    as_nifti,
    existing_file,
    from_lps,
    volume_shape,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import nibabel as nib
    from numpy.typing import NDArray

    from napari_metasr.io.start import Outline

__all__ = ["metaimage_start", "open_metaimage"]

KIND = "MetaImage"
LONGEST_HEADER = 1 << 16
DATA, LOCAL = "ElementDataFile", "LOCAL"
TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
NAMES = {code: name for name, code in reversed(TYPES.items())}
DIRECTIONS = ("TransformMatrix", "Rotation", "Orientation")
ORIGINS = ("Offset", "Position", "Origin")
FIELD = INTENT.capitalize()
SIDES, NO_SIDES = "AnatomicalOrientation", "???"
"""How the format says that it is not known how the patient lies."""


def open_metaimage(path: Path) -> VolumeFile:
    """Read a header, and refuse what cannot be read as a gray image.

    Raises
    ------
    FileNotFoundError
        There is no such file, or its data file is missing.
    ValueError
        In one line, if it is no gray MetaImage, or claims more voxels than are there.
    """
    existing_file(path, KIND)
    header, end = _header(path)
    sizes = tuple(_numbers(path, header, "DimSize", int))
    count = _numbers(path, header, "NDims", int)
    if [len(sizes)] != count:
        raise ValueError(f"{path}: expected a size for each of {count} dimensions, found {sizes}")
    channels = _numbers(path, header, "ElementNumberOfChannels", int) or [1]
    kind = header.get("ElementType", "")
    if kind not in TYPES or channels != [1]:
        found = f"the type {kind!r}" if kind not in TYPES else f"{channels[0]} values"
        raise ValueError(f"{path}: expected one gray value in every voxel, found {found}")
    shape = volume_shape(path, sizes)
    affine, concerns = _affine(path, header, len(sizes))
    return VolumeFile(
        path=path,
        kind=KIND,
        header_path=path,
        body=_body(path, header, end, int(np.prod(sizes, dtype=object))),
        shape=shape,
        affine=affine,
        header=_as_nifti(path, header, shape, affine, code=0 if concerns else ALIGNED),
        is_oriented=not concerns,
        holds_labels=header.get(FIELD) == LABELS,
        concerns=concerns,
    ).checked()


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Read the fields up to the one that says where the voxels are, and where that line ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while DATA not in fields and stream.tell() < LONGEST_HEADER:
            content = stream.readline(LONGEST_HEADER)
            is_name = content.startswith(DATA.encode())
            line = content.decode("utf-8", "surrogateescape" if is_name else "replace")
            name, sign, value = line.partition("=")
            if not sign and (not line or line.strip()):
                break
            fields[name.strip()] = value.strip()
        end = stream.tell()
    if DATA not in fields or fields.get("ObjectType", "Image") != "Image":
        raise ValueError(f"{path}: expected a {KIND} file, found another header")
    return fields, end


def _numbers(path: Path, header: Mapping[str, str], name: str, kind: type) -> list[Any]:
    try:
        return [kind(word) for word in header.get(name, "").split()]
    except ValueError:
        raise ValueError(
            f"{path}: expected numbers as {name}, found {header[name][:40]!r}"
        ) from None


def _affine(
    path: Path, header: Mapping[str, str], count: int
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Compute the affine; what is said about it if the header does not say where left is."""
    spatial = min(count, 3)
    spacing = _numbers(path, header, "ElementSpacing", float)
    spacing = spacing or _numbers(path, header, "ElementSize", float) or [1.0] * count
    named = [name for name in DIRECTIONS if name in header]
    matrix = np.eye(count).ravel().tolist()
    if named:
        matrix = _numbers(path, header, named[0], float)
    origin = next(
        (_numbers(path, header, name, float) for name in ORIGINS if name in header), [0.0] * count
    )
    if (len(spacing), len(matrix), len(origin)) != (count, count**2, count):
        raise ValueError(f"{path}: expected the geometry of {count} dimensions, found another one")
    rows = np.reshape(matrix, (count, count))[:spatial, :spatial]  # a direction each
    affine = np.eye(4)
    affine[:spatial, :spatial] = rows.T * np.asarray(spacing[:spatial])
    affine[:spatial, 3] = origin[:spatial]
    if named and spatial == 3 and header.get(SIDES) != NO_SIDES:
        return from_lps(affine), ()
    return from_lps(affine), (NO_ORIENTATION,)


def _as_nifti(
    path: Path,
    header: Mapping[str, str],
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    *,
    code: int,
) -> nib.Nifti1Header | None:
    """Return a header of NIfTI with the step of a series: ITK counts its spacing in seconds.

    A spacing of 1 is what programs write that know of none.
    """
    (step,) = _numbers(path, header, "ElementSpacing", float)[3:4] or (1.0,)
    is_told = 0 < step < math.inf and step != 1
    if len(shape) < 4 or not is_told or not np.isfinite(affine).all():
        return None
    return as_nifti(shape, affine, code, step)


def _is_set(header: Mapping[str, str], *names: str) -> bool:
    return any(header.get(name, "").lower() in {"true", "t", "1"} for name in names)


def _body(path: Path, header: Mapping[str, str], end: int, count: int) -> Body:
    dtype = np.dtype(TYPES[header["ElementType"]])
    if _is_set(header, "BinaryDataByteOrderMSB", "ElementByteOrderMSB"):
        dtype = dtype.newbyteorder(">")
    else:
        dtype = dtype.newbyteorder("<")
    is_local = header[DATA].upper() == LOCAL
    body, start = (path, end) if is_local else (data_file(path, header[DATA]), 0)
    encoding = Encoding.RAW
    if _is_set(header, "CompressedData"):
        encoding = Encoding.DEFLATE
    elif header.get("BinaryData", "True").lower() in {"false", "f", "0"}:
        encoding, dtype = Encoding.TEXT, dtype.newbyteorder("=")
    before = (_numbers(path, header, "HeaderSize", int) or [0])[0]
    if before == -1 and encoding is Encoding.RAW:
        start = max(body.stat().st_size - count * dtype.itemsize, start)
    elif before > 0:
        start += before
    return Body(body, start, encoding, dtype)


def metaimage_start(outline: Outline) -> Start:
    """Build the header of a MetaImage whose voxels follow it as they are.

    Raises
    ------
    ValueError
        If the format has no such type.
    """
    shape, affine = outline.shape, outline.affine
    stored = outline.little_endian
    code = f"{stored.kind}{stored.itemsize}"
    if code not in NAMES:
        raise cannot_hold(outline.path, KIND, stored.name)
    count = 4 if len(shape) == 4 else 3
    turned = np.eye(count)
    turned[:3, :3] = from_lps(affine)[:3, :3]
    origin = np.zeros(count)
    origin[:3] = from_lps(affine)[:3, 3]
    spacing = np.linalg.norm(turned, axis=0)
    directions = (turned / spacing).T
    if outline.time_step:
        spacing[3] = outline.time_step

    def text(numbers: NDArray[Any]) -> str:
        return " ".join(repr(float(number)) for number in numbers.ravel())

    lines = [
        "ObjectType = Image",
        f"NDims = {count}",
        *([f"Comment = {outline.words}"] if outline.words else []),
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = False",
        f"TransformMatrix = {text(directions)}",
        *([] if outline.source.is_oriented else [f"{SIDES} = {NO_SIDES}"]),
        *([f"{FIELD} = {LABELS}"] if outline.labels else []),
        f"Offset = {text(origin)}",
        f"ElementSpacing = {text(spacing)}",
        f"DimSize = {sizes_text(shape)}",
        f"ElementType = {NAMES[code]}",
        f"{DATA} = {LOCAL}",
    ]
    return Start("\n".join(lines).encode("ascii", "replace") + b"\n", stored)
