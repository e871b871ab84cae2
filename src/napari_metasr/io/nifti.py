"""NIfTI files: how they are opened, and what is refused of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from napari_metasr.io.body import UNREADABLE, Body, Encoding, cause, unpacked
from napari_metasr.io.names import NIFTI, has_ending
from napari_metasr.io.nifti_repairs import is_oriented, repaired
from napari_metasr.io.volume_file import VolumeFile, existing_file, volume_shape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["affine_in_mm", "open_nifti", "scaled"]

KIND = "NIfTI"

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

CIFTI = range(3000, 3100)
"""The intent codes of matrices whose rows or columns are vertices of surfaces."""

_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}


def affine_in_mm(affine: NDArray[np.float64], header: nib.Nifti1Header) -> NDArray[np.float64]:
    """Return an affine of a header with its world axes in mm, whatever the header's unit is."""
    factor = _MILLIMETRES[header.get_xyzt_units()[0]]
    return np.diag([factor, factor, factor, 1.0]) @ np.asarray(affine, dtype=np.float64)


def open_nifti(path: Path) -> VolumeFile:
    """Read a header, repair what can be, and refuse what cannot be read as a gray image.

    Raises
    ------
    FileNotFoundError
        There is no such file, or the other one of the pair is missing.
    ValueError
        In one line, if it is no gray image of NIfTI, or claims more voxels than are there.
    """
    existing_file(path, KIND)
    header_path = _beside(path, ".img", ".hdr")
    header, concerns = repaired(_header(path, header_path))
    is_pair = not header.is_single
    body_path = _beside(header_path, ".hdr", ".img") if is_pair else header_path
    if not body_path.exists() or (is_pair and body_path == header_path):
        raise FileNotFoundError(f"{path}: the other file of the pair is missing")
    dtype = _dtype(path, header)
    shape = volume_shape(path, _sizes(header))
    slope, inter = header.get_slope_inter()
    return VolumeFile(
        path=path,
        kind=KIND,
        header_path=header_path,
        body=Body(body_path, _offset(path, header), Encoding.WHOLE_FILE, dtype),
        shape=shape,
        affine=affine_in_mm(header.get_best_affine(), header),
        slope_inter=(1.0 if slope is None else float(slope), float(inter or 0)),
        header=header,
        is_oriented=is_oriented(header),
        holds_labels=int(header["intent_code"]) == LABELS,
        concerns=concerns,
    ).checked()


def scaled(stored: NDArray[Any], slope: float, inter: float) -> NDArray[Any]:
    """Return stored values in the image's units: native integers, or float32 where they fit."""
    if stored.dtype.kind != "f" and (slope, inter) == (1.0, 0.0):
        return stored.astype(stored.dtype.newbyteorder("="), copy=False)
    wide = stored.dtype.itemsize > (4 if stored.dtype.kind == "f" else 2)
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
    if has_ending(path, NIFTI):
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
    held = "a matrix of CIFTI" if intent in CIFTI else VECTORS.get(intent)
    if held is not None:
        raise ValueError(
            f"{path}: expected a brightness in every voxel, found {held} (intent code {intent})"
        )
    return dtype


def _sizes(header: nib.Nifti1Header) -> tuple[int, ...]:
    count = max(int(header["dim"][0]), 0)
    return tuple(int(size) for size in header["dim"][1 : count + 1])


def _offset(path: Path, header: nib.Nifti1Header) -> int:
    offset = float(header["vox_offset"])
    if not 0 <= offset < 2**63:
        raise ValueError(f"{path}: expected voxels behind the header, found offset {offset:g}")
    return max(int(offset), header.single_vox_offset if header.is_single else 0)
