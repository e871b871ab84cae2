"""Everything that the ratings of a study say, once its key is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_metasr.quality.rating.agreement import RaterAgreement, agreement
from napari_metasr.quality.rating.answers import Rating, read_answers
from napari_metasr.quality.rating.comparison import PairedTest, paired_tests
from napari_metasr.quality.rating.key import first_opening, open_key
from napari_metasr.quality.rating.study import read_study
from napari_metasr.quality.rating.table import MethodScore, Unblinded, method_scores, unblind

if TYPE_CHECKING:
    from pathlib import Path

    from napari_metasr.quality.rating.study import Study


@dataclass(frozen=True)
class StudyScore:
    """What a study found.

    Attributes
    ----------
    study
        Its id.
    images
        How many images there are to rate.
    methods
        Labels in the order of the tables, the truth last.
    ratings
        Every answer that counts, unblinded.
    overall
        The table over all raters.
    raters
        The table of each rater.
    agreement
        How far raters agree.
    tests
        Every pair of methods.
    remarks
        What a reader has to know: raters who have not finished, ratings given after the key was
        opened, half-written lines.
    """

    study: str
    images: int
    methods: tuple[str, ...]
    ratings: tuple[Unblinded, ...]
    overall: tuple[MethodScore, ...]
    raters: dict[str, tuple[MethodScore, ...]]
    agreement: RaterAgreement
    tests: tuple[PairedTest, ...]
    remarks: tuple[str, ...]

    @property
    def scripted(self) -> tuple[str, ...]:
        """Raters that are programs, in order."""
        return tuple(dict.fromkeys(one.rater for one in self.ratings if one.scripted))


def score_study(folder: Path) -> StudyScore:
    """Read the ratings, open the key (which is noted in the study), and work everything out.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        As `read_study`; or the key is missing.
    ValueError
        If there are no ratings; then the key stays sealed. Or if the study, an image, the
        key or a rater's file was changed.
    """
    study = read_study(folder)
    for name in study.names:
        study.image(name)
    answers, remarks = _all_answers(study)
    if not any(answers.values()):
        raise ValueError(f"{folder}: no rating has been made yet; the key stays sealed")
    opened = first_opening(study)
    key = open_key(study)
    ratings = {
        rater: unblind(given.values(), key, opened) for rater, given in answers.items() if given
    }
    for rater, given in ratings.items():
        if any(rating.scripted for rating in given):
            remarks.append(f"{rater} is a script: its ratings are no person's opinion.")
        if len(given) < len(study.names):
            remarks.append(f"{rater} has rated {len(given)} of {len(study.names)} images.")
        late = sum(rating.late for rating in given)
        if late and opened is not None:
            remarks.append(
                f"{late} ratings of {rater} were given after the key was first opened, "
                f"{opened:%Y-%m-%d %H:%M} UTC: they may not be blind."
            )
    together = tuple(rating for given in ratings.values() for rating in given)
    return StudyScore(
        study=study.card.id,
        images=len(study.names),
        methods=key.methods,
        ratings=together,
        overall=tuple(method_scores(together, key.methods)),
        raters={
            rater: tuple(method_scores(given, key.methods)) for rater, given in ratings.items()
        },
        agreement=agreement(together),
        tests=tuple(paired_tests(together, key.methods)),
        remarks=tuple(remarks),
    )


def _all_answers(study: Study) -> tuple[dict[str, dict[str, Rating]], list[str]]:
    """Read every rater's last answers by image, and remarks."""
    answers, remarks = {}, []
    for path in sorted(study.ratings.glob("*.jsonl")):
        given, size = read_answers(study, path)
        answers[path.stem] = {answer.image: answer for answer in given}
        if size < path.stat().st_size:
            remarks.append(f"The last line of {path.name} is only half written and was left out.")
    return answers, remarks
