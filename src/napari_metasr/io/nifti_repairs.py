"""What is wrong in the headers of NIfTI files that other programs read all the same.

Each repair is that of the reference library, ``nifti1_io.c`` of https://nifti.nimh.nih.gov, or
the default that the definition of the format names.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from napari_metasr.io.volume_file import ALIGNED

if TYPE_CHECKING:
    import nibabel as nib
    from numpy.typing import NDArray

__all__ = ["NO_SIDES", "is_oriented", "repaired"]

FORMS = ("qform_code", "sform_code")
LAST_FORM = 5
SPACE_BITS, TIME_BITS = 7, 56
SPACE_UNITS, TIME_UNITS = (0, 1, 2, 3), (0, 8, 16, 24, 32, 40, 48)
MILLIMETRE = 2
NO_SIDES = b"orientation not known"
"""Of files with a transform: their ``aux_file``, which is otherwise unused, where it says only
where voxels lie in a window, not how the patient lies."""
UNITY = 1e-3
"""By so much more than one a quaternion may be long before that is a concern."""

FLAT = 1e-3
"""By so small a share of its box a voxel is flat, and its transform singular."""

UNLIKE = 0.02
"""By so much of it one voxel size may differ from another that ought to be the same."""

_silent = logging.Logger("headers")  # noqa: LOG001 - what nibabel would print is told as concerns
_silent.addHandler(logging.NullHandler())


def repaired(header: nib.Nifti1Header) -> tuple[nib.Nifti1Header, tuple[str, ...]]:
    """Make a header valid where it is clear, or defined, what it means.

    Parameters
    ----------
    header
        As it is stored; it is changed.

    Returns
    -------
    header, concerns
        What was repaired or is not known and changes where or how large the image is.
    """
    sizes = np.abs(np.array(header["pixdim"][1:4], np.float64))
    concerns = (*_units(header), *_forms(header), *_quaternion(header), *_numbers(header))
    header.check_fix(logger=_silent, error_level=np.inf)
    concerns += _contradictions(header, sizes)
    if not is_oriented(header) and not _is_mirrored(header):
        concerns += (
            "the header holds no orientation: left and right, and all directions, are a guess",
        )
    return header, concerns


def is_oriented(header: nib.Nifti1Header) -> bool:
    """Return whether a header, once repaired, says where left and right are."""
    is_placed = header["qform_code"] > 0 or header["sform_code"] > 0
    return bool(is_placed and header["aux_file"] != NO_SIDES and not _is_mirrored(header))


def _is_mirrored(header: nib.Nifti1Header) -> bool:
    """Return whether a header has two transforms and right in the one is left in the other."""
    if header["qform_code"] <= 0 or header["sform_code"] <= 0:
        return False
    forms = header.get_sform()[:3, :3], header.get_qform()[:3, :3]
    return bool(np.prod([np.sign(np.linalg.det(form)) for form in forms]) < 0)


def _units(header: nib.Nifti1Header) -> tuple[str, ...]:
    """Replace undefined units: mm, and a time step of an unknown unit."""
    code = int(header["xyzt_units"])
    space, time = code & SPACE_BITS, code & TIME_BITS
    known = space in SPACE_UNITS
    space = space if known else MILLIMETRE
    header["xyzt_units"] = space + (time if time in TIME_UNITS else 0)
    if known and code == int(header["xyzt_units"]):
        return ()
    unit = "mm" if space == MILLIMETRE or not space else "its unit of space"
    return (f"the header's unit code {code} is not defined: {unit} is assumed",)


def _forms(header: nib.Nifti1Header) -> tuple[str, ...]:
    """Replace undefined codes of a transform that is there: aligned to something."""
    found = []
    for name in FORMS:
        code = int(header[name])
        if code > LAST_FORM:
            header[name] = ALIGNED
            found.append(f"the header's {name} {code} is not defined: {ALIGNED} is assumed")
        elif code < 0:
            header[name] = 0
    return tuple(found)


def _contradictions(header: nib.Nifti1Header, sizes: NDArray[np.float64]) -> tuple[str, ...]:
    """Compare what the header says twice; an sform of no use is ignored where there is a qform.

    Parameters
    ----------
    header
        With everything else repaired.
    sizes
        Voxel sizes as they were given, (3,); those that are 0 or not finite were not.
    """
    if header["sform_code"] <= 0:
        return ()
    form = np.asarray(header.get_sform()[:3, :3], np.float64)
    has_qform = header["qform_code"] > 0
    if not np.isfinite(form).all() or abs(np.linalg.det(form)) <= FLAT * np.prod(_lengths(form)):
        if not has_qform:
            return ()  # refused as an affine
        header["sform_code"] = 0
        return ("the header's sform is singular: the qform is used",)
    found = []
    if _is_mirrored(header):
        found.append(
            "the header's sform and qform are mirror images of each other: left and right are a "
            "guess, that of the sform"
        )
    count = min(int(header["dim"][0]), 3)
    given, used = sizes[:count], _lengths(form)[:count]
    known = np.isfinite(given) & (given > 0)
    if (np.abs(given - used) > UNLIKE * used)[known].any():
        told, taken = (" x ".join(f"{size:.4g}" for size in part) for part in (given, used))
        found.append(
            f"the header's voxels measure {told} by pixdim and {taken} by its sform, which is used"
        )
    return tuple(found)


def _lengths(form: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(form, axis=0))


def _quaternion(header: nib.Nifti1Header) -> tuple[str, ...]:
    """Shorten a quaternion longer than one to unit length."""
    parts = np.array([header[f"quatern_{name}"] for name in "bcd"], np.float64)
    if header["qform_code"] <= 0:
        return ()
    if not np.isfinite(parts).all():
        header["qform_code"] = 0
        return ("the header's quaternion is not finite: it is ignored",)
    length = float(np.linalg.norm(parts))
    if length <= 1:
        return ()
    for name, part in zip("bcd", parts / length, strict=True):
        header[f"quatern_{name}"] = part
    if length <= 1 + UNITY or header["sform_code"] > 0:
        return ()
    return (f"the header's quaternion is {length:.3g} long in place of 1: it was shortened",)


def _numbers(header: nib.Nifti1Header) -> tuple[str, ...]:
    """Treat numbers that are not finite as not given, and sizes of 0 as 1."""
    for name in ("scl_slope", "scl_inter", "toffset", "cal_min", "cal_max"):
        if not np.isfinite(header[name]):
            header[name] = 0
    sizes = np.array(header["pixdim"], np.float64)
    sizes[~np.isfinite(sizes)] = 0
    missing = np.flatnonzero(sizes[1 : 1 + min(int(header["dim"][0]), 3)] == 0) + 1
    sizes[1:4] = np.where(sizes[1:4] == 0, 1, np.abs(sizes[1:4]))
    sizes[4:] = np.abs(sizes[4:])
    header["pixdim"] = sizes
    if header["sform_code"] > 0:  # says how large voxels are
        return ()
    return tuple(
        f"the header gives no size of voxels along axis {axis}: 1 mm is assumed" for axis in missing
    )
