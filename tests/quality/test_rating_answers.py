"""Answers of a rating study: on the disk at once, whole, and those of one rater and program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from napari_metasr.quality.rating import (
    RatingSheet,
    answers,
    prepare,
    rater_name,
    read_answers,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dr. Ann  Lee", "dr-ann-lee"),
        ("../../etc/passwd", "etc-passwd"),
        ("Jürgen_2", "jürgen-2"),
        ("ANN", "ann"),
        ("李 医生", "李-医生"),
    ],
)
def test_names_of_raters_become_names_of_files(text, name):
    assert rater_name(text) == name
    assert rater_name(name) == name


@pytest.mark.parametrize("text", ["", "  ", "..", "/", "x" * 41])
def test_unfit_names_are_refused(text):
    with pytest.raises(ValueError, match="expected a rater's name"):
        rater_name(text)


def test_a_script_and_a_person_do_not_share_a_sheet(study):
    with RatingSheet(study, "Robot", scripted=True) as sheet:
        sheet.write("0001.png", 3)
    assert json.loads(sheet.path.read_text())["scripted"] is True
    with pytest.raises(ValueError, match=r"robot\.jsonl: ratings of a script: rate under another"):
        RatingSheet(study, "Robot")
    with RatingSheet(study, "Ann") as sheet:
        sheet.write("0001.png", 3)
    assert json.loads(sheet.path.read_text())["scripted"] is False
    with pytest.raises(ValueError, match=r"ann\.jsonl: ratings of a person"):
        RatingSheet(study, "Ann", scripted=True)


def test_answers_are_on_the_disk_at_once_and_the_last_one_counts(study):
    with RatingSheet(study, "Ann") as sheet:
        assert sheet.first_unrated == 0
        sheet.write("0001.png", 3, "NS")
        text = sheet.path.read_text()
        assert text.endswith("\n")
        assert json.loads(text)["grade"] == 3
        assert json.loads(text)["flags"] == "SN"
        sheet.write("0003.png", 0)
        sheet.write("0001.png", 1, "")
        assert sheet.first_unrated == 1
        assert len(sheet.path.read_text().splitlines()) == 3
    with RatingSheet(study, "ann") as sheet:
        assert {name: one.grade for name, one in sheet.answers.items()} == {
            "0001.png": 1,
            "0003.png": 0,
        }
        assert sheet.repaired == ""
        for name in study.names:
            sheet.write(name, 4)
        assert sheet.first_unrated is None


def test_what_is_no_answer_is_not_written(study):
    with RatingSheet(study, "Ann") as sheet:
        for bad in (("0001.png", 5, ""), ("0001.png", -1, ""), ("0001.png", 1, "X"), ("x", 1, "")):
            with pytest.raises(ValueError, match=r"grade|flags|no image"):
                sheet.write(*bad)
        assert sheet.path.read_bytes() == b""
        assert sheet.answers == {}


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_half_written_last_line_is_taken_out(study, cut):
    with RatingSheet(study, "Ann") as sheet:
        sheet.write("0001.png", 3)
        kept = sheet.path.read_bytes()
        sheet.write("0002.png", 2)
    whole = sheet.path.read_bytes()
    sheet.path.write_bytes(whole[: len(kept) + cut])
    assert read_answers(study, sheet.path)[1] == len(kept)
    with RatingSheet(study, "Ann") as sheet:
        assert "half written" in sheet.repaired
        assert sheet.path.read_bytes() == kept
        assert sheet.first_unrated == 1
        sheet.write("0002.png", 2)
        assert sorted(sheet.answers) == ["0001.png", "0002.png"]


def test_a_last_line_without_its_end_is_completed(study):
    with RatingSheet(study, "Ann") as sheet:
        sheet.write("0001.png", 3)
    sheet.path.write_bytes(sheet.path.read_bytes()[:-1])
    with RatingSheet(study, "Ann") as sheet:
        assert "lacked its end" in sheet.repaired
        assert sheet.answers["0001.png"].grade == 3
        sheet.write("0002.png", 1)
    with RatingSheet(study, "Ann") as sheet:
        assert (sheet.repaired, len(sheet.answers)) == ("", 2)


def test_a_spoilt_line_in_the_middle_stops_with_its_number(study):
    with RatingSheet(study, "Ann") as sheet:
        sheet.write("0001.png", 3)
    before = b"what?\n" + sheet.path.read_bytes()
    sheet.path.write_bytes(before)
    with pytest.raises(ValueError, match="line 1: expected a rating"):
        RatingSheet(study, "Ann")
    assert sheet.path.read_bytes() == before


def test_ratings_of_another_study_or_rater_are_refused(images, study, tmp_path):
    other = prepare(images, tmp_path / "other", seed=3)
    with RatingSheet(other, "Ann") as sheet:
        sheet.write("0001.png", 3)
    study.ratings.mkdir()
    (study.ratings / "ann.jsonl").write_bytes(sheet.path.read_bytes())
    with pytest.raises(ValueError, match=f"another study .*found {other.card.id}"):
        RatingSheet(study, "Ann")
    (other.ratings / "bob.jsonl").write_bytes(sheet.path.read_bytes())
    with pytest.raises(ValueError, match="by another rater, ann"):
        RatingSheet(other, "Bob")


def test_one_program_at_a_time(study):
    """In this process and in another; a program that was killed holds nothing."""
    code = (
        "import sys; from pathlib import Path;"
        "from napari_metasr.quality.rating import RatingSheet, read_study;"
        "sheet = RatingSheet(read_study(Path(sys.argv[1])), 'Ann');"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(study.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(BlockingIOError, match="has the ratings of ann open"):
            RatingSheet(study, "Ann")
        RatingSheet(study, "Bob").close()
        other.kill()
        other.wait()
    with (
        RatingSheet(study, "Ann"),
        pytest.raises(BlockingIOError, match="another window or program"),
    ):
        RatingSheet(study, "ann")
    RatingSheet(study, "Ann").close()


@pytest.mark.parametrize("change", ["append", "delete"])
def test_a_file_changed_underneath_is_not_written_to(study, change):
    with RatingSheet(study, "Ann") as sheet:
        sheet.write("0001.png", 3)
        if change == "append":
            sheet.path.write_bytes(2 * sheet.path.read_bytes())
        else:
            sheet.path.unlink()
        found = sheet.path.read_bytes() if sheet.path.exists() else None
        with pytest.raises(OSError, match="changed by something else"):
            sheet.write("0002.png", 1)
        assert (sheet.path.read_bytes() if sheet.path.exists() else None) == found
        assert list(sheet.answers) == ["0001.png"]


def test_what_cannot_be_written_leaves_the_file_whole(study, monkeypatch):
    def full(_):
        raise OSError(28, os.strerror(28))

    with RatingSheet(study, "Ann") as sheet:
        sheet.write("0001.png", 3)
        before = sheet.path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(answers.os, "fsync", full)
            with pytest.raises(OSError, match="No space left"):
                sheet.write("0002.png", 1)
        assert sheet.path.read_bytes() == before
        assert list(sheet.answers) == ["0001.png"]
        sheet.write("0002.png", 1)
        assert sheet.path.read_bytes().startswith(before)


def test_the_time_is_that_of_the_answer(study):
    with RatingSheet(study, "Ann") as sheet:
        first, second = sheet.write("0001.png", 3), sheet.write("0001.png", 2)
    assert timedelta(0) <= second.time - first.time < timedelta(minutes=1)
    assert first.time.utcoffset() == timedelta(0)
