"""Which files of a folder are volumes to be enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from napari_metasr.cohort.bids import is_dataset, is_made_here
from napari_metasr.io.nifti import is_nifti, stem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIDS_PATTERN = "**/*_T1w.nii*"
PATTERN = "**/*.nii*"
OTHER_DATASETS = ("derivatives", "sourcedata")
SEGMENTATIONS = (
    "mask",
    "defacemask",
    "seg",
    "dseg",
    "probseg",
    "segmentation",
    "label",
    "labels",
    "roi",
)
"""How the names of files end that hold no image but say what is where in one."""


@dataclass(frozen=True)
class Inputs:
    """What was found.

    Attributes
    ----------
    root
        The folder.
    is_bids
        Whether it is a BIDS dataset.
    pattern
        What was looked for.
    names
        Of the volumes, from ``root`` on, in order.
    left_out
        What fits the pattern, but is no volume to be enlarged.
    """

    root: Path
    is_bids: bool
    pattern: str
    names: tuple[PurePosixPath, ...]
    left_out: tuple[PurePosixPath, ...]


def find_inputs(root: Path, pattern: str | None = None, output: Path | None = None) -> Inputs:
    """Look for volumes.

    What is hidden, lies in ``output``, is a segmentation or was made by this very program is left
    out, and so are the folders ``derivatives`` and ``sourcedata`` unless the pattern names them.

    Parameters
    ----------
    root
        Where to look.
    pattern
        A glob from there on; by default T1-weighted volumes of a BIDS dataset, and all NIfTI
        files of any other folder.
    output
        A folder that is left out.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder.
    ValueError
        If the pattern leads elsewhere, or nothing fits it.
    """
    if not root.exists():
        raise FileNotFoundError(f"{root}: no such folder")
    if not root.is_dir():
        raise NotADirectoryError(f"{root}: expected a folder of volumes, found a file")
    is_bids = is_dataset(root)
    if pattern is None:
        pattern = BIDS_PATTERN if is_bids else PATTERN
    parts = PurePosixPath(pattern).parts
    if not parts or ".." in parts or PurePosixPath(pattern).is_absolute():
        raise ValueError(f"expected a pattern of names within {root}, found {pattern!r}")
    kept: list[PurePosixPath] = []
    left_out: list[PurePosixPath] = []
    for name in _matching(root, pattern):
        others = set(OTHER_DATASETS) - set(parts)
        within = output is not None and (root / name).is_relative_to(output)
        unwanted = within or others.intersection(name.parts[:-1]) or is_segmentation(name.name)
        (left_out if unwanted or is_made_here(name.name) else kept).append(name)
    if not kept:
        aside = f"{len(left_out)} that are segmentations or derived" if left_out else "none"
        raise ValueError(f"{root}: expected volumes that match {pattern}, found {aside}")
    return Inputs(root, is_bids, pattern, tuple(kept), tuple(left_out))


def _matching(root: Path, pattern: str) -> Iterator[PurePosixPath]:
    """Files that may be volumes, and links to such that lead nowhere."""
    for path in sorted(root.glob(pattern)):
        name = PurePosixPath(path.relative_to(root).as_posix())
        hidden = any(part.startswith(".") for part in name.parts)
        if is_nifti(path) and not hidden and (path.is_file() or path.is_symlink()):
            yield name


def is_segmentation(name: str) -> bool:
    """Whether a file holds a segmentation, by the last word of its name."""
    words = stem(name).lower().replace("-", "_").replace(".", "_").split("_")
    return words[-1] in SEGMENTATIONS
