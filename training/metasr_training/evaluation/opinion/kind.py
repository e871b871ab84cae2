"""``opinion``: the blinded rating study of trained networks, and what was said in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from pydantic import Field
from tqdm import tqdm

from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import RegionOptions, cut, make_case
from metasr_training.evaluation.contestants import contestants
from metasr_training.evaluation.opinion.image_opinions import image_opinions, rated_name
from metasr_training.evaluation.opinion.table import (
    GROUND_TRUTH,
    opinion_columns,
    opinion_rows,
    opinion_title,
)
from metasr_training.evaluation.scores import upscaled
from metasr_training.mos import prepare
from metasr_training.tables import markdown_table, write_rows
from napari_metasr.files import making_folders
from napari_metasr.quality.rating import STUDY_FILE, read_answers, read_study, score_study

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from metasr_training.datasets.slices import Slice
    from napari_metasr.quality.rating import MethodScore, StudyScore

STUDIES = "studies"


class OpinionOptions(RegionOptions, frozen=True):
    """What a study takes besides its regions.

    Attributes
    ----------
    truth
        The label of the truth in tables.
    slices
        At most how many slices are rated.
    """

    truth: str = GROUND_TRUTH
    slices: int = Field(100, ge=1)


def study_folder(run: Path, experiment: str) -> Path:
    """Return where a run keeps an experiment's study, apart from results, which are replaced."""
    return run / STUDIES / experiment


def begun(study: Path) -> bool:
    """Return whether any image has been rated; such a study is kept as it is."""
    return any(path.stat().st_size for path in (study / "ratings").glob("*.jsonl"))


def fully_rated(study: Path) -> bool:
    """Return whether a rater has rated every image; until then the key stays sealed."""
    if not (study / STUDY_FILE).is_file():
        return False
    opened = read_study(study)
    answers = [read_answers(opened, path)[0] for path in opened.ratings.glob("*.jsonl")]
    return any({one.image for one in given} >= set(opened.names) for given in answers)


def measured_study(run: Path, experiment: str) -> StudyScore | None:
    """Score a run's study; None before it has been fully rated."""
    study = study_folder(run, experiment)
    return score_study(study) if fully_rated(study) else None


def opinions_of(score: StudyScore | None) -> dict[str, MethodScore]:
    """Return each method's scores over all raters; empty without a study."""
    return {} if score is None else {one.method: one for one in score.overall}


def evaluate_opinion(bench: Bench) -> EvaluationOutput:
    """Prepare the study if there is none that was begun; score it if it has been rated.

    The order of the images is drawn anew, so that a rater cannot know it.
    """
    options = bench.options(OpinionOptions)
    findings = EvaluationOutput()
    name, condition = bench.experiment.id, bench.experiment.conditions[0].name
    study = study_folder(bench.run, name)
    if not begun(study):
        images = study_images(bench, options, findings)
        with making_folders([study.parent]):
            seed = secrets.randbits(32)
            prepare(images, study, seed=seed, truth=options.truth, overwrite=True)
    findings.images = len(read_study(study).names)
    measured = measured_study(bench.run, name)
    opinions = opinions_of(measured)
    labels = [*(method.label for method in bench.experiment.methods), options.truth]
    rows = opinion_rows(name, condition, labels, opinions)
    write_rows(bench.output / "table.csv", rows)
    region, slices = bench.experiment.region, bench.compared(options)
    if measured is not None and (given := image_opinions(measured, slices, condition, region)):
        write_rows(bench.output / "scores.csv", given)
    columns = opinion_columns(name, condition)
    findings.tables.append((opinion_title(rows), markdown_table(columns, rows)))
    where = f"{STUDIES}/{name}"
    findings.notes.append(
        f"The study is in {where} of the run."
        if opinions
        else f"The study is in {where} of the run, and it is not completely rated: the figures "
        f"are the paper's. `napari-metasr rate {where}` rates it."
    )
    return findings


def study_images(
    bench: Bench, options: OpinionOptions, findings: EvaluationOutput
) -> dict[str, dict[str, NDArray[Any]]]:
    """Cut out every method's window of interest, and the truth's: slice to label to image."""
    condition = bench.experiment.conditions[0]
    rated = {method.label for method in bench.experiment.methods}
    found = contestants(bench.experiment, condition, bench.load)
    methods = [one for one in found if one.label in rated]
    findings.took_part(one.network for one in methods)
    detect = bench.detect(options)
    images: dict[str, dict[str, NDArray[Any]]] = {}
    slices = bench.compared(options)
    wanted = min(options.slices, len(slices))
    for one in tqdm(_spread(slices, wanted), unit="slice"):
        case = make_case(one, condition, bench.experiment.region, options, detect)
        if case is None:
            continue
        window = case.regions[case.main]
        versions = {label: cut(output, window) for label, output in upscaled(case, methods)}
        images[rated_name(one)] = {**versions, options.truth: cut(case.truth, window)}
        if len(images) == wanted:
            break
    if len(images) < options.slices:
        findings.notes.append(
            f"The study has {len(images)} slices where {options.slices} were asked for: "
            f"no more of the {len(slices)} that are compared have a region of interest."
        )
    return images


def _spread(slices: list[Slice], count: int) -> list[Slice]:
    """Put this many slices first, evenly spread, and behind them those that may stand in."""
    places = [place * len(slices) // count for place in range(count)]
    return [slices[place] for place in dict.fromkeys([*places, *range(len(slices))])]
