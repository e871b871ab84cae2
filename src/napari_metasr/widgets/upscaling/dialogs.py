"""What the user is asked before a volume is made finer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_metasr.widgets.lesions.export import confirm
from napari_metasr.widgets.upscaling.form import written

if TYPE_CHECKING:
    from collections.abc import Sequence


class Asking:
    """Asks in windows of its own; tests answer in its place."""

    def path(self, parent: Any, suggestion: str) -> Path | None:
        """Where to write; None if they change their mind."""
        name, _ = QFileDialog.getSaveFileName(
            parent,
            "Write the finer volume",
            suggestion,
            "NIfTI (*.nii.gz *.nii)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        return written(Path(name)) if name else None

    def replacing(self, parent: Any, existing: Sequence[Path]) -> bool:
        """Whether files may be replaced."""
        return confirm(parent, existing)

    def whether(self, parent: Any, text: str) -> bool:
        """Whether something is really wanted."""
        answer = QMessageBox.question(parent, "Really?", text)
        return bool(answer == QMessageBox.StandardButton.Yes)
