"""Rows as CSV, with every digit, and as Markdown, for people."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_metasr.cells import csv_cell, markdown_cell
from napari_metasr.files import making_folders, replacing, replacing_all

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def csv_text(rows: Sequence[DataclassInstance]) -> str:
    """Write a line a dataclass instance, headed by its fields' names; empty where a value is None.

    Raises
    ------
    ValueError
        If there are no rows.
    """
    if not rows:
        raise ValueError("expected at least one row for a table, found none")
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(rows[0])], lineterminator="\n")
    table.writeheader()
    table.writerows({name: csv_cell(value) for name, value in asdict(row).items()} for row in rows)
    return text.getvalue()


def write_rows(path: Path, rows: Sequence[DataclassInstance]) -> None:
    """Write rows as CSV."""
    write_text(path, csv_text(rows))


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, over an older one."""
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def writing_together(paths: Sequence[Path]) -> Iterator[tuple[Path, ...]]:
    """Give temporary paths of files, which appear together at the end, or none does.

    What cannot be written is refused at once, so that no work is done for it. Older files are
    replaced; folders are made if need be, and go again where nothing was written.

    Raises
    ------
    OSError
        As `napari_metasr.files.replacing_all`, or a folder cannot be made.
    """
    folders = dict.fromkeys(path.parent for path in paths)
    with making_folders(folders), replacing_all(paths, overwrite=True) as temporary:
        yield temporary


def markdown_table(columns: Mapping[str, Callable[[Any], str]], rows: Iterable[Any]) -> str:
    """Write a Markdown table, leaving out columns in which every cell is empty.

    Parameters
    ----------
    columns
        Heading to the text of a row's cell.
    rows
        Anything that the columns understand.
    """
    rows = list(rows)
    cells = {head: [markdown_cell(cell(row)) for row in rows] for head, cell in columns.items()}
    kept = [head for head, texts in cells.items() if any(texts)]
    lines = [f"| {' | '.join(kept)} |", f"|{'---|' * len(kept)}"]
    lines += [
        f"| {' | '.join(cells[head][index] for head in kept)} |" for index in range(len(rows))
    ]
    return "\n".join(lines)


def mean_text(mean: float, std: float | None, digits: int) -> str:
    """Format mean and standard deviation as ``31.20 ± 1.94``."""
    spread = "" if std is None else f" ± {std:.{digits}f}"
    return f"{mean:.{digits}f}{spread}"


def measure_text(value: float) -> str:
    """Format a measure as ``0.912``; empty if it was not measured."""
    return "" if math.isnan(value) else f"{value:.3f}"


def count_text(count: float | None) -> str:
    """Format a count as ``561,926``; empty if it is unknown."""
    return "" if count is None else f"{count:,.0f}"
