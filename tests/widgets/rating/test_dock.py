"""The rating dock: on a viewer model, in napari's window by keyboard, and its verb."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from fakes.disks import little_room
from fakes.widgets import resize_canvas, settle
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QScrollArea

from napari_metasr.cli import main
from napari_metasr.quality.rating import RatingSheet, prepare, read_study
from napari_metasr.widgets.panels.dock import MINIMUM_HEIGHT
from napari_metasr.widgets.rating.canvas import CONTRAST_LIMITS
from napari_metasr.widgets.rating.widget import RatingWidget
from napari_metasr.widgets.viewer.napari_versions import camera_of, canvas_widget, grid_of


@pytest.fixture
def study(rng, tmp_path):
    """Four images of two sizes."""
    images = {
        name: {label: rng.uniform(0, 9, shape) for label in ("truth", "bicubic")}
        for name, shape in {"a": (12, 16), "b": (20, 8)}.items()
    }
    return prepare(images, tmp_path / "study", seed=4)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def dock(qtbot, viewer):
    dock = RatingWidget(viewer)
    qtbot.addWidget(dock)
    yield dock
    dock.end()


def test_both_pages_say_what_results_are_for(dock, study):
    dock.show()
    purpose = dock.findChild(QLabel, "metasr_research_use")
    assert purpose.isVisible()
    dock.start_requested.emit(str(study.folder), "ann")
    assert dock.is_rating
    assert purpose.isVisible()


def test_it_is_no_higher_than_the_other_docks(dock, study):
    """Two docks under each other made the window higher than the screen."""
    dock.start_requested.emit(str(study.folder), "ann")
    dock.show()
    least = max(dock.minimumSizeHint().height(), dock.minimumHeight())
    assert least <= MINIMUM_HEIGHT
    dock.resize(260, MINIMUM_HEIGHT)
    assert dock.findChild(QLabel, "metasr_research_use").geometry().bottom() < MINIMUM_HEIGHT
    area = dock.findChild(QScrollArea)
    assert area.verticalScrollBar().maximum() > 0
    QTest.mouseClick(area.viewport(), Qt.MouseButton.LeftButton)
    assert not area.hasFocus()


def test_other_docks_leave_the_image_that_is_rated_alone(qtbot, dock, viewer, study, make_dock):
    """They took it for one to super-resolve, and the layers that they added ended the rating."""
    zoom = make_dock(viewer)
    settle(qtbot, zoom)
    dock.start_requested.emit(str(study.folder), "ann")
    settle(qtbot, zoom)
    assert dock.is_rating
    assert len(viewer.layers) == 1
    assert zoom.source.count() == 0


def shown(viewer):
    (layer,) = viewer.layers
    return layer.data


def place(dock):
    image, rater = dock.place.text().split(" · ")
    assert rater.startswith("rater: ")
    return image


def answers(study, rater="ann"):
    with RatingSheet(read_study(study.folder), rater) as sheet:
        return {name: (one.grade, one.flags) for name, one in sheet.answers.items()}


def press(dock, *keys):
    for key in keys:
        dock.keys[key]()


def test_one_nameless_image_at_a_time(dock, viewer, study):
    assert dock.begin(str(study.folder), "Ann")
    for at, name in enumerate(study.names):
        np.testing.assert_array_equal(shown(viewer), study.image(name))
        (layer,) = viewer.layers
        assert layer.name == f"Image {at + 1}"
        assert not any(layer.metadata.values())
        assert layer.source.path is None
        assert layer.interpolation2d == "cubic"
        assert place(dock) == f"Image {at + 1} of 4"
        press(dock, "3", "Enter")


def test_answers_are_written_at_once(dock, study):
    dock.begin(str(study.folder), "Ann")
    file = study.ratings / "ann.jsonl"
    dock.grades[2].click()
    assert len(file.read_text().splitlines()) == 1
    dock.flags["N"].click()
    dock.flags["S"].click()
    dock.flags["N"].click()
    assert len(file.read_text().splitlines()) == 4
    dock.grades[2].click()
    assert len(file.read_text().splitlines()) == 4  # nothing new
    assert "2 fair, S" in dock.status.text()
    dock.end()
    assert answers(study) == {"0001.png": (2, "S")}


def test_flags_wait_for_the_grade(dock, study):
    dock.begin(str(study.folder), "Ann")
    press(dock, "A", "U")
    assert (study.ratings / "ann.jsonl").read_text() == ""
    press(dock, "1")
    dock.end()
    assert answers(study) == {"0001.png": (1, "AU")}


def test_an_image_without_a_grade_is_not_passed(dock, viewer, study):
    dock.begin(str(study.folder), "Ann")
    press(dock, "S", "Right", "Enter")
    assert place(dock) == "Image 1 of 4"
    assert "grade first" in dock.status.text()
    assert dock.raised_flags == "S"


def test_going_back_shows_and_changes_the_answer(dock, viewer, study):
    dock.begin(str(study.folder), "Ann")
    assert not dock.back.isEnabled()
    press(dock, "Left", "4", "N", "Right", "0", "Left")
    assert place(dock) == "Image 1 of 4"
    assert (dock.grades[4].isChecked(), dock.raised_flags) == (True, "N")
    np.testing.assert_array_equal(shown(viewer), study.image("0001.png"))
    press(dock, "3", "Right")
    assert (dock.grades[0].isChecked(), dock.raised_flags) == (True, "")
    press(dock, "Right")
    assert not any(button.isChecked() for button in dock.grades)
    dock.end()
    assert answers(study) == {"0001.png": (3, "N"), "0002.png": (0, "")}


def test_it_resumes_at_the_first_image_without_a_grade(dock, viewer, study):
    with RatingSheet(study, "Ann") as sheet:
        for name in (study.names[0], study.names[2]):
            sheet.write(name, 1)
    dock.begin(str(study.folder), " ANN ")
    assert place(dock) == "Image 2 of 4"
    assert (dock.progress.value(), dock.progress.maximum()) == (2, 4)
    dock.begin(str(study.folder), "Bob")
    assert place(dock) == "Image 1 of 4"
    assert dock.progress.value() == 0


def test_the_end_is_said(dock, viewer, study, notes):
    dock.begin(str(study.folder), "Ann")
    press(dock, *["3", "Right"] * 4)
    assert notes == ["All 4 images are rated. Thank you."]
    assert dock.progress.value() == 4
    dock.end()
    assert dock.begin(str(study.folder), "Ann")
    assert place(dock) == "Image 1 of 4"
    assert dock.grades[3].isChecked()


def test_every_image_fits_the_view(dock, viewer, study):
    dock.begin(str(study.folder), "Ann")
    for size in ((400, 600), (900, 300)):
        resize_canvas(viewer, size)
        for at in range(4):
            rows, columns = shown(viewer).shape
            zoom = min(size[0] / rows, size[1] / columns)
            assert 0.8 * zoom < camera_of(viewer).zoom < zoom
            assert camera_of(viewer).center[-2:] == ((rows - 1) / 2, (columns - 1) / 2)
            press(dock, "3", "Right" if at < 3 else "Left")
        press(dock, "Left", "Left", "Left")


def test_the_contrast_stays_that_of_the_study(dock, viewer, study):
    dock.begin(str(study.folder), "Ann")
    (layer,) = viewer.layers
    layer.contrast_limits = (10, 20)
    layer.gamma = 0.5
    assert tuple(layer.contrast_limits) == CONTRAST_LIMITS
    assert layer.gamma == 1
    press(dock, "3", "Right")
    assert tuple(viewer.layers[0].contrast_limits) == CONTRAST_LIMITS


def test_the_viewer_is_given_back(dock, viewer, study):
    mine = lambda _: None  # noqa: E731
    viewer.bind_key("S", mine)
    camera_of(viewer).orientation2d = ("up", "left")
    viewer.dims.ndisplay = 3
    grid_of(viewer).enabled = True
    dock.begin(str(study.folder), "Ann")
    assert camera_of(viewer).orientation2d == ("down", "right")
    assert (viewer.dims.ndisplay, grid_of(viewer).enabled) == (2, False)
    assert len(viewer.keymap) == 12
    dock.stop.click()
    assert {str(key): function for key, function in viewer.keymap.items()} == {"S": mine}
    assert camera_of(viewer).orientation2d == ("up", "left")
    assert (viewer.dims.ndisplay, grid_of(viewer).enabled) == (3, True)
    assert len(viewer.layers) == 0
    assert not dock.is_rating
    dock.end()


def test_closing_lets_go_of_everything(dock, viewer, study):
    dock.begin(str(study.folder), "Ann")
    dock.close()
    assert (len(viewer.layers), viewer.keymap) == (0, {})
    RatingSheet(study, "Ann").close()


def test_the_viewer_must_be_empty(dock, viewer, study, notes):
    viewer.add_image(np.zeros((4, 4)))
    assert not dock.begin(str(study.folder), "Ann")
    assert "close the 1 open layer first" in notes[0]
    assert (len(viewer.layers), viewer.keymap) == (1, {})


@pytest.mark.parametrize("change", ["added", "removed"])
def test_it_stops_when_somebody_changes_the_layers(qtbot, dock, viewer, study, notes, change):
    dock.begin(str(study.folder), "Ann")
    press(dock, "3")
    if change == "added":
        viewer.add_image(np.zeros((4, 4)), name="other")
    else:
        viewer.layers.clear()
    qtbot.waitUntil(lambda: not dock.is_rating)
    assert "press Start to go on" in notes[0]
    assert [layer.name for layer in viewer.layers] == (["other"] if change == "added" else [])
    assert answers(study) == {"0001.png": (3, "")}


@pytest.mark.parametrize(
    ("folder", "rater", "message"),
    [
        ("", "Ann", "choose the folder"),
        ("{study}/images", "Ann", "found no study.json"),
        ("{study}/nowhere", "Ann", "no such folder"),
        ("{study}", " . ", "expected a rater's name"),
    ],
)
def test_bad_input_is_told(dock, viewer, study, notes, folder, rater, message):
    dock.folder.setText(folder.format(study=study.folder))
    dock.rater.setText(rater)
    dock.start.click()
    assert len(notes) == 1
    assert message in notes[0]
    assert not dock.is_rating
    assert (len(viewer.layers), viewer.keymap) == (0, {})


def test_two_windows_of_one_rater_are_told(qtbot, dock, study, notes):
    other = RatingWidget(ViewerModel())
    qtbot.addWidget(other)
    dock.begin(str(study.folder), "Ann")
    assert not other.begin(str(study.folder), "Ann")
    assert "another window or program has the ratings of ann open" in notes[0]
    dock.end()
    assert other.begin(str(study.folder), "Ann")
    other.end()


def test_a_changed_image_and_a_lost_one_are_told(dock, viewer, study, notes):
    (study.folder / "images" / "0003.png").write_bytes(b"")
    dock.begin(str(study.folder), "Ann")
    (study.folder / "images" / "0002.png").rename(study.folder / "gone.png")
    press(dock, "3", "Right")
    assert place(dock) == "Image 1 of 4"
    assert "0002.png: No such file" in notes[0]
    (study.folder / "gone.png").rename(study.folder / "images" / "0002.png")
    press(dock, "Right", "3", "Right")
    assert place(dock) == "Image 2 of 4"
    assert "0003.png: changed since" in notes[1]
    np.testing.assert_array_equal(shown(viewer), study.image("0002.png"))


def test_an_answer_that_cannot_be_saved_is_told_and_not_shown(dock, study, notes):
    dock.begin(str(study.folder), "Ann")
    press(dock, "3")
    (study.ratings / "ann.jsonl").write_text("")
    press(dock, "1")
    assert "was not saved" in notes[0]
    assert dock.grades[3].isChecked()
    assert not dock.grades[1].isChecked()


def test_an_answer_for_which_the_disk_has_no_room_is_told(dock, study, notes):
    dock.begin(str(study.folder), "Ann")
    press(dock, "3")
    saved = (study.ratings / "ann.jsonl").read_bytes()
    printed = io.StringIO()  # where pytest keeps it are files, which are limited as well
    with redirect_stdout(printed), redirect_stderr(printed), little_room(len(saved) + 20):
        press(dock, "1")
    (note,) = notes
    assert "The answer was not saved." in note
    assert "ann.jsonl: File too large" in note or "ann.jsonl: No space left" in note
    assert dock.grades[3].isChecked()
    assert (study.ratings / "ann.jsonl").read_bytes() == saved
    press(dock, "1")
    dock.end()
    assert answers(study) == {"0001.png": (1, "")}


def test_a_repaired_file_is_told(dock, study, notes):
    study.ratings.mkdir()
    (study.ratings / "ann.jsonl").write_text('{"study": "')
    assert dock.begin(str(study.folder), "Ann")
    assert "half written" in notes[0]


def test_floating_keys_do_the_same(qtbot, dock, study):
    """A dock that floats is a window of its own, whose keys napari does not see."""
    dock.begin(str(study.folder), "Ann")
    for key in (Qt.Key.Key_2, Qt.Key.Key_U, Qt.Key.Key_Return, Qt.Key.Key_4, Qt.Key.Key_Left):
        QTest.keyClick(dock, key)
    QTest.keyClick(dock, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert place(dock) == "Image 1 of 4"
    dock.end()
    QTest.keyClick(dock, Qt.Key.Key_3)
    assert answers(study) == {"0001.png": (2, "U"), "0002.png": (4, "")}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_by_keyboard_in_the_window(make_napari_viewer_proxy, qtbot, study):
    """Keys reach the dock from the canvas and from the dock, once each, until it is closed."""
    viewer = make_napari_viewer_proxy(show=True)
    dock = RatingWidget(viewer)
    container = viewer.window.add_dock_widget(dock, name="Rate images (MOS)")
    dock.begin(str(study.folder), "Ann")
    canvas = canvas_widget(viewer)
    viewer.layers.selection.active = viewer.layers[0]
    for target, keys in (
        (canvas, (Qt.Key.Key_1, Qt.Key.Key_S, Qt.Key.Key_Enter)),
        (dock, (Qt.Key.Key_2, Qt.Key.Key_A, Qt.Key.Key_Right)),
        (canvas, (Qt.Key.Key_4, Qt.Key.Key_Left, Qt.Key.Key_N)),
    ):
        for key in keys:
            QTest.keyClick(target, key)
    assert place(dock) == "Image 2 of 4"
    viewer.layers.selection.active = None
    QTest.keyClick(canvas, Qt.Key.Key_3)
    viewer.window.remove_dock_widget(container)
    qtbot.waitUntil(lambda: dock.sheet is None)
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert len(viewer.layers) == 0
    assert answers(study) == {"0001.png": (1, "S"), "0002.png": (3, "AN"), "0003.png": (4, "")}


def test_the_verb_opens_the_window(study, monkeypatch, capsys):
    begun = []

    class Window:
        def add_plugin_dock_widget(self, plugin, title):
            dock = type("Dock", (), {"begin": lambda _, *arguments: begun.append(arguments)})
            return plugin, dock()

    monkeypatch.setattr("napari.Viewer", lambda title: type("V", (), {"window": Window()})())
    monkeypatch.setattr("napari.run", lambda: begun.append("run"))
    monkeypatch.setattr("napari_metasr.cli.rate.has_display", lambda: True)
    assert main(["rate", str(study.folder), "--rater", "Ann"]) == 0
    assert begun == [(str(study.folder), "Ann"), "run"]


def test_the_verb_says_what_is_wrong(study, monkeypatch, capsys):
    monkeypatch.setattr("napari_metasr.cli.rate.has_display", lambda: False)
    for arguments, message in (
        ([str(study.folder.parent), "--rater", "Ann"], "found no study.json"),
        ([str(study.folder), "--rater", "?"], "expected a rater's name"),
        ([str(study.folder), "--rater", "Ann"], "needs a screen"),
    ):
        assert main(["rate", *arguments]) == 2
        assert message in capsys.readouterr().err
    with RatingSheet(study, "Ann"):
        assert main(["rate", str(study.folder), "--rater", "Ann"]) == 2
        assert "another window or program" in capsys.readouterr().err
