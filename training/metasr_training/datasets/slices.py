"""Slices of brain MRI from a folder, split by patient."""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import nibabel
import numpy as np
from skimage.io import imread

from napari_metasr.normalisation import LinearMap, intensity_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

log = logging.getLogger(__name__)

Split = Literal["train", "val", "test"]
LEAST_HEAD_SHARE = 0.08
HEAD_LEVEL = 0.05


@dataclass(frozen=True)
class Slice:
    """One slice.

    Attributes
    ----------
    image
        (rows, columns), in the file's intensity units.
    limits
        The intensities that become 0 and 1: percentiles of the volume it is of (of the slice
        itself where the source is a picture).
    source, patient, name
        Data set, patient within it, and slice, for splits and reports.
    """

    image: NDArray[Any]
    limits: tuple[float, float]
    source: str
    patient: str
    name: str

    @property
    def normalised(self) -> NDArray[np.float32]:
        """The image as the network sees it."""
        return LinearMap(*self.limits).forward(self.image)

    @property
    def head_share(self) -> float:
        """The share of pixels above the background."""
        return float((self.normalised > HEAD_LEVEL).mean())


def _tcga_lgg(folder: Path, split: Split) -> Iterator[Slice]:
    with (folder / "patients.csv").open(newline="") as table:
        patients = [row["patient"] for row in csv.DictReader(table) if row["split"] == split]
    for patient in patients:
        path = folder / split / f"{patient}_t1ce.nii.gz"
        volume = np.asanyarray(nibabel.nifti1.load(path).dataobj)
        limits = intensity_range(volume)
        for index in range(volume.shape[2]):
            image = np.ascontiguousarray(volume[:, :, index].T)
            yield Slice(image, limits, "tcga-lgg", patient, f"{patient}:{index}")


def _gray(path: Path) -> NDArray[Any]:
    image = imread(path)
    return image[..., 0] if image.ndim == 3 else image


def _cheng(folder: Path, split: Split) -> Iterator[Slice]:
    with (folder / "slices.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["split"] == split]
    for row in rows:
        image = _gray(next((folder / "images").glob(f"{row['id']}.*")))
        yield Slice(image, intensity_range(image), "cheng", row["patient"], row["id"])


def _brats20(folder: Path, split: Split) -> Iterator[Slice]:
    for path in sorted((folder / split).glob("*.png")):
        image = _gray(path)
        yield Slice(image, intensity_range(image), "brats20", path.stem, path.stem)


SOURCES: dict[str, Callable[[Path, Split], Iterator[Slice]]] = {
    "tcga-lgg": _tcga_lgg,
    "cheng": _cheng,
    "brats20": _brats20,
}


def load_slices(data: Path, split: Split, sources: tuple[str, ...] = tuple(SOURCES)) -> list[Slice]:
    """Read the slices of a split, without those that are almost empty.

    Parameters
    ----------
    data
        A folder with ``tumour-slices/SOURCE`` in it.
    sources
        Which of the sources to read; those that are not in the folder are skipped.

    Raises
    ------
    FileNotFoundError
        If none of the sources is there, or one lists a file that is not.
    """
    slices: list[Slice] = []
    for source in sources:
        folder = data / "tumour-slices" / source
        if not folder.is_dir():
            log.warning("no %s in %s: skipped", source, folder.parent)
            continue
        found = [one for one in SOURCES[source](folder, split) if one.head_share > LEAST_HEAD_SHARE]
        log.info("%s %s: %d slices", source, split, len(found))
        slices += found
    if not slices:
        raise FileNotFoundError(
            f"expected one of {', '.join(sources)} with {split} slices in {data / 'tumour-slices'}"
        )
    return slices


def some_of_each(slices: list[Slice], count: int) -> list[Slice]:
    """``count`` slices of each source, evenly spread over its patients; all where 0."""
    chosen: list[Slice] = []
    for source in dict.fromkeys(one.source for one in slices):
        pool = [one for one in slices if one.source == source]
        take = min(count, len(pool)) or len(pool)
        chosen += [pool[i] for i in np.linspace(0, len(pool) - 1, take).astype(int)]
    return chosen
