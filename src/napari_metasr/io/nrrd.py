"""NRRD volumes (.nrrd, .nhdr): https://teem.sourceforge.net/nrrd/format.html."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from nrrd import NRRDError
from nrrd import read_header as parsed_header

from napari_metasr.io.body import Body, Encoding
from napari_metasr.io.data_file import data_file
from napari_metasr.io.start import (
    INTENT,
    LABELS,
    NO_ORIENTATION,
    Packing,
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
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    import nibabel as nib
    from numpy.typing import NDArray

    from napari_metasr.io.start import Outline

__all__ = ["nrrd_start", "open_nrrd"]

KIND = "NRRD"
LONGEST_HEADER = 1 << 20
"""Bytes; those of diffusion series are a few thousand."""

MAGIC = b"NRRD"
SIZES = {"char": 1, "int8": 1, "short": 2, "int16": 2, "int": 4, "int32": 4} | dict.fromkeys(
    ("long long", "longlong", "int64"), 8
)
FLOATS = {"float": "f4", "double": "f8"}
ENCODINGS = {
    **dict.fromkeys(("raw",), Encoding.RAW),
    **dict.fromkeys(("gzip", "gz"), Encoding.DEFLATE),
    **dict.fromkeys(("bzip2", "bz2"), Encoding.BZIP2),
    **dict.fromkeys(("ascii", "text", "txt"), Encoding.TEXT),
}
ALONG_SPACE = {"domain", "space", "none", "???"}
SERIES = {"time", "list"}
TO_RAS = {
    "ras": (1, 1, 1),
    "las": (-1, 1, 1),
    "lps": (-1, -1, 1),
    "right-anterior-superior": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
}
"""Signs that turn the world axes of a space into those of RAS+."""

MILLIMETRES = {
    **dict.fromkeys(("m", "meter", "metre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 10.0),
    **dict.fromkeys(("", "???", "mm", "millimeter", "millimetre"), 1.0),
    **dict.fromkeys(("um", "µm", "\u03bcm", "micron", "micrometer", "micrometre"), 1e-3),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-6),
}
"""Units of space by name, in the singular; both Unicode letters for a millionth are in use."""

SECONDS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "\u03bcs", "usec", "microsecond", "microseconds"), 1e-6),
}
"""Units of time by name."""

SEGMENT = "Segment0_ID"
"""What segmentations of 3D Slicer have in their headers."""


def open_nrrd(path: Path) -> VolumeFile:
    """Read a header, and refuse what cannot be read as a gray image.

    Raises
    ------
    FileNotFoundError
        There is no such file, or its data file is missing.
    ValueError
        In one line, if it is no gray image of NRRD, or claims more voxels than are there.
    """
    existing_file(path, KIND)
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{path}: expected a {KIND} file, found another header")
        stream.seek(0)
        try:
            header = parsed_header(_lines(stream))
        except (NRRDError, ValueError, IndexError, KeyError, TypeError, StopIteration) as error:
            found = " ".join(str(error).split()) or "damaged"
            raise ValueError(f"{path}: expected a {KIND} header, found {found}") from None
        end = stream.tell()
    try:
        return _file(path, header, end).checked()
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{path}: expected a {KIND} header, found a damaged one") from error


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Yield the lines of a header, and no more of a file that has none.

    They are decoded here, since the parser drops all letters but ASCII: of units, which then are
    others, and of names of files.
    """
    left = LONGEST_HEADER
    while left > 0 and (line := stream.readline(left)):
        left -= len(line)
        is_name = line.lower().startswith(b"data")
        yield line.decode("utf-8", "surrogateescape" if is_name else "replace")


def _file(path: Path, header: Mapping[str, Any], end: int) -> VolumeFile:
    for field in ("dimension", "sizes", "type", "encoding"):
        if field not in header:
            raise ValueError(f"{path}: expected a {KIND} header, found none of its {field}")
    sizes = tuple(int(size) for size in header["sizes"])
    if len(sizes) != header["dimension"]:
        raise ValueError(
            f"{path}: expected {header['dimension']} sizes, found {len(sizes)} in the header"
        )
    _check_axes(path, header, sizes)
    shape = volume_shape(path, sizes)
    spatial = min(len(sizes), 3)
    affine, is_oriented = _affine(path, header, spatial)
    return VolumeFile(
        path=path,
        kind=KIND,
        header_path=path,
        body=_body(path, header, end, int(np.prod(sizes, dtype=object))),
        shape=shape,
        affine=affine,
        header=_as_nifti(header, shape, affine, is_oriented=is_oriented),
        is_oriented=is_oriented,
        holds_labels=header.get(INTENT) == LABELS or SEGMENT in header,
        concerns=(*_unknown_units(header, spatial), *(() if is_oriented else (NO_ORIENTATION,))),
    )


