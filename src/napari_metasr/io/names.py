"""Names of the files that hold volumes: which format an ending stands for, and what remains."""

from __future__ import annotations

import os
import re
from itertools import takewhile
from pathlib import Path

__all__ = [
    "FREESURFER",
    "METAIMAGE",
    "NIFTI",
    "NRRD",
    "READ_FORMATS",
    "SUFFIXES",
    "WRITTEN_SUFFIXES",
    "are_freesurfer_labels",
    "check_written_name",
    "has_ending",
    "is_volume_file",
    "labels_name",
    "legible",
    "marks_path",
    "record_path",
    "sidecar_path",
    "stem",
    "volume_file",
]

NIFTI = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")
FREESURFER = (".mgh", ".mgz")
NRRD = (".nrrd", ".nhdr")
METAIMAGE = (".mha", ".mhd")
SUFFIXES = (*NIFTI, *FREESURFER, *NRRD, *METAIMAGE)
"""Endings of the files that are read as volumes."""

READ_FORMATS = "NIfTI, FreeSurfer (.mgz), NRRD or MetaImage"
"""The formats of the files that are read as volumes, as help names them."""

WRITTEN_SUFFIXES = (".nii.gz", ".nii", ".mgz", ".mgh", ".nrrd", ".mha")
"""Endings of the files that volumes are written to, one file each; the usual one first."""


FREESURFER_LABELS = frozenset({"aseg", "synthseg", "wmparc", "ribbon"})
"""Words in the names of segmentations of FreeSurfer: ``aparc+aseg``, ``aseg.presurf``."""

FREESURFER_FILLED = frozenset({"filled", "filled.auto"})
"""Whole names of its filled white matter; in ``T1_filled`` and the like, lesions of a scan are."""


def are_freesurfer_labels(name: str) -> bool:
    """Tell by its name, without ending, whether FreeSurfer made a file, and of labels."""
    name = name.lower()
    words = re.split(r"[^a-z0-9]+", name)
    return name in FREESURFER_FILLED or not FREESURFER_LABELS.isdisjoint(words)


def has_ending(path: str | os.PathLike[str], endings: tuple[str, ...]) -> bool:
    """Tell whether a file's name ends in one of these, in any case."""
    return Path(path).name.lower().endswith(endings)


def is_volume_file(path: str | os.PathLike[str]) -> bool:
    """Tell by its ending whether a file should be read as a volume in a format other than DICOM."""
    return has_ending(path, SUFFIXES)


def volume_file(path: Path | None) -> Path | None:
    """Return a scan's path, but None for a DICOM series', which may be named after a person."""
    return path if path is not None and is_volume_file(path) else None


def stem(path: str | os.PathLike[str]) -> str:
    """Return the file's name without folder and ending (``.nii.gz`` is one ending)."""
    name = Path(path).name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return Path(name).stem


def legible(name: str) -> str:
    """Return a file's name as text: bytes that are no UTF-8, of older systems, are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def sidecar_path(image: Path) -> Path:
    """Return the path of the JSON file beside a volume's file."""
    return image.with_name(f"{stem(image)}.json")


def record_path(picture: Path) -> Path:
    """Return the path of the JSON file beside a picture, which a volume may lie beside as well."""
    return picture.with_name(f"{picture.name}.json")


def check_written_name(path: Path) -> None:
    """Refuse the name of a volume to write.

    Raises
    ------
    ValueError
        If it does not end in one of `WRITTEN_SUFFIXES`.
    """
    if not has_ending(path, WRITTEN_SUFFIXES):
        *first, last = WRITTEN_SUFFIXES
        raise ValueError(f"{path}: expected a name that ends in {', '.join(first)} or {last}")


def labels_name(output: Path, segmentation: Path) -> str:
    """Name the labels beside an output: its name, and what the segmentation's adds to it.

    ``sub-01_res-2x_desc-metasr_T1w.nii.gz`` and ``sub-01_dseg.nii.gz`` give
    ``sub-01_res-2x_desc-metasr_T1w_dseg.nii.gz``.
    """
    own, name = stem(output), stem(segmentation)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(own, name, strict=False))
    shared = "".join(letter for letter, _ in same)
    added = name[max(shared.rfind("_"), shared.rfind("-")) + 1 :]
    return f"{own}_{added or name}{output.name[len(own) :]}"


def marks_path(path: Path) -> Path:
    """Return the path of the second file, which marks where the image of the first may be wrong."""
    name = stem(path)
    return path.with_name(f"{name}-risk{path.name[len(name) :]}")


def table_path(path: Path) -> Path:
    """Return where the table of a plot lies."""
    return path.with_suffix(".csv")
