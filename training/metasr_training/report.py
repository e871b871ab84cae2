"""``metasr-report``: the evaluations of runs as one folder of tables and figures."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from pydantic import ValidationError

from metasr_training.catalogue import experiment_ids
from metasr_training.claims.claim import claims
from metasr_training.claims.evidence import Evidence
from metasr_training.claims.table import claims_text, write_claims
from metasr_training.claims.verdict import Verdict, judge
from metasr_training.command_line import call
from metasr_training.evaluation.about import ABOUT, EvaluationAbout, body
from metasr_training.evaluation.driver import EVALUATION
from metasr_training.evaluation.published import PUBLISHED
from metasr_training.tables import markdown_table, write_text
from metasr_training.trained import run_record
from napari_metasr.cli.standard_output import ending_with_its_reader
from napari_metasr.errors import in_words, problems
from napari_metasr.files import keeping, making_folders, replacing_folder

PROGRAM = "metasr-report"
MARKER = "report.json"
COPIED = (".csv", ".png", ".md", ABOUT)
"""How the names of the files end that a report takes from an evaluation."""
INTRODUCTION = """\
Each section is one experiment: the paper's table or figure with our measured values beside the
published ones. PSNR and SSIM are computed for each image, with a data range of 255, and then
averaged; ± is the standard deviation over the images. The presets other than `paper` train for a
fraction of the published schedules: how many updates each network had stands in its section, and
which have not converged."""


@dataclass(frozen=True)
class Section:
    """An evaluation in a report.

    Attributes
    ----------
    about
        What was found.
    source
        Its folder in the run.
    name
        Its folder in the report.
    """

    about: EvaluationAbout
    source: Path
    name: str


def read_about(folder: Path) -> EvaluationAbout:
    """Read what an evaluation found.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    path = folder / ABOUT
    try:
        return EvaluationAbout.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ValueError(
            f"{path}: expected what metasr-evaluate writes, found {problems(error, 'the file')}"
        ) from None


def is_report(folder: Path) -> bool:
    """Return whether a folder is a report."""
    return (folder / MARKER).is_file()


def evaluated(folder: Path) -> list[Path]:
    """List the folders of the evaluations in a run or a report.

    Raises
    ------
    FileNotFoundError
        If the folder is neither.
    """
    if not is_report(folder):
        run_record(folder)
        folder = folder / EVALUATION
    return sorted(path.parent for path in folder.glob(f"[!.]*/{ABOUT}"))


def sections(runs: Iterable[Path]) -> list[Section]:
    """Collect the evaluations of runs and reports, in the order of the experiments' ids.

    An experiment that several have evaluated has a section for each; but a run's replace those
    that a report has of the same experiment. A report's sections keep their names.

    Raises
    ------
    FileNotFoundError
        If a folder is neither run nor report, or none of them has been evaluated.
    ValueError
        If an evaluation is damaged.
    """
    runs = sorted(dict.fromkeys(run.resolve() for run in runs), key=is_report)
    found: list[tuple[Path, Path, EvaluationAbout]] = []
    newer: set[str] = set()
    for run in runs:
        new = [(run, folder, read_about(folder)) for folder in evaluated(run)]
        if is_report(run):
            new = [one for one in new if one[2].experiment not in newer]
        else:
            newer |= {about.experiment for *_, about in new}
        found += new
    if not found:
        raise FileNotFoundError(
            f"expected evaluations in {', '.join(map(str, runs))}, found none: "
            "metasr-evaluate experiment EXPERIMENT --output RUN makes them"
        )
    names = _section_names(found)
    order = {name: place for place, name in enumerate(experiment_ids())}
    found.sort(key=lambda one: order.get(one[2].experiment, len(order)))
    return [Section(about, folder, names[folder]) for _, folder, about in found]


def _section_names(found: Sequence[tuple[Path, Path, EvaluationAbout]]) -> dict[Path, str]:
    """Name the sections of evaluations, each after its experiment and, of several, its run.

    Names are letters, digits, hyphens, points and underscores; those that would be the same, on a
    disk that does not tell small letters from capitals, are numbered.
    """
    counts = Counter(about.experiment for _, _, about in found)
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for run, folder, about in sorted(found, key=lambda one: not is_report(one[0])):
        if is_report(run):
            wanted = folder.name
        elif counts[about.experiment] == 1:
            wanted = about.experiment
        else:
            wanted = re.sub(r"[^\w.-]+", "-", f"{about.experiment}-{run.name}")
        numbered = (f"{wanted}-{number}" for number in itertools.count(2))
        candidates = itertools.chain([wanted], numbered)
        name = next(one for one in candidates if one.casefold() not in taken)
        taken.add(name.casefold())
        names[folder] = name
    return names