def _check_axes(path: Path, header: Mapping[str, Any], sizes: tuple[int, ...]) -> None:
    """Refuse axes that are neither space nor, as the last one, time."""
    kinds = [str(kind).lower() for kind in header.get("kinds", ())]
    kinds += ["???"] * (len(sizes) - len(kinds))
    directions = _directions(header)
    for axis, (kind, size) in enumerate(zip(kinds, sizes, strict=False)):
        placed = axis < 3 if directions is None else directions[axis : axis + 1] not in ([], [None])
        is_space = axis < 3 and placed and kind in ALONG_SPACE
        is_series = axis >= 3 and (size == 1 or (not placed and kind in ALONG_SPACE | SERIES))
        if not is_space and not is_series:
            raise ValueError(
                f"{path}: expected a brightness in every voxel, found {size} values along axis "
                f"{axis}, of the kind {kind}"
            )


def _directions(header: Mapping[str, Any]) -> list[tuple[float, ...] | None] | None:
    """Return the direction of each axis in space; none for an axis that is not of space."""
    rows = header.get("space directions")
    if rows is None:
        return None
    found = [None if row is None else tuple(float(part) for part in row) for row in rows]
    return [None if row is None or np.isnan(row).all() else row for row in found]


def _affine(
    path: Path, header: Mapping[str, Any], spatial: int
) -> tuple[NDArray[np.float64], bool]:
    """Compute the affine, and whether the header says where left is."""
    affine = np.eye(4)
    directions, space = _directions(header), str(header.get("space", "")).lower()
    signs = TO_RAS.get(space.removesuffix("-time").removesuffix("t"))
    if directions is None:
        sizes = [float(size) for size in header.get("spacings", ())[:spatial]]
        for axis, size in enumerate(sizes):
            affine[axis, axis] = abs(size) if np.isfinite(size) else 1.0
    else:
        rows = [row for row in directions[:spatial] if row is not None and len(row) == spatial]
        if len(rows) != spatial:
            raise ValueError(f"{path}: expected {spatial} directions in space, found others")
        affine[:spatial, :spatial] = np.transpose(rows)
        origin = header.get("space origin")
        if origin is not None and len(origin) == spatial and np.isfinite(origin).all():
            affine[:spatial, 3] = origin
        factors = [MILLIMETRES.get(unit, 1.0) for unit in _units(header, spatial)]
        affine = np.diag([*factors, *[1.0] * (4 - len(factors))]) @ affine
    if signs is None or directions is None or spatial < 3:
        return from_lps(affine), False
    return np.diag([*signs, 1.0]) @ affine, True


def _as_nifti(
    header: Mapping[str, Any],
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    *,
    is_oriented: bool,
) -> nib.Nifti1Header | None:
    """Return a header of NIfTI with the step of a series, where this one says it."""
    steps, units = header.get("spacings", ())[3:4], header.get("units", ())[3:4]
    factor = SECONDS.get(str(units[0]).strip().lower() if len(units) else "", 0.0)
    step = factor * float(steps[0]) if len(steps) else 0.0
    if len(shape) < 4 or not 0 < step < math.inf or not np.isfinite(affine).all():
        return None
    return as_nifti(shape, affine, ALIGNED if is_oriented else 0, step)


def _units(header: Mapping[str, Any], spatial: int) -> list[str]:
    """Return the names of the units of space, in the singular."""
    names = [str(unit).strip().lower() for unit in header.get("space units", ())[:spatial]]
    return [name.removesuffix("s") for name in names]


def _unknown_units(header: Mapping[str, Any], spatial: int) -> tuple[str, ...]:
    unknown = sorted({unit for unit in _units(header, spatial) if unit not in MILLIMETRES})
    return tuple(
        f"the header's unit of space {unit!r} is not known: mm is assumed" for unit in unknown
    )


