"""Choosing threshold, level and margin of detectors that are known."""

from __future__ import annotations

import numpy as np
import pytest
from fakes.training import slices

from metasr_training.condition import Condition
from metasr_training.datasets.slices import Slice
from metasr_training.evaluation.detection.operating_point import (
    choice_text,
    choose_point,
    lowest_threshold,
)
from metasr_training.evaluation.detection.views import look
from napari_metasr.lesions.detection import grown
from napari_metasr.weights import OperatingPoint

MARGINS = (0.0, 0.05, 0.1, 0.15, 0.2)


class AroundTumour:
    """A detector that sees the tumour's own box, smaller by a share of the longer side.

    Parameters
    ----------
    views
        Whose tumours it knows, by their low-resolution images.
    lacking
        By how much its boxes are too small on every side, at a level; or one number; or one for
        each view.
    scores
        Of the views.
    """

    def __init__(self, views, lacking, scores):
        self.known = {view.low_resolution.tobytes(): view for view in views}
        self.scores = dict(zip(self.known, scores, strict=True))
        each = lacking if isinstance(lacking, list) else [lacking] * len(views)
        self.lacking = dict(zip(self.known, each, strict=True))
        self.point = OperatingPoint(
            threshold=0.5, level=0.5, margin=0.0, planes=("axial", "coronal")
        )

    def detect(self, image, intensity_range=None, *, point=None):
        key = image.tobytes()
        view, score = self.known[key], self.scores[key]
        if score < point.threshold or score < point.level:
            return ()
        top, left, bottom, right = view.tumour or (10, 10, 30, 30)
        rows, columns = view.shape
        box = (top / rows, left / columns, bottom / rows, right / columns)
        lacking = self.lacking[key]
        margin = point.margin - (lacking(point.level) if callable(lacking) else lacking)
        return (grown(box, score, image.shape, (1.0, 1.0), margin),)


def views_of(tumours, free):
    """Slices with a tumour, then without, reduced by 2."""
    parts = slices(tumours + free)
    for k in range(tumours, tumours + free):
        one = parts[k]
        parts[k] = Slice(
            one.image, one.intensity_range, "disc", one.patient, one.name, one.mask & False
        )
    return [look(one, Condition(scale=2)) for one in parts]


def test_the_lowest_threshold_that_is_specific_under_every_condition():
    empty = [[0.1] * 9 + [0.8], [0.1] * 8 + [0.4, 0.9]]
    assert lowest_threshold(empty) == (pytest.approx(0.405), True)
    assert lowest_threshold(empty[:1]) == (pytest.approx(0.105), True)
    assert lowest_threshold([[1.0] * 10]) == (pytest.approx(0.995), False)


def test_the_smallest_margin_that_covers_enough_is_chosen():
    views = views_of(4, 2)
    detector = AroundTumour(views, 0.07, [0.9] * 4 + [0.3] * 2)
    choice = choose_point(detector, {"x2": views}, "x2", levels=[0.2], margins=MARGINS)
    assert choice.point.margin == 0.1
    assert 0.3 < choice.point.threshold <= 0.31
    assert choice.point.planes == ("axial", "coronal")
    assert (choice.acceptable, choice.specific, choice.reached) == (1, True, True)
    text = choice_text("LD", choice, "x2")
    assert choice.point.model_dump_json() in text
    assert "which is what was aimed at" in text


def test_the_level_with_the_smaller_regions_is_chosen_and_none_above_the_threshold():
    views = views_of(4, 2)
    scores = [0.9] * 4 + [0.5] * 2
    # higher levels give smaller boxes: 0.3 is exact without a margin, 0.7 would be with one
    lacking = {0.1: -0.1, 0.3: 0.0, 0.7: 0.01}
    detector = AroundTumour(views, lambda level: lacking[level], scores)
    choice = choose_point(detector, {"x2": views}, "x2", levels=lacking, margins=MARGINS)
    assert (choice.point.level, choice.point.margin) == (0.3, 0)
    exact = [view.score([view.tumour]).area_share for view in views[:4]]
    assert choice.area_share == pytest.approx(np.mean(exact), rel=0.05)


def test_what_cannot_be_reached_is_said_and_the_most_within_a_quarter_is_taken():
    views = views_of(4, 2)
    detector = AroundTumour(views, 0.0, [0.9, 0.9, 0.1, 0.1, 0.3, 0.3])
    choice = choose_point(detector, {"x2": views}, "x2", levels=[0.05], margins=MARGINS)
    assert (choice.acceptable, choice.reached) == (0.5, False)
    assert choice.area_share <= 0.25
    assert choice.point.margin == 0  # more area covers no more
    assert "less than was aimed at" in choice_text("LD", choice, "x2")
    everywhere = AroundTumour(views, -1.0, [0.9] * 4 + [0.1] * 2)
    choice = choose_point(everywhere, {"x2": views}, "x2", levels=[0.05], margins=MARGINS)
    assert (choice.specific, choice.reached) == (True, False)
    assert choice.acceptable == 1
    assert choice.area_share > 0.25


@pytest.mark.parametrize(("tight", "margin"), [(1, 0.0), (2, 0.05)])
def test_a_few_tumours_more_are_not_worth_larger_regions(tight, margin):
    views = views_of(40, 2)
    lacking = [0.05] * tight + [0.0] * (42 - tight)
    scores = [0.9] * 37 + [0.1] * 3 + [0.3] * 2  # three are missed, so that 92.5 % is the most
    detector = AroundTumour(views, lacking, scores)
    choice = choose_point(detector, {"x2": views}, "x2", levels=[0.05], margins=MARGINS)
    assert choice.point.margin == margin
    assert choice.acceptable == (37 - tight * (margin == 0)) / 40


def test_without_slices_that_stay_empty_the_threshold_stays():
    views = views_of(3, 0)
    detector = AroundTumour(views, 0.0, [0.9, 0.6, 0.55])
    choice = choose_point(detector, {"x2": views}, "x2", levels=[0.2], margins=MARGINS)
    assert choice.point.threshold == 0.5
