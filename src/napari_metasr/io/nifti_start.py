"""What a NIfTI file says beside its voxels, when it is written."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from napari_metasr.io.names import has_ending
from napari_metasr.io.nifti import affine_in_mm
from napari_metasr.io.nifti_repairs import NO_SIDES
from napari_metasr.io.start import Packing, Start, cannot_hold
from napari_metasr.io.volume_file import ALIGNED, LARGEST_NIFTI1

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_metasr.io.start import Outline
    from napari_metasr.volume import Source

__all__ = ["nifti_start"]

_DESCRIP_BYTES = 79
_MEANING = (
    *("intent_code", "intent_name", "intent_p1", "intent_p2", "intent_p3"),
    *("cal_min", "cal_max"),
)
"""Elements of the header that say what the numbers are."""

_UNKNOWN = 0


def nifti_start(outline: Outline) -> Start:
    """Build a header with the codes, units and time step of its source.

    If the numbers mean what the source's do, its intent is kept, such as that of a map of a
    statistic.

    Raises
    ------
    ValueError
        If NIfTI cannot hold the type.
    """
    stored = np.dtype(outline.dtype)
    header = _header(outline, np.broadcast_to(np.zeros((), stored), outline.shape))
    header["descrip"] = _descrip(outline.words)
    header.set_data_offset(header.single_vox_offset)
    header["magic"] = header.single_magic
    header.set_slope_inter(1, 0)
    content = header.binaryblock
    content += b"\0" * (header.get_data_offset() - len(content))
    packing = Packing.WHOLE if has_ending(outline.path, (".gz",)) else Packing.NONE
    return Start(content, stored, packing=packing)


def _header(outline: Outline, voxels: NDArray[Any]) -> nib.Nifti1Header:
    affine, source = outline.affine, outline.source
    large = max(voxels.shape) > LARGEST_NIFTI1
    second = large or isinstance(source.header, nib.Nifti2Header)
    try:
        image = (nib.Nifti2Image if second else nib.Nifti1Image)(voxels, affine, dtype=voxels.dtype)
    except HeaderDataError as error:
        raise cannot_hold(outline.path, "NIfTI", voxels.dtype.name) from error
    header = source.header
    time_unit = "sec"
    if header is not None and voxels.ndim == 4:
        time_unit = header.get_xyzt_units()[1]
        step = header.get_zooms()[3] if len(header.get_zooms()) > 3 else 1.0
        image.header.set_zooms((*image.header.get_zooms()[:3], step))
        image.header["toffset"] = header["toffset"]
    if header is not None:
        image.header["dim_info"] = header["dim_info"]
    if outline.labels:
        image.header.set_intent("label")
    elif header is not None and outline.keeps_meaning:
        for name in _MEANING:
            image.header[name] = header[name]
    image.header.set_xyzt_units("mm", time_unit)
    forms = _forms(source, affine)
    image.set_sform(*forms["sform"])
    image.set_qform(*forms["qform"])
    if not source.is_oriented and any(code for _, code in forms.values()):
        image.header["aux_file"] = NO_SIDES
    return image.header


def _forms(
    source: Source, affine: NDArray[np.float64]
) -> dict[str, tuple[NDArray[np.float64] | None, int]]:
    """Compute the sform and qform of a new grid, with their codes, from those of the source.

    A file may hold two different transforms, to the scanner and to an atlas. The one that is used
    for reading becomes ``affine``; the other one moves with it. The place of what has no NIfTI
    header is written even where the orientation is not known; `NO_SIDES` says so then.
    """
    forms: dict[str, tuple[NDArray[np.float64] | None, int]] = {
        "sform": (None, 0),
        "qform": (None, 0),
    }
    if source.header is not None:
        to_source = np.linalg.inv(source.affine) @ affine
        for name, read in (
            ("sform", source.header.get_sform),
            ("qform", source.header.get_qform),
        ):
            with contextlib.suppress(ValueError):  # a quaternion that is no rotation
                form, code = read(coded=True)
                if form is not None and np.isfinite(form).all():
                    forms[name] = (affine_in_mm(form, source.header) @ to_source, int(code))
    used = "qform" if forms["sform"][1] == 0 and forms["qform"][1] > 0 else "sform"
    is_placed = source.is_oriented or source.header is None
    forms[used] = (affine, forms[used][1] or (ALIGNED if is_placed else _UNKNOWN))
    return forms


def _descrip(text: str) -> bytes:
    plain = text.replace("×", "x").encode("ascii", "replace")
    return plain if len(plain) <= _DESCRIP_BYTES else plain[: _DESCRIP_BYTES - 3] + b"..."
