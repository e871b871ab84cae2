"""What the header of a volume's file says, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.body import Body

__all__ = [
    "ALIGNED",
    "LARGEST_NIFTI1",
    "VolumeFile",
    "as_nifti",
    "check_affine",
    "existing_file",
    "from_lps",
    "volume_shape",
]

SPACING_RANGE = (1e-4, 1e3)
"""Voxel sizes, in mm, that a medical image or a micrograph can have."""

ALIGNED = 2
"""The code of NIfTI for positions that are aligned to something, not necessarily the scanner."""

LARGEST_NIFTI1 = 32767
"""The longest axis that a file of NIfTI-1 can have."""

POINTERS = {b"/annex/objects/": "git-annex", b"version https://git-lfs": "Git LFS"}
"""How a file begins that stands for another one, which is kept elsewhere."""

LONGEST_POINTER = 1024

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class VolumeFile:
    """A file whose header was read and checked, and nothing else.

    Attributes
    ----------
    path
        What was opened: the file, or either one of a header and its data.
    kind
        The format, as messages name it.
    header_path
        The file that holds the header.
    body
        Where the voxels are.
    shape
        As stored, without extra dimensions of length 1: 2 to 4 numbers.
    affine
        4 x 4, voxel (i, j, k) to world mm (RAS+).
    slope_inter
        Stored value times the first plus the second is the image's value.
    header
        As nibabel holds a header of NIfTI: the file's own, or one that says the same.
    is_oriented
        Whether the header says where left and right are.
    holds_labels
        Whether the header says that the numbers are labels.
    concerns
        What was repaired or is not known, and matters.
    """

    path: Path
    kind: str
    header_path: Path
    body: Body
    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    slope_inter: tuple[float, float] = (1.0, 0.0)
    header: nib.Nifti1Header | None = None
    is_oriented: bool = True
    holds_labels: bool = False
    concerns: tuple[str, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers as stored."""
        return self.body.dtype

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, or both of a header and its data."""
        return tuple(sorted({self.header_path, self.body.path}))

    def checked(self) -> VolumeFile:
        """Return the file itself, once its claims are compared with what is there.

        Raises
        ------
        ValueError
            If its affine puts voxels nowhere, or it claims more voxels than are there.
        """
        check_affine(self.path, self.affine)
        self.body.check_room(self.path, self.kind, int(np.prod(self.shape, dtype=object)))
        return self


def existing_file(path: Path, kind: str) -> None:
    """Refuse what is no file of any content.

    Raises
    ------
    FileNotFoundError, ValueError
        If it is missing, a folder, or empty.
    """
    if path.is_dir():
        raise ValueError(f"{path}: expected a {kind} file, found a folder")
    if not path.exists():
        found = "a link to a file that is not there" if path.is_symlink() else "no such file"
        raise FileNotFoundError(f"{path}: {found}")
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path}: expected a {kind} file, found an empty file")
    if size <= LONGEST_POINTER:
        with path.open("rb") as stream:
            start = stream.read(LONGEST_POINTER)
        for beginning, program in POINTERS.items():
            if start.startswith(beginning):
                raise ValueError(
                    f"{path}: expected a {kind} file, found a pointer of {program} to one that is "
                    "not fetched yet"
                )


def volume_shape(path: Path, sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of an image without further dimensions of length 1.

    Raises
    ------
    ValueError
        If that is not one of 2 to 4 dimensions.
    """
    if not 2 <= len(sizes) <= 7 or min(sizes) <= 0:
        raise ValueError(f"{path}: expected an image of 2 to 4 dimensions, found shape {sizes}")
    series = tuple(size for size in sizes[3:] if size != 1)
    if len(series) > 1:
        raise ValueError(
            f"{path}: expected at most one dimension beyond space (time), found shape {sizes}"
        )
    return sizes[:3] + series


def from_lps(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an affine to world axes to the left, posterior and superior as one to RAS+."""
    return _LPS @ affine


def as_nifti(
    shape: tuple[int, ...], affine: NDArray[np.float64], code: int, seconds: float = 0.0
) -> nib.Nifti1Header:
    """Return a header of NIfTI that says the same as one of another format.

    Parameters
    ----------
    shape
        As stored.
    affine
        4 x 4, voxel (i, j, k) to world mm (RAS+).
    code
        Of the affine; 0 where it does not say where left and right are.
    seconds
        From one volume of a series to the next; 0 where that is not known.
    """
    large = max(shape) > LARGEST_NIFTI1
    header = nib.Nifti2Header() if large else nib.Nifti1Header()
    header.set_data_shape(shape)
    if code:
        header.set_sform(affine, code)
    header.set_xyzt_units("mm", "sec")
    if seconds:
        header["pixdim"][4] = seconds
    return header


def check_affine(path: Path, affine: NDArray[np.float64]) -> None:
    """Refuse an affine that puts voxels nowhere, or at sizes that no image has.

    Raises
    ------
    ValueError
        If it does.
    """
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