def _body(path: Path, header: Mapping[str, Any], end: int, count: int) -> Body:
    encoding = ENCODINGS.get(str(header["encoding"]).lower())
    if encoding is None:
        raise ValueError(
            f"{path}: expected the encoding raw, gzip, bzip2 or ascii, found {header['encoding']!r}"
        )
    name = header.get("data file", header.get("datafile"))
    body, start = (path, end) if name is None else (data_file(path, name), 0)
    lines = int(header.get("line skip", header.get("lineskip", 0)))
    skipped = int(header.get("byte skip", header.get("byteskip", 0)))
    dtype = _dtype(path, header, encoding)
    if lines < 0 or skipped < -1:
        raise ValueError(f"{path}: expected lines and bytes to skip, found a number below 0")
    if lines:
        with body.open("rb") as stream:
            stream.seek(start)
            for _ in range(min(lines, LONGEST_HEADER)):
                stream.readline(LONGEST_HEADER)
            start = stream.tell()
    if skipped == -1:
        if encoding is not Encoding.RAW:
            raise ValueError(f"{path}: expected voxels that are not packed at the end of the file")
        start, skipped = max(body.stat().st_size - count * dtype.itemsize, start), 0
    if encoding is Encoding.RAW:
        start, skipped = start + skipped, 0
    return Body(body, start, encoding, dtype, skipped)


def _dtype(path: Path, header: Mapping[str, Any], encoding: Encoding) -> np.dtype[Any]:
    name = " ".join(str(header["type"]).lower().split())
    plain = re.sub(r"^(unsigned |signed |u(?!nsigned))", "", name).removesuffix("_t")
    plain = plain if plain == "int" else plain.removesuffix(" int")
    if name in FLOATS:
        dtype = np.dtype(FLOATS[name])
    elif plain in SIZES:
        dtype = np.dtype(f"{'u' if name.startswith('u') else 'i'}{SIZES[plain]}")
    else:
        raise ValueError(f"{path}: expected gray voxels, found the type {name!r}")
    endian = str(header.get("endian", "")).lower()
    if dtype.itemsize > 1 and encoding is not Encoding.TEXT:
        if endian not in {"big", "little"}:
            raise ValueError(f"{path}: expected the header to say the order of bytes, found none")
        dtype = dtype.newbyteorder(">" if endian == "big" else "<")
    return dtype


def nrrd_start(outline: Outline) -> Start:
    """Build the header of a NRRD file whose voxels are compressed.

    Raises
    ------
    ValueError
        If the format has no such type.
    """
    stored = outline.little_endian
    names = {np.dtype(code).name: name for name, code in FLOATS.items()}
    name = names.get(stored.name, stored.name)
    if stored.kind not in "iuf" or name == "float16":
        raise cannot_hold(outline.path, KIND, stored.name)
    turned = from_lps(outline.affine)
    directions = [f"({','.join(repr(float(part)) for part in turned[:3, k])})" for k in range(3)]
    kinds, times = ["domain"] * 3, []
    if len(outline.shape) == 4:
        directions.append("none")
        kinds.append("list")  # ITK takes an axis of time for one of space, and refuses the file
    if outline.time_step:
        times = [f"spacings: nan nan nan {outline.time_step!r}", 'units: "" "" "" "s"']
    space = "left-posterior-superior" if outline.source.is_oriented else "3D-right-handed"
    lines = [
        "NRRD0005",
        *([f"content: {outline.words}"] if outline.words else []),
        f"type: {name}",
        f"dimension: {len(kinds)}",
        f"space: {space}",
        f"sizes: {sizes_text(outline.shape)}",
        f"space directions: {' '.join(directions)}",
        f"kinds: {' '.join(kinds)}",
        *times,
        'space units: "mm" "mm" "mm"',
        "endian: little",
        "encoding: gzip",
        f"space origin: ({','.join(repr(float(part)) for part in turned[:3, 3])})",
        *([f"{INTENT}:={LABELS}"] if outline.labels else []),
    ]
    text = "\n".join(lines).encode("ascii", "replace") + b"\n\n"
    return Start(text, stored, packing=Packing.VOXELS)
