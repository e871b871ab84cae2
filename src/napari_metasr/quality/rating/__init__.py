"""Studies in which people rate images: prepared blind, answered line by line, scored."""

from napari_metasr.quality.rating.answers import Rating, RatingSheet, rater_name, read_answers
from napari_metasr.quality.rating.key import OPENED_FILE, first_opening, open_key
from napari_metasr.quality.rating.preparation import prepare
from napari_metasr.quality.rating.report import csv_files, markdown
from napari_metasr.quality.rating.score import StudyScore, score_study
from napari_metasr.quality.rating.study import (
    FLAGS,
    GRADES,
    SCRIPTED,
    STUDY_FILE,
    Study,
    read_study,
)
from napari_metasr.quality.rating.table import MethodScore

__all__ = [
    "FLAGS",
    "GRADES",
    "OPENED_FILE",
    "SCRIPTED",
    "STUDY_FILE",
    "MethodScore",
    "Rating",
    "RatingSheet",
    "Study",
    "StudyScore",
    "csv_files",
    "first_opening",
    "markdown",
    "open_key",
    "prepare",
    "rater_name",
    "read_answers",
    "read_study",
    "score_study",
]
