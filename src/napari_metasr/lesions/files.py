"""Regions to and from files: JSON for programs and people, a mask for everything else."""

from __future__ import annotations

import re
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from napari_metasr.errors import problems
from napari_metasr.files import check_writable, replacing
from napari_metasr.io import read_volume, write_volume
from napari_metasr.io.freesurfer import check_sides_known
from napari_metasr.io.names import check_written_name
from napari_metasr.io.writer import check_source_kept
from napari_metasr.lesions.document import Finder, LesionRecord, RegionsDocument, record
from napari_metasr.lesions.labelled import check_same_grid, lesions_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_metasr.io.protocols import VolumeSpace
    from napari_metasr.lesions.lesion import Lesion
    from napari_metasr.volume import Plane, Volume

NUMBERS = re.compile(r"\[[^][{}\"]+\]")
"""A list of numbers in JSON, which is easier to read on one line."""

MASK_DESCRIPTION = "regions that may hold a tumour; research use, not for diagnosis"


def write_rois(
    path: Path,
    volume: Volume,
    lesions: Sequence[Lesion],
    found_by: Finder,
    *,
    time: int = 0,
    scale_input: float = 1.0,
    concerns: Sequence[str] = (),
    mask: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write regions as JSON, and as a mask beside it if that is wanted: both, or neither.

    Parameters
    ----------
    path
        Ends in ``.json``.
    volume
        Where they were found; its source says whether sizes are mm or pixels.
    lesions
        The best first.
    found_by
        The detector, segmentation or person they are from.
    time
        Time point of a 4-D volume.
    scale_input
        By how much the input was reduced in plane before, at least 1.
    concerns
        Of `suitability.concerns`; those of the volume's source are recorded as well.
    mask
        As `write_mask`.
    overwrite
        Replace existing files.

    Raises
    ------
    InputReplacedError, FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`, also if an output would replace the file of the volume.
    ValueError
        If a name's ending is wrong, or its format unfit.
    """
    check_outputs(path, mask, overwrite=overwrite)
    for output in (path, mask):
        if output is not None:
            check_source_kept(output, volume.source)
            check_sides_known(output, volume.source)
    document = RegionsDocument(
        source=volume.source.name,
        shape=volume.spatial_shape,
        affine=tuple(tuple(map(float, row)) for row in volume.affine),
        unit=volume.source.unit,
        time=time,
        scale_input=scale_input,
        found_by=found_by,
        concerns=tuple(dict.fromkeys((*volume.source.concerns, *concerns))),
        lesions=tuple(record(number, one, volume) for number, one in enumerate(lesions, start=1)),
    )
    with ExitStack() as outputs:
        temporary = outputs.enter_context(replacing(path, overwrite=overwrite))
        text = NUMBERS.sub(
            lambda numbers: " ".join(numbers[0].split()), document.model_dump_json(indent=2)
        )
        temporary.write_text(f"{text}\n", encoding="utf-8")
        if mask is not None:
            write_mask(outputs.enter_context(replacing(mask, overwrite=overwrite)), volume, lesions)


def write_mask(
    path: Path, volume: Volume, lesions: Sequence[Lesion], *, overwrite: bool = False
) -> None:
    """Write lesions as a mask on the grid of the volume's own file.

    Parameters
    ----------
    path
        Ends as for `write_volume`; uint8, 1 in every voxel that a rectangle reaches into.
    volume
        Where they were found: shape, orientation, affine and codes are its file's.
    overwrite
        Replace an existing file.

    Raises
    ------
    FileExistsError, FileNotFoundError, ValueError
        As `io.write_volume`.
    """
    write_volume(
        path,
        mask_of(volume.spatial_shape, lesions),
        volume.affine,
        volume.source,
        description=MASK_DESCRIPTION,
        keeps_meaning=False,
        overwrite=overwrite,
    )


def mask_of(shape: tuple[int, ...], lesions: Sequence[Lesion]) -> NDArray[np.uint8]:
    """Mark every voxel that a rectangle reaches into with 1, in a volume or a picture."""
    mask = np.zeros(shape, np.uint8)
    for lesion in lesions:
        mask |= lesion.mask(shape)
    return mask


def check_outputs(path: Path, mask: Path | None, *, overwrite: bool = False) -> None:
    """Refuse outputs before any work is done for them.

    Raises
    ------
    FileExistsError, FileNotFoundError, IsADirectoryError
        As `check_writable`.
    ValueError
        If a name's ending is wrong.
    """
    if path.suffix.lower() != ".json":
        raise ValueError(f"{path}: expected a name that ends in .json")
    check_writable(path, overwrite=overwrite)
    if mask is not None:
        check_written_name(mask)
        check_writable(mask, overwrite=overwrite)


def read_rois(path: Path, volume: Volume, *, time: int = 0) -> tuple[Lesion, ...]:
    """Read the lesions of a volume from JSON that `write_rois` has written.

    Parameters
    ----------
    path
        The file.
    volume, time
        Where they are to be looked at.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such JSON, its regions lie in another space than the volume or outside it, or
        a lesion's are not one in each of neighbouring slices.

    Warns
    -----
    UserWarning
        If they were found in a volume of another name, or at another time point.
    """
    try:
        document = RegionsDocument.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(
            f"{path}: expected regions as `napari-metasr detect` writes them, found "
            f"{problems(error, 'the file')}"
        ) from None
    check_same_grid(volume, path.name, document.shape, np.array(document.affine))
    lesions = tuple(_lesion(path, one, volume) for one in document.lesions)
    if document.source != volume.source.name:
        warnings.warn(
            f"{path.name}: its regions were found in {document.source}, they are looked at in "
            f"{volume.source.name}",
            stacklevel=2,
        )
    if document.time != time:
        warnings.warn(
            f"{path.name}: its regions were found at time point {document.time}, they are looked "
            f"at at {time}",
            stacklevel=2,
        )
    return lesions


def _lesion(path: Path, found: LesionRecord, volume: Volume) -> Lesion:
    """Check a lesion of a file against the volume; the error names the file."""
    try:
        return found.lesion.inside(volume.spatial_shape)
    except ValueError as error:
        raise ValueError(f"{path}: lesion {found.number}: {error}") from None


def read_labels(path: Path, volume: VolumeSpace) -> NDArray[Any]:
    """Read a volume's segmentation: labels on its grid, 0 for background.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it lies in another space than the volume.
    """
    labels = read_volume(path)
    check_same_grid(volume, path.name, labels.data.shape, labels.affine)
    return labels.data


def read_segmentation(path: Path, volume: VolumeSpace, plane: Plane) -> tuple[Lesion, ...]:
    """Take the lesions of a volume from a segmentation's file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no segmentation, or lies in another space than the volume.
    """
    return lesions_in(read_labels(path, volume), plane)
