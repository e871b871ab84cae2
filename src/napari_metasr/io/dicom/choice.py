"""Which of several series is meant."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_metasr.io.dicom.finding import Listing
    from napari_metasr.io.dicom.series import Series

__all__ = ["choose", "none_found"]

NAMED = 12


def choose(found: Listing, wanted: str | None, path: Path) -> tuple[Series, tuple[str, ...]]:
    """Choose the series that is asked for, or the only one that is a volume.

    Without being asked for, a single image is not taken in place of others that make up none, nor
    a volume in place of one that would have been larger.

    Parameters
    ----------
    found
        What there is.
    wanted
        A number of the list, a UID, or a description; of the latter, whatever the case of its
        letters, ``*`` stands for anything and ``?`` for a character, as in names of files.
    path
        Where it was found, for messages.

    Returns
    -------
    series, concerns
        With everything that speaks against it.

    Raises
    ------
    ValueError
        If there is none, or it is not clear which; with all that there are. A UID is not repeated.
    """
    if not found.series:
        raise ValueError(f"{path}: {none_found(found)}")
    concerns = []
    if found.missing:
        raise ValueError(
            f"{path}: expected files, found {found.left_out[0]}: slices would be missing; restore "
            "or remove them"
        )
    if found.damaged:
        concerns.append(f"{found.left_out[0]} left out; slices may be missing")
    if wanted is not None:
        members = _called(wanted, found.series)
        if not members:
            raise ValueError(f"{path}: expected one of {_listed(found.series)}; found no such one")
    else:
        members = list(found.readable or found.series)
        refused = [series for series in found.series if series not in members]
        if len(members) == 1 and refused and not _is_the_largest(members[0], refused):
            told = "; ".join(f"{series.title}: {series.refusal}" for series in refused[:NAMED])
            raise ValueError(
                f"{path}: expected the largest series to be a volume, found that it is none "
                f"({told}); besides there is {_listed(members)}: choose it by its number"
            )
        concerns += [f"left out: {series.title}: {series.refusal}" for series in refused]
    if len(members) > 1:
        raise ValueError(
            f"{path}: expected one series, found {len(members)}: {_listed(members)}; "
            "choose one by its number or description"
        )
    return members[0], (*members[0].concerns, *concerns)


def none_found(found: Listing) -> str:
    """Describe what was found instead of a volume."""
    refused = [f"{series.title}: {series.refusal}" for series in found.series]
    told = "; ".join([*refused[:NAMED], *found.left_out]) or "no files"
    return f"expected DICOM images that make up a volume, found none ({told})"


def _called(wanted: str, series: Iterable[Series]) -> list[Series]:
    """Return the series that a number, a UID or else a description names."""
    members = [
        one for one in series if wanted in {one.number, one.number.partition(".")[0], one.uid}
    ]
    exact = [one for one in members if one.number == wanted]
    pattern = wanted.casefold()
    return (
        exact
        or members
        or [one for one in series if fnmatchcase(one.description.casefold(), pattern)]
    )


def _is_the_largest(series: Series, refused: Iterable[Series]) -> bool:
    return series.slices > 1 and all(other.images <= series.images for other in refused)


def _listed(series: Iterable[Series]) -> str:
    told = [
        f"{one.number} ({one.label}, {one.matrix[0]} x {one.matrix[1]}, {one.images} images)"
        for one in series
    ]
    more = f", and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