def verdicts(found: Sequence[Section]) -> list[Verdict]:
    """Judge the papers' claims by the sections; of several of one experiment, by the largest."""
    largest: dict[str, Section] = {}
    for one in found:
        name = one.about.experiment
        if name not in largest or one.about.images > largest[name].about.images:
            largest[name] = one
    return judge(claims(), {name: Evidence.read(one.source) for name, one in largest.items()})


def readme(found: Sequence[Section], judged: Sequence[Verdict], discussion: str = "") -> str:
    """Write the report's text: claims first, then a discussion in Markdown and the sections."""
    parts = ["# Results", INTRODUCTION, claims_text(judged), _overview(found), discussion.strip()]
    for one in found:
        files = sorted(path.name for path in one.source.glob("*.csv"))
        tables = ", ".join(f"[{name}]({one.name}/{name})" for name in files)
        parts += [
            f"## {one.name}: {one.about.title}",
            one.about.source,
            body(one.about, f"{one.name}/"),
            f"Tables: {tables}." if tables else "",
        ]
    parts.append(
        "The published figures, with what is odd about the way they are printed, are in "
        f"[{PUBLISHED.name}]({PUBLISHED.name})."
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def check_replaceable(output: Path) -> None:
    """Refuse to put a report in place of something else.

    Raises
    ------
    FileExistsError
        If the folder holds something that is no report.
    NotADirectoryError
        If it is a file.
    """
    if output.exists() and not output.is_dir():
        raise NotADirectoryError(f"{output}: expected a folder, found a file")
    if output.is_dir() and any(output.iterdir()) and not is_report(output):
        raise FileExistsError(f"{output}: the folder holds something else than a report")


def report(
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    output: Path,
    discussion: Path | None = None,
) -> None:
    """Put the evaluations of runs together: README.md, tables and figures.

    Parameters
    ----------
    runs
        Run folders in which metasr-evaluate has been, and reports, whose sections are kept where
        no run has evaluated the same experiment.
    output
        The report's folder; a report that is there already is replaced as a whole. It may be one
        of those that are read.
    discussion
        A Markdown file that goes into the report before its sections: what the figures mean.
    """
    if not runs:
        raise ValueError("expected at least one run folder, found none")
    check_replaceable(output)
    found = sections(runs)
    words = "" if discussion is None else discussion.read_text(encoding="utf-8")
    read = [one.source for one in found if one.source.parent != output.resolve()]
    read += [] if discussion is None else [discussion]
    with (
        making_folders([output.resolve().parent]),
        keeping(lambda: read),
        replacing_folder(output) as folder,
    ):
        for one in found:
            (folder / one.name).mkdir()
            for path in one.source.iterdir():
                if path.name.endswith(COPIED):
                    shutil.copyfile(path, folder / one.name / path.name)
        shutil.copyfile(PUBLISHED, folder / PUBLISHED.name)
        judged = verdicts(found)
        write_claims(folder, judged)
        write_text(folder / "README.md", readme(found, judged, words))
        contents = {"format": PROGRAM, "sections": [one.name for one in found]}
        write_text(folder / MARKER, json.dumps(contents, indent=2) + "\n")
    print(f"{output / 'README.md'}: {', '.join(one.name for one in found)}")


def _overview(found: Sequence[Section]) -> str:
    columns = {
        "experiment": lambda one: f"[{one.name}](#{_anchor(one)})",
        "of": lambda one: one.about.source,
        "preset": lambda one: one.about.preset,
        "images": lambda one: str(one.about.images),
        "networks": lambda one: str(len(one.about.networks)),
        "not converged": lambda one: ", ".join(
            dict.fromkeys(name for names in one.about.not_converged.values() for name in names)
        ),
    }
    return markdown_table(columns, found)


def _anchor(one: Section) -> str:
    """Make GitHub's anchor of a heading: lower case, hyphens for spaces, other signs dropped."""
    heading = f"{one.name}: {one.about.title}".lower()
    return "".join(
        "-" if sign == " " else sign for sign in heading if sign.isalnum() or sign in " -_"
    )


@ending_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        call(report, PROGRAM, arguments)
    except (ValueError, OSError) as error:
        print(f"{PROGRAM}: {in_words(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
