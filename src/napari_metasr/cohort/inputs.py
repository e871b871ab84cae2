"""Find the volumes of a folder or a BIDS dataset."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from napari_metasr.cohort.bids import is_dataset, is_made_here
from napari_metasr.io.dicom.recognition import is_dicom, is_zip, walked
from napari_metasr.io.names import are_freesurfer_labels, has_ending, is_volume_file, stem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

BIDS_PATTERN = "**/*_T1w.nii*"
ANY = "files of volumes, or folders or .zip files of DICOM"
HEADER, DATA = ".hdr", (".img", ".img.gz")
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
"""Last words of the names of files that hold a segmentation and no image."""

LOOKS = 16
"""Files of a folder that are looked at before it is taken to hold no DICOM."""


@dataclass(frozen=True)
class Inputs:
    """Volumes of a folder.

    Attributes
    ----------
    root
        The folder.
    is_bids
        Whether it is a BIDS dataset.
    names
        Names of the volumes, relative to ``root``, in order.
    left_out
        Names that match the pattern, but are no volumes to upscale.
    """

    root: Path
    is_bids: bool
    names: tuple[PurePosixPath, ...]
    left_out: tuple[PurePosixPath, ...]

    @property
    def paths(self) -> Iterator[Path]:
        """The volumes' files and folders."""
        return (self.root / name for name in self.names)


def find_inputs(
    root: Path,
    patterns: Sequence[str] = (),
    output: Path | None = None,
    participants: Collection[str] = (),
) -> Inputs:
    """Find the volumes of a folder.

    Hidden files, files in ``output``, segmentations and outputs of this program are left out, and
    so are the folders ``derivatives`` and ``sourcedata`` unless a pattern names them.

    Parameters
    ----------
    root
        The folder.
    patterns
        Globs relative to it, of files of volumes and of files and folders of DICOM; by default
        the T1-weighted volumes of a BIDS dataset, and of any other folder all files of volumes,
        of which a header beside its data is one, and all folders and .zip files with DICOM files,
        one volume each.
    output
        A folder to leave out.
    participants
        Labels of the participants of a BIDS dataset to keep, with or without ``sub-``; all where
        there are none.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder.
    ValueError
        If a pattern leads elsewhere, nothing matches them, or a participant has no volume.
    """
    if not root.exists():
        raise FileNotFoundError(f"{root}: no such folder")
    if not root.is_dir():
        raise NotADirectoryError(f"{root}: expected a folder of volumes, found a file")
    is_bids = is_dataset(root)
    patterns = patterns or ((BIDS_PATTERN,) if is_bids else ())
    found = () if patterns else _all_volumes(root)
    for one in patterns:
        parts = PurePosixPath(one).parts
        if not parts or ".." in parts or PurePosixPath(one).is_absolute():
            raise ValueError(f"expected a pattern of names within {root}, found {one!r}")
    if participants and not is_bids:
        raise ValueError(f"{root}: expected a BIDS dataset to choose participants of, found none")
    chosen = {f"sub-{label.removeprefix('sub-')}" for label in participants}
    kept: list[PurePosixPath] = []
    left_out: list[PurePosixPath] = []
    named: dict[PurePosixPath, set[str]] = {}
    for one in patterns:
        for name in _matching(root, one):
            named.setdefault(name, set()).update(PurePosixPath(one).parts)
    for name in sorted({*named, *found}):
        if chosen and chosen.isdisjoint(name.parts):
            continue
        others = set(OTHER_DATASETS) - named.get(name, set())
        within = output is not None and (root / name).is_relative_to(output)
        unwanted = within or others.intersection(name.parts[:-1]) or is_segmentation(name.name)
        (left_out if unwanted or is_made_here(name.name) else kept).append(name)
    for missing in sorted(chosen.difference(*(name.parts for name in kept))):
        raise ValueError(f"{root}: expected volumes of {missing}, found none")
    if not kept:
        aside = f"{len(left_out)} that are segmentations or derived" if left_out else "none"
        wanted = f"volumes that match {', '.join(patterns)}" if patterns else ANY
        raise ValueError(f"{root}: expected {wanted}, found {aside}")
    return Inputs(root, is_bids, tuple(kept), tuple(left_out))


def _all_volumes(root: Path) -> Iterator[PurePosixPath]:
    """Yield every volume; of an archive and a folder of DICOM beside or around it, the folder."""
    series = set(_dicom_folders(root))
    yield from series
    for path in walked(root):
        name = PurePosixPath(path.relative_to(root).as_posix())
        if is_zip(path):
            unpacked = (name.with_suffix(""), *name.parents)
            wanted = series.isdisjoint(unpacked) and is_dicom(path)
        elif has_ending(path, (HEADER,)):
            wanted = any(path.with_name(stem(path) + ending).exists() for ending in DATA)
        else:
            wanted = not has_ending(path, DATA) and is_volume_file(path) and _may_be_volume(path)
        if wanted:
            yield name


def _matching(root: Path, pattern: str) -> Iterator[PurePosixPath]:
    for path in root.glob(pattern):
        name = PurePosixPath(path.relative_to(root).as_posix())
        if not any(part.startswith(".") for part in name.parts) and _may_be_volume(path):
            yield name


def _may_be_volume(path: Path) -> bool:
    """Return whether a path stands for a volume, even as a link to a file that is not here."""
    if is_volume_file(path):
        return path.is_file() or path.is_symlink()
    return is_dicom(path)


def _dicom_folders(root: Path) -> Iterator[PurePosixPath]:
    """Yield the topmost folders with DICOM files."""
    for parent, folders, files in os.walk(root):
        seen = islice((root / parent / file for file in sorted(files)), LOOKS)
        if any(is_dicom(path) for path in seen if not is_zip(path)):
            yield PurePosixPath(Path(parent).relative_to(root).as_posix())
            folders.clear()
        folders[:] = [folder for folder in folders if not folder.startswith(".")]


def is_segmentation(name: str) -> bool:
    """Return whether a file holds a segmentation, by the last word of its name or FreeSurfer's."""
    words = stem(name).lower().replace("-", "_").replace(".", "_").split("_")
    return words[-1] in SEGMENTATIONS or are_freesurfer_labels(stem(name))
