"""The rating dock's panel: grades, flags and progress; it knows no viewer and no file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_metasr.quality.rating import FLAGS, GRADES
from napari_metasr.widgets.panels import dock as docks
from napari_metasr.widgets.panels import parts
from napari_metasr.widgets.panels.dock import Dock
from napari_metasr.widgets.viewer.dock_keys import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtpy.QtGui import QKeyEvent

GRADE_HEIGHT = 36
FLAG_HEIGHT = 30
BIG = "font-size: 14px; text-align: left; padding-left: 12px;"
KEYS = "Keys: 0 1 2 3 4 · S A U N · ← → or Enter"
INTRODUCTION = (
    "Images come one at a time, in an order that says nothing of how they were made. Give each a "
    "grade, and flags where something is the matter. Every answer is saved at once; stop and go on "
    "whenever you like."
)


class RatingDock(Dock):
    """Two pages: which study and who rates; then the controls for one image at a time.

    Attributes
    ----------
    keys
        What the keys do while images are rated: name of the key as napari binds it -> function.
    """

    start_requested = Signal(str, str)
    stop_requested = Signal()
    grade_chosen = Signal(int)
    flags_chosen = Signal(str)
    next_requested = Signal()
    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "metasr_rating_dock",
            size=(280, 600),
            minimum=(250, docks.MINIMUM_HEIGHT),
            parent=parent,
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._build_setup()
        self._build_answer()
        self._build_progress()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._setup_page())
        self._pages.addWidget(self._rating_page())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 4, 6, 4)
        pages = docks.scrolled(self._pages)
        pages.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it would take the keys
        outer.addWidget(pages)
        outer.addWidget(parts.research_use())
        self._connect()
        self.keys: dict[str, Callable[[], None]] = {
            **{str(grade): button.click for grade, button in enumerate(self.grades)},
            **{flag: button.click for flag, button in self.flags.items()},
            "Enter": self.next.click,
            "Right": self.next.click,
            "Left": self.back.click,
        }

    def _build_setup(self) -> None:
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("Folder with study.json")
        self.folder.setToolTip("The study's folder, made by metasr-mos prepare")
        self.choose = QPushButton("Choose…")
        self.choose.setToolTip("Look for the study's folder")
        self.rater = QLineEdit()
        self.rater.setPlaceholderText("Your name")
        self.rater.setToolTip("Answers are kept under this name; the same name goes on with them")
        self.start = QPushButton("Start")
        self.start.setMinimumHeight(GRADE_HEIGHT)
        self.start.setToolTip("Show the first image that has no grade yet")

    def _build_answer(self) -> None:
        self.question = QLabel()
        self.question.setWordWrap(True)
        self.grades: list[QPushButton] = []
        self._grade_group = QButtonGroup(self)
        for grade, word in enumerate(GRADES):
            button = _toggle(f"{grade}    {word.capitalize()}", GRADE_HEIGHT)
            button.setToolTip(f"Grade {grade}, {word} (key: {grade})")
            self._grade_group.addButton(button, grade)
            self.grades.append(button)
        self.flags: dict[str, QPushButton] = {}
        for flag, words in FLAGS.items():
            button = _toggle(f"{flag}    {words.capitalize()}", FLAG_HEIGHT)
            button.setToolTip(f"Raise or lower this flag (key: {flag})")
            self.flags[flag] = button
        self.back = QPushButton("←  Back")
        self.back.setToolTip("The image before (key: ←)")
        self.next = QPushButton("Next  →")
        self.next.setToolTip("The next image, once this one has a grade (keys: Enter, →)")

    def _build_progress(self) -> None:
        self.place = QLabel()
        self.progress = QProgressBar()
        self.progress.setFormat("%v of %m rated")
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setMinimumHeight(2 * self.fontMetrics().lineSpacing() + 2)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Take the image away; what is rated stays, go on whenever you like")

    def _setup_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        introduction = QLabel(INTRODUCTION)
        introduction.setWordWrap(True)
        column.addWidget(introduction)
        form = QGridLayout()
        form.addWidget(QLabel("Study"), 0, 0)
        form.addLayout(parts.row([self.folder, self.choose], first=3), 0, 1)
        form.addWidget(QLabel("Rater"), 1, 0)
        form.addWidget(self.rater, 1, 1)
        column.addLayout(form)
        column.addWidget(self.start)
        column.addStretch(1)
        return page

    def _rating_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addWidget(self.question)
        for button in reversed(self.grades):
            column.addWidget(button)
        column.addWidget(parts.line())
        for button in self.flags.values():
            column.addWidget(button)
        column.addWidget(parts.line())
        column.addLayout(parts.row([self.back, self.next]))
        column.addWidget(self.place)
        column.addWidget(self.progress)
        column.addWidget(self.status)
        column.addStretch(1)
        hint = QLabel(KEYS)
        hint.setWordWrap(True)
        column.addWidget(hint)
        column.addWidget(self.stop)
        for button in page.findChildren(QPushButton):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # a click must not take the keys away
        return page

    def _connect(self) -> None:
        self.choose.clicked.connect(lambda: self._on_choose())
        self.rater.returnPressed.connect(self.start.click)
        self.start.clicked.connect(
            lambda: self.start_requested.emit(self.folder.text(), self.rater.text())
        )
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self._grade_group.idClicked.connect(self.grade_chosen)
        for button in self.flags.values():
            button.clicked.connect(lambda: self.flags_chosen.emit(self.raised_flags))
        self.next.clicked.connect(lambda: self.next_requested.emit())
        self.back.clicked.connect(lambda: self.back_requested.emit())

    @property
    def is_rating(self) -> bool:
        """Whether images are being rated."""
        return self._pages.currentIndex() == 1

    @property
    def raised_flags(self) -> str:
        """The letters of the flags that are raised."""
        return "".join(flag for flag, button in self.flags.items() if button.isChecked())

    def show_setup(self) -> None:
        """Ask for study and rater."""
        self._pages.setCurrentIndex(0)

    def show_rating(self, question: str) -> None:
        """Ask for grades."""
        self.question.setText(f"<b>{escape(question)}</b>")
        self._pages.setCurrentIndex(1)
        self.setFocus()

    def show_image(self, number: int, total: int, rater: str) -> None:
        """Say which image is shown, counted from 1, and who rates it."""
        self.place.setText(f"Image {number} of {total} · rater: {rater}")
        self.back.setEnabled(number > 1)

    def show_answer(self, grade: int | None, flags: str) -> None:
        """Show what was answered; asks nothing."""
        self._grade_group.setExclusive(False)
        for place, button in enumerate(self.grades):
            button.setChecked(place == grade)
        self._grade_group.setExclusive(True)
        for flag, button in self.flags.items():
            button.setChecked(flag in flags)

    def show_progress(self, rated: int, total: int) -> None:
        """Show how far it has come."""
        self.progress.setRange(0, total)
        self.progress.setValue(rated)

    def show_status(self, text: str) -> None:
        """Say what happened last."""
        self.status.setText(text)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Take the keys that the viewer has too, for a dock that floats in a window."""
        action = self.keys.get(_key_name(event)) if event is not None else None
        if action is not None and self.is_rating:
            action()
        else:
            super().keyPressEvent(event)

    def _on_choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Choose a study", self.folder.text())
        if folder:
            self.folder.setText(folder)


def _toggle(text: str, height: int) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setMinimumHeight(height)
    button.setStyleSheet(BIG)
    return button


def _key_name(event: QKeyEvent) -> str:
    """Return a key as napari names it; none with Ctrl, Alt or Meta: those are other commands."""
    if event.modifiers() & COMMANDS:
        return ""
    special = {
        Qt.Key.Key_Return: "Enter",
        Qt.Key.Key_Enter: "Enter",
        Qt.Key.Key_Right: "Right",
        Qt.Key.Key_Left: "Left",
    }
    return special.get(event.key(), event.text().upper())  # type: ignore[call-overload]
