"""Questions to the user, in windows of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_metasr.io.names import WRITTEN_SUFFIXES
from napari_metasr.widgets.panels.print_size import ask_print_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qtpy.QtWidgets import QWidget

    from napari_metasr.figures.size import PrintSize


_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')

KNOWN_ENDINGS = (*WRITTEN_SUFFIXES, ".png", ".pdf", ".html", ".gif", ".mp4", ".json", ".dcm")


class Dialogs:
    """Asks the user; tests hand a coordinator another one that answers.

    Attributes
    ----------
    folder
        Where this session's last file was written to; None at first.
    """

    folder: ClassVar[Path | None] = None

    def path(
        self, parent: QWidget, title: str, suggestion: str, kinds: Mapping[str, Sequence[str]]
    ) -> tuple[Path, str] | None:
        """Ask where to write; the caller asks before it replaces a file.

        Parameters
        ----------
        title
            Title of the window.
        suggestion
            Path that is offered at first. A name alone is offered in the folder of the last file,
            at first in the home folder.
        kinds
            Kinds of file, each with the endings of its names, the usual one first.

        Returns
        -------
        (path, kind) or None
            The path ends as files of its kind do; None if the user cancels.
        """
        filters = {
            f"{kind} ({' '.join(f'*{ending}' for ending in endings)})": kind
            for kind, endings in kinds.items()
        }
        name, chosen = QFileDialog.getSaveFileName(
            parent,
            title,
            str((Dialogs.folder or Path.home()) / suggestion),
            ";;".join(filters),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if not name:
            return None
        kind = filters.get(chosen, next(iter(kinds)))
        Dialogs.folder = Path(name).parent
        return with_ending(Path(name), kinds[kind]), kind

    def print_size(
        self, parent: QWidget, size: PrintSize, *, has_dpi: bool, has_width: bool
    ) -> PrintSize | None:
        """Ask how large a figure is to be; None if the user cancels."""
        return ask_print_size(parent, size, has_dpi=has_dpi, has_width=has_width)

    def may_replace(self, parent: QWidget, existing: Sequence[Path]) -> bool:
        """Ask whether files may be replaced."""
        names = "\n".join(str(path) for path in existing)
        return self.confirm(
            parent, "Replace?", f"These files exist and would be replaced:\n{names}"
        )

    def confirm(self, parent: QWidget, title: str, text: str) -> bool:
        """Ask a question that is answered by yes or no."""
        answer = QMessageBox.question(parent, title, text)
        return bool(answer == QMessageBox.StandardButton.Yes)


def with_ending(path: Path, endings: Sequence[str]) -> Path:
    """Return a path whose name ends in one of these; another kind's ending is replaced.

    Examples
    --------
    >>> with_ending(Path("brain.nii.gz"), [".png"])
    PosixPath('brain.png')
    """
    name = path.name
    if name.lower().endswith(tuple(endings)):
        return path
    for known in KNOWN_ENDINGS:
        if name.lower().endswith(known):
            name = name[: -len(known)]
            break
    return path.with_name(name + endings[0])


def safe_name(text: str, otherwise: str) -> str:
    """Return a text as a file may be called on any system, or another one if nothing is left."""
    return _NOT_IN_NAMES.sub("_", text).strip(". ") or otherwise
