"""NIfTI files: their names, how they are opened, and what is refused of them."""

from __future__ import annotations

import bz2
import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from napari_metasr.io.nifti_repairs import repaired

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["SUFFIXES", "NiftiFile", "affine_in_mm", "is_nifti", "open_nifti", "stem"]

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")
"""Endings of the files that are read as NIfTI."""

SPACING_RANGE = (1e-4, 1e3)
"""Voxel sizes, in mm, that a medical image or a micrograph can have."""

REST_BYTES = 32 << 20
MOST_REST_BYTES = 1 << 30
"""Read at a time, and in total, of what is behind the voxels."""

DEFLATE_RATIO = 1032
"""No deflate stream unpacks to more than so many times its size (zlib's technical notes)."""

UNREADABLE = (HeaderDataError, OSError, EOFError, zlib.error, ValueError)
PACKED: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open}
"""How what begins with two bytes is unpacked."""

ZSTANDARD = b"\x28\xb5\x2f\xfd"
HEADERS: dict[bytes, type[nib.Nifti1Header]] = {
    b"n+1\0": nib.Nifti1Header,
    b"ni1\0": nib.nifti1.Nifti1PairHeader,
    b"n+2\0": nib.Nifti2Header,
    b"ni2\0": nib.nifti2.Nifti2PairHeader,
}
_ORDERS: tuple[Literal["little"], Literal["big"]] = ("little", "big")
MAGIC_PLACES = (344, 4)
"""Where its four letters stand in a header of NIfTI-1 and of NIfTI-2."""

LARGEST_HEADER = 540
LABELS = 1002
VECTORS = {
    1004: "matrices",
    1005: "symmetric matrices",
    1006: "a displacement field",
    1007: "vectors",
    1008: "a point set",
    1009: "triangles",
    1010: "quaternions",
    2003: "RGB colours",
    2004: "RGBA colours",
}
"""What a voxel may hold in place of a brightness, by the intent code of NIfTI-1."""

_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}


def is_nifti(path: str | os.PathLike[str]) -> bool:
    """Tell by its ending whether a file should be read as NIfTI."""
    return Path(path).name.lower().endswith(SUFFIXES)


def stem(path: str | os.PathLike[str]) -> str:
    """Return the file's name without folder and NIfTI ending (``.nii.gz`` is one ending)."""
    name = Path(path).name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


def affine_in_mm(affine: NDArray[np.float64], header: nib.Nifti1Header) -> NDArray[np.float64]:
    """Return an affine of a header with its world axes in mm, whatever the header's unit is."""
    factor = _MILLIMETRES[header.get_xyzt_units()[0]]
    return np.diag([factor, factor, factor, 1.0]) @ np.asarray(affine, dtype=np.float64)


@dataclass(frozen=True)
class NiftiFile:
    """A NIfTI file whose header was read and checked, and nothing else.

    Attributes
    ----------
    path
        What was opened: the file, or either one of a pair.
    header
        Repaired as `nifti_repairs.repaired` does.
    header_path, body_path
        Where the header and the voxels are: two files of a pair.
    shape
        As stored, without extra dimensions of length 1: 2 to 4 numbers.
    dtype
        Of the numbers as stored.
    offset
        Bytes of the unpacked body before the voxels.
    affine
        4 x 4, voxel (i, j, k) to world mm.
    concerns
        What was repaired or is not known, and matters.
    """

    path: Path
    header: nib.Nifti1Header
    header_path: Path
    body_path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    affine: NDArray[np.float64]
    concerns: tuple[str, ...]

    @property
    def slope_inter(self) -> tuple[float, float]:
        """Stored value times the first plus the second is the image's value."""
        slope, inter = self.header.get_slope_inter()
        return (1.0 if slope is None else float(slope)), (0.0 if inter is None else float(inter))

    @property
    def is_oriented(self) -> bool:
        """Whether the header says where left and right are."""
        return bool(self.header["sform_code"] > 0 or self.header["qform_code"] > 0)

    @property
    def holds_labels(self) -> bool:
        """Whether the header says that the numbers are labels."""
        return int(self.header["intent_code"]) == LABELS


