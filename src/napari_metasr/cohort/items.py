"""Make a job for each volume of a folder, with an output of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.cohort.bids import Place, derivative_name, is_skull_stripped, plain_name
from napari_metasr.files import making_folders
from napari_metasr.io.names import legible, stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path, PurePosixPath

    from napari_metasr.cohort.inputs import Inputs
    from napari_metasr.upscaling.job import Job


class SameOutputError(ValueError):
    """Two inputs would have the same output."""


@dataclass(frozen=True)
class Item:
    """One volume of a cohort.

    Attributes
    ----------
    name
        Name of the input, relative to its root.
    job
        The work on it.
    place
        Where it lies in its dataset, if it is of one.
    """

    name: str
    job: Job
    place: Place | None = None


def items_of(
    inputs: Inputs, output: Path, resolution: str, job_of: Callable[[Path, Path], Job]
) -> tuple[tuple[Item, ...], dict[str, str]]:
    """Give every input its output, in the same folder below ``output``.

    Parameters
    ----------
    inputs
        The volumes.
    output
        The folder of all outputs.
    resolution
        The label of the grid, for names.
    job_of
        Makes the job for an input and an output.

    Returns
    -------
    items
        One for each input that is accepted.
    refused
        Reasons against the others, by name.

    Raises
    ------
    SameOutputError
        If two inputs would have the same output, also where case does not count.
    """
    items: list[Item] = []
    refused: dict[str, str] = {}
    taken: dict[str, PurePosixPath] = {}
    name_of = derivative_name if inputs.is_bids else plain_name
    for name in inputs.names:
        path = inputs.root / name
        try:
            target = name.parent / name_of(path.name if path.is_dir() else stem(path), resolution)
        except ValueError as error:
            refused[legible(str(name))] = legible(str(error))
            continue
        if legible(str(target)) != str(target):
            refused[legible(str(name))] = "expected a name in UTF-8, found another: rename it"
            continue
        other = taken.setdefault(str(target).casefold(), name)
        if other != name:
            raise SameOutputError(
                f"expected an output for each input, found {other} and {name} with the same "
                f"output {target}"
            )
        folder = name.parent.as_posix()
        place = Place(folder, is_skull_stripped(path)) if inputs.is_bids else None
        items.append(Item(str(name), job_of(path, output / target), place))
    return tuple(items), refused


def output_folders(items: Iterable[Item]) -> AbstractContextManager[None]:
    """Make the folders of all outputs, and remove those that stayed empty in the end."""
    return making_folders({item.job.output.parent for item in items})
