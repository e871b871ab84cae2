"""Segmentations that come along: a volume's labels on the grid to which it is upscaled."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_metasr.files import allocate, check_writable, file_sha256
from napari_metasr.io.mapped import MappedArray
from napari_metasr.io.names import labels_name
from napari_metasr.io.stored import StoredVolume
from napari_metasr.io.unfinished import UnfinishedVolume
from napari_metasr.lesions.labelled import check_same_grid
from napari_metasr.purpose import header_text
from napari_metasr.upscaling.label_tiles import rendered, tiles_of
from napari_metasr.upscaling.sidecar import LabelsRecord, LabelVolume

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.protocols import VolumeReader
    from napari_metasr.upscaling.target import Target

MOST_LABELS = 2000
"""A file with more values than this is an image."""

LARGEST_EXACT = 1 << 24
"""Whole numbers up to this size are exact in single precision."""

UNPACKING = 0.1
COMPRESSING = 0.1
"""Shares of the work, roughly."""


@dataclass(frozen=True)
class Labelled:
    """A finished file of labels.

    Attributes
    ----------
    path, record
        The file, and what is recorded of it.
    inputs
        Files that it is made from.
    """

    path: Path
    record: LabelsRecord
    inputs: tuple[Path, ...]


@dataclass(frozen=True)
class Segmentation:
    """A segmentation on a volume's grid that is to be written on the volume's new grid.

    Attributes
    ----------
    stored
        Reads it.
    sha256
        Hash of its content.
    output
        The file to make.
    dtype
        Number type of the labels.
    counts
        Number of voxels of each label except 0.
    named
        Whether records may mention its name.
    """

    stored: StoredVolume
    sha256: str
    output: Path
    dtype: np.dtype[Any]
    counts: dict[int, int]
    named: bool = True

    @classmethod
    def open(
        cls, path: Path, volume: VolumeReader, output: Path, *, named: bool = True
    ) -> Segmentation:
        """Open a segmentation, read it once through and check it.

        Parameters
        ----------
        path
            A file of whole numbers, in any format that volumes are read from.
        volume
            The volume that it is of.
        output
            What the volume becomes; the labels are written beside it.
        named
            Let records mention its name.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it lies on another grid, has several time points, or holds no labels.
        """
        stored = StoredVolume.open(path)
        if stored.time_points > 1:
            raise ValueError(
                f"{path}: expected a segmentation of three dimensions, found "
                f"{stored.time_points} time points"
            )
        check_same_grid(volume, path.name, stored.spatial_shape, stored.affine)
        counts: Counter[int] = Counter()
        for _, block in stored.blocks():
            counts.update(_counted(_whole(path, block)))
            if len(counts) > MOST_LABELS:
                raise ValueError(
                    f"{path}: expected at most {MOST_LABELS} labels, found more: is this an image?"
                )
        return cls(
            stored,
            stored.sha256(),
            output.with_name(labels_name(output, path)),
            stored.dtype if stored.dtype.kind in "iu" else np.dtype(np.int32),
            {label: counts[label] for label in sorted(counts) if label},
            named,
        )

    def is_made(self, records: Sequence[LabelsRecord]) -> bool:
        """Return whether its output exists, intact, as one of the records has it."""
        return any(
            (record.source_sha256, record.output_name) == (self.sha256, self.output.name)
            and self.output.is_file()
            and file_sha256(self.output) == record.output_sha256
            for record in records
        )

    def steps(
        self, volume: VolumeReader, target: Target, folder: Path
    ) -> Iterator[float | Labelled]:
        """Make the labels in a folder of scratch files.

        Yields
        ------
        float or Labelled
            Share that is done; the finished file at the end.

        Raises
        ------
        OSError
            If the disk lacks the space.
        ValueError
            If the file is damaged or has changed.
        """
        unpacked = MappedArray(folder / "labels.raw", self.stored.shape, self.dtype)
        allocate(unpacked.path, unpacked.nbytes)
        for place, block in self.stored.blocks():
            unpacked.write(place, _whole(self.stored.path, block).astype(self.dtype))
            yield UNPACKING * place[1].stop / unpacked.shape[1]
        finished = folder / "labels.out"
        voxels = UnfinishedVolume.at(
            finished,
            (1, *target.shape),
            target.affine(volume.affine),
            volume.source,
            self.dtype,
            header_text("labels on the grid of a super-resolved volume"),
            labels=True,
            output=self.output,
        )
        voxels.create()
        counts: Counter[int] = Counter()
        tiles = list(tiles_of(target, unpacked.shape[1:]))
        for number, tile in enumerate(tiles, start=1):
            labels = rendered(unpacked, target, tile)
            voxels.write((slice(0, 1), *(slice(*side) for side in tile)), labels[np.newaxis])
            counts.update(_counted(labels))
            yield UNPACKING + (1 - UNPACKING - COMPRESSING) * number / len(tiles)
        if voxels.is_packed:
            finished = folder / "labels.packed"
            from torch import get_num_threads

            for done in voxels.packed(finished, get_num_threads()):
                yield 1 - COMPRESSING * (1 - done)
        if self.stored.sha256() != self.sha256:
            raise ValueError(
                f"{self.stored.path}: the segmentation changed while it was being read"
            )
        record = self._record(target, counts, file_sha256(finished))
        yield Labelled(finished, record, self.stored.files)

    def _record(self, target: Target, counts: Counter[int], sha256: str) -> LabelsRecord:
        before, after = (math.prod(size) / 1000 for size in (target.input_spacing, target.spacing))
        return LabelsRecord(
            source=self.stored.record_names[0] if self.named else None,
            source_sha256=self.sha256,
            output_name=self.output.name,
            output_sha256=sha256,
            volumes=tuple(
                LabelVolume(label=label, before=count * before, after=counts[label] * after)
                for label, count in self.counts.items()
            ),
        )


def check_labels(
    paths: Sequence[Path], output: Path, *, overwrite: bool = False, made: Sequence[str] = ()
) -> None:
    """Refuse the labels beside an output before any work is done for them.

    Parameters
    ----------
    paths
        The segmentations.
    output
        The upscaled volume.
    overwrite
        Allow existing files to be replaced.
    made
        Names of files that may exist, since earlier work has made them.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`.
    ValueError
        If two segmentations would become the same file.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        name = labels_name(output, path)
        if name in seen:
            raise ValueError(
                f"{path}: expected segmentations of different names, found {seen[name]}, whose "
                f"labels would be written to {name} too"
            )
        seen[name] = path
        check_writable(output.with_name(name), overwrite=overwrite or name in made)


def _whole(path: Path, block: NDArray[Any]) -> NDArray[Any]:
    """Return labels as whole numbers.

    Raises
    ------
    ValueError
        If they are none.
    """
    if block.dtype.kind in "iu":
        return block
    if not np.isfinite(block).all() or not np.array_equal(block, np.rint(block)):
        raise ValueError(
            f"{path}: expected labels that are whole numbers, found others: is this an image?"
        )
    if np.abs(block).max() > LARGEST_EXACT:
        raise ValueError(f"{path}: expected labels up to {LARGEST_EXACT}, found larger ones")
    return block.astype(np.int32)


def _counted(labels: NDArray[Any]) -> dict[int, int]:
    values, counts = np.unique(labels, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))