def open_nifti(path: Path) -> NiftiFile:
    """Read a header, repair what can be, and refuse what cannot be read as a gray image.

    Raises
    ------
    FileNotFoundError
        There is no such file, or the other one of the pair is missing.
    ValueError
        In one line, if it is no gray image of NIfTI, or claims more voxels than are there.
    """
    if path.is_dir():
        raise ValueError(f"{path}: expected a NIfTI file, found a folder")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: expected a NIfTI file, found an empty file")
    header_path = _beside(path, ".img", ".hdr")
    header, concerns = repaired(_header(path, header_path))
    is_pair = not header.is_single
    body_path = _beside(header_path, ".hdr", ".img") if is_pair else header_path
    if not body_path.exists() or (is_pair and body_path == header_path):
        raise FileNotFoundError(f"{path}: the other file of the pair is missing")
    dtype = _dtype(path, header)
    sizes = _sizes(path, header)
    offset = _offset(path, header)
    count = int(np.prod(sizes, dtype=object))
    _check_room(path, body_path, offset + count * dtype.itemsize)
    affine = affine_in_mm(header.get_best_affine(), header)
    check_affine(path, affine)
    series = tuple(size for size in sizes[3:] if size != 1)
    if len(series) > 1:
        raise ValueError(
            f"{path}: expected at most one dimension beyond space (time), found shape {sizes}"
        )
    return NiftiFile(
        path, header, header_path, body_path, sizes[:3] + series, dtype, offset, affine, concerns
    )


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file to read what it holds: unpacked if it is compressed, whatever its name says.

    Raises
    ------
    ValueError
        It is compressed in a way that is not read here.
    """
    with path.open("rb") as file:
        start = file.read(len(ZSTANDARD))
    if start == ZSTANDARD:
        raise ValueError(f"{path}: expected a file that gzip can unpack, found Zstandard")
    opener = PACKED.get(start[:2])
    with cast("BinaryIO", opener(path) if opener else path.open("rb")) as stream:
        yield stream


def read_to_end(stream: BinaryIO) -> None:
    """Read what is left: a compressed file's checksum is at its end.

    Raises
    ------
    ValueError
        If that is far more than belongs behind voxels.
    """
    left = MOST_REST_BYTES
    while content := stream.read(REST_BYTES):
        left -= len(content)
        if left < 0:
            raise ValueError(f"found more than {MOST_REST_BYTES >> 30} GiB behind the voxels")


def cause(error: BaseException) -> str:
    """Describe what was found instead of an intact NIfTI file."""
    if isinstance(error, EOFError | zlib.error | gzip.BadGzipFile):
        return "found a truncated or damaged one"
    return "found a damaged header or body (" + " ".join(str(error).split()) + ")"


def check_affine(path: Path, affine: NDArray[np.float64]) -> None:
    """Refuse an affine that puts voxels nowhere, or at sizes that no image has."""
    low, high = SPACING_RANGE
    if not np.isfinite(affine).all():
        raise ValueError(f"{path}: expected a finite affine, found NaN or Inf in it")
    sizes = nib.affines.voxel_sizes(affine)
    if not ((sizes >= low) & (sizes <= high)).all():
        found = " x ".join(f"{size:g}" for size in sizes)
        raise ValueError(
            f"{path}: expected voxel sizes between {low:g} and {high:g} mm, found {found} mm"
        )
    if abs(np.linalg.det(affine[:3, :3] / sizes)) < 1e-3:
        raise ValueError(
            f"{path}: expected an affine with three independent axes, found a singular one"
        )


def scaled(stored: NDArray[Any], slope: float, inter: float) -> NDArray[Any]:
    """Return stored values in the image's units: native integers, or float32 where they fit."""
    if stored.dtype.kind != "f" and (slope, inter) == (1.0, 0.0):
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)
    wide = stored.dtype.kind == "f" and stored.dtype.itemsize > 4
    data: NDArray[Any] = stored.astype(np.float64 if wide else np.float32, copy=False)
    if (slope, inter) != (1.0, 0.0):
        data = data * float(slope) + float(inter)
    if not wide:
        return data
    with np.errstate(over="ignore"):
        single = data.astype(np.float32)
    overflow = np.isinf(single) & np.isfinite(data)
    return data if overflow.any() else single


