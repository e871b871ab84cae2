"""What napari docks for rating: the panel, the viewer and the rater's file put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error, show_info, show_warning
from qtpy.QtCore import QTimer

from napari_metasr.errors import in_words
from napari_metasr.quality.rating import GRADES, Rating, RatingSheet, read_study
from napari_metasr.widgets.rating.canvas import RatingCanvas
from napari_metasr.widgets.rating.dock import RatingDock
from napari_metasr.widgets.viewer.open_docks import open_docks

if TYPE_CHECKING:
    from napari.components import ViewerModel

FAILURES = (ValueError, OSError)
GRADE_FIRST = "Give a grade first: keys 0 to 4."
DISTURBED = (
    "Rating was stopped, as the layers changed. Every answer is saved: press Start to go on."
)


class RatingWidget(RatingDock):
    """*Plugins > Meta-SR > Rate images (MOS)*.

    Parameters
    ----------
    napari_viewer
        The viewer to show the images in; it must have no layers when rating starts.

    Attributes
    ----------
    sheet
        The rater's answers while images are rated, else None.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        open_docks(napari_viewer).add(self)
        self._viewer = napari_viewer
        self.sheet: RatingSheet | None = None
        self._canvas: RatingCanvas | None = None
        self._at = 0
        self.start_requested.connect(self.begin)
        self.stop_requested.connect(self.end)
        self.grade_chosen.connect(lambda grade: self._answer(grade, self.raised_flags))
        self.flags_chosen.connect(self._on_flags)
        self.next_requested.connect(self._on_next)
        self.back_requested.connect(lambda: self._go(self._at - 1))
        self.closed.connect(self.end)

    def begin(self, folder: str, rater: str) -> bool:
        """Show a rater the first image without a grade; what is wrong becomes a notification.

        Returns
        -------
        bool
            Whether rating has begun.
        """
        self.end()
        self.folder.setText(folder)
        self.rater.setText(rater)
        try:
            if not folder.strip():
                raise ValueError("choose the folder of a study first")
            study = read_study(Path(folder.strip()).expanduser())
            self._canvas = RatingCanvas(
                self._viewer, study.card.interpolation, self.keys, self._on_disturbed
            )
            self.sheet = RatingSheet(study, rater)
        except FAILURES as error:
            self.end()
            show_error(in_words(error))
            return False
        first = self.sheet.first_unrated
        self.show_rating(study.card.question)
        if not self._go(0 if first is None else first):
            self.end()
        elif self.sheet.repaired:
            show_warning(self.sheet.repaired)
        return self.is_rating

    def end(self) -> None:
        """Give the viewer and the rater's file back; safe at any time."""
        canvas, self._canvas = self._canvas, None
        sheet, self.sheet = self.sheet, None
        if canvas is not None:
            canvas.close()
        if sheet is not None:
            sheet.close()
        if canvas is not None:  # else nothing but the setup has been shown
            self.show_setup()

    @property
    def _given(self) -> Rating | None:
        """The answer to the image that is shown, if there is one."""
        if self.sheet is None:
            return None
        return self.sheet.answers.get(self.sheet.study.names[self._at])

    def _go(self, at: int) -> bool:
        """Show the image at a place, with what was answered; whether it could be shown."""
        if self.sheet is None or self._canvas is None:
            return False
        study = self.sheet.study
        if not 0 <= at < len(study.names):
            return False
        try:
            image = study.image(study.names[at])
        except FAILURES as error:
            show_error(in_words(error))
            return False
        self._at = at
        self._canvas.show(image, f"Image {at + 1}")
        self.show_image(at + 1, len(study.names), self.sheet.rater)
        self._show_answer()
        return True

    def _show_answer(self) -> None:
        if self.sheet is None:
            return
        given, total = self._given, len(self.sheet.study.names)
        self.show_answer(given.grade if given else None, given.flags if given else "")
        self.show_progress(len(self.sheet.answers), total)
        if len(self.sheet.answers) == total:
            self.show_status(f"All {total} images are rated. Thank you.")
        elif given is not None:
            flags = f", {' '.join(given.flags)}" if given.flags else ""
            self.show_status(f"Saved: {given.grade} {GRADES[given.grade]}{flags}")
        else:
            self.show_status("")

    def _answer(self, grade: int, flags: str) -> None:
        """Write an answer, unless it is the one there is."""
        given = self._given
        if self.sheet is None or (given and (given.grade, given.flags) == (grade, flags)):
            return
        try:
            self.sheet.write(self.sheet.study.names[self._at], grade, flags)
        except FAILURES as error:
            show_error(f"The answer was not saved. {in_words(error)}")
        self._show_answer()

    def _on_flags(self, flags: str) -> None:
        """Write flags with the grade; those raised before it wait."""
        if self._given is not None:
            self._answer(self._given.grade, flags)

    def _on_next(self) -> None:
        if self.sheet is None:
            return
        if self._given is None:
            self.show_status(GRADE_FIRST)
        elif self._at + 1 < len(self.sheet.study.names):
            self._go(self._at + 1)
        elif self.sheet.first_unrated is not None:
            self._go(self.sheet.first_unrated)
        else:
            show_info(self.status.text())

    def _on_disturbed(self) -> None:
        """Stop once the viewer is done with a change of its layers."""
        QTimer.singleShot(0, self._stop_disturbed)

    def _stop_disturbed(self) -> None:
        if self.is_rating:
            self.end()
            show_warning(DISTURBED)