def _beside(path: Path, ending: str, other: str) -> Path:
    """Return the other file of a pair if a path is one of its halves; otherwise the path."""
    name = path.name.lower()
    for packed in ("", ".gz"):
        if name.endswith(ending + packed):
            base = path.name[: -len(ending + packed)]
            found = (
                path.with_name(base + case(other) + zipped)
                for case in (str.lower, str.upper)
                for zipped in (packed, "" if packed else ".gz")
            )
            return next((file for file in found if file.is_file()), path)
    return path


def _header(path: Path, header_path: Path) -> nib.Nifti1Header:
    """Read the header as it is stored."""
    try:
        with unpacked(header_path) as stream:
            content = stream.read(LARGEST_HEADER)
    except UNREADABLE as error:
        if isinstance(error, ValueError):
            raise
        raise ValueError(f"{path}: expected a NIfTI file, {cause(error)}") from error
    for place in MAGIC_PLACES:
        kind = HEADERS.get(content[place : place + 4])
        if kind is not None and len(content) >= kind.sizeof_hdr:
            return kind(content[: kind.sizeof_hdr], check=False)
    raise ValueError(f"{path}: expected a NIfTI file, found {_format(path, content)}")


def _format(path: Path, content: bytes) -> str:
    """Name the format of a file without a NIfTI header, by its first bytes or its suffix."""
    if is_nifti(path):
        sizes = {int.from_bytes(content[:4], order) for order in _ORDERS}
        is_analyze = nib.AnalyzeHeader.sizeof_hdr in sizes
        return "the format Analyze" if is_analyze else "no NIfTI header"
    for kind in nib.imageclasses.all_image_classes:
        endings = kind.valid_exts if not issubclass(kind, nib.Nifti1Pair) else ()
        if path.suffix.lower() in endings:
            return f"the format {kind.__name__.removesuffix('Image')}"
    return "no NIfTI header"


def _dtype(path: Path, header: nib.Nifti1Header) -> np.dtype[Any]:
    code = int(header["datatype"])
    if code == 1:
        raise ValueError(
            f"{path}: expected gray voxels, found boolean (1-bit) voxels, which are not an image"
        )
    try:
        dtype: np.dtype[Any] = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise ValueError(
            f"{path}: expected a type of numbers that NIfTI defines, found code {code}"
        ) from None
    if dtype.fields is not None:
        raise ValueError(
            f"{path}: expected gray voxels, found colour ({'/'.join(dtype.fields)} per voxel)"
        )
    if dtype.kind not in "iuf":
        raise ValueError(f"{path}: expected integer or floating voxels, found {dtype.name}")
    intent = int(header["intent_code"])
    if intent in VECTORS:
        raise ValueError(
            f"{path}: expected a brightness in every voxel, found {VECTORS[intent]} "
            f"(intent code {intent})"
        )
    return dtype


def _sizes(path: Path, header: nib.Nifti1Header) -> tuple[int, ...]:
    count = int(header["dim"][0])
    sizes = tuple(int(size) for size in header["dim"][1 : count + 1])
    if not 2 <= count <= 7 or min(sizes) <= 0:
        raise ValueError(f"{path}: expected an image of 2 to 4 dimensions, found shape {sizes}")
    return sizes


def _offset(path: Path, header: nib.Nifti1Header) -> int:
    offset = float(header["vox_offset"])
    if not 0 <= offset < 2**63:
        raise ValueError(f"{path}: expected voxels behind the header, found offset {offset:g}")
    return max(int(offset), header.single_vox_offset if header.is_single else 0)


def _check_room(path: Path, body: Path, wanted: int) -> None:
    """Refuse more voxels than a file of this size can hold, before there is memory for them."""
    size = body.stat().st_size
    with body.open("rb") as file:
        start = file.read(2)
    if start == b"BZ":  # repetitions shrink without a limit that would help
        return
    packed = start in PACKED
    if wanted > size * (DEFLATE_RATIO if packed else 1):
        raise ValueError(
            f"{path}: expected a whole NIfTI file, found a truncated or damaged one: its header "
            f"describes {wanted:,} bytes, which {size:,}{' compressed' if packed else ''} bytes "
            "cannot hold"
        )
