"""``metasr-evaluate``: what networks gain over interpolation, as tables and figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from metasr_training.datasets.slices import Split, load_slices, some_of_each
from metasr_training.evaluation.about import body
from metasr_training.evaluation.contestants import shipped_and_interpolation
from metasr_training.evaluation.driver import evaluate_experiment, evaluation_folder
from metasr_training.evaluation.output.tables import write_rows, write_text
from metasr_training.evaluation.zoom import (
    IN_PLANE,
    score_slice,
    zoom_conditions,
    zoom_rows,
    zoom_table,
)
from metasr_training.overrides import parsed
from metasr_training.trained import UntrainedError, run_record
from napari_metasr.errors import in_words
from napari_metasr.files import check_kept
from napari_metasr.io.opening import files_of
from napari_metasr.zoom.engine import load_model

PROGRAM = "metasr-evaluate"
RESULTS = ("zoom.csv", "zoom.md", "zoom.json")


def measure_model(
    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")],
    data: Path,
    output: Path,
    sources: tuple[str, ...] = (),
    scales: tuple[float, ...] = (1.5, 2.0, 2.5, 3.0, 3.7, 4.0),
    slices: int = 24,
    device: str = "auto",
    consistent: bool = False,
) -> None:
    """Measure PSNR and SSIM of bicubic, Lanczos and a model on validation patients.

    Parameters
    ----------
    model
        A name of ``napari-metasr models``, or the path of its weights.
    data
        A data folder, as metasr-train takes it.
    output
        Where zoom.csv, zoom.md and zoom.json go.
    sources
        Which data sets; all that are there where none is named.
    scales
        By which factors the slices are reduced and enlarged.
    slices
        Slices of each data set, evenly spread over its patients; 0 for all.
    device
        auto, cuda, mps or cpu.
    consistent
        Measure the model a second time, projected onto the slices that reduce to its input under
        the degradation, which is told to the projection and not to the network.
    """
    for name in RESULTS:
        check_kept(output / name, files_of(Path(model)))
    engine = load_model(model, device=device)
    compared = shipped_and_interpolation(engine)
    conditions = zoom_conditions(scales, IN_PLANE)
    chosen = some_of_each(load_slices(data, "val", sources or None), slices)
    scores = [
        score
        for one in tqdm(chosen, unit="slice")
        for score in score_slice(one, compared, conditions, {engine.name} if consistent else ())
    ]
    rows = zoom_rows(scores, conditions)
    table = zoom_table(rows)
    reference = {row.case: row.psnr for row in rows if row.method == compared[0].label}
    gains = {
        f"{row.source}/{row.degradation}/x{row.scale:g}": round(row.psnr - reference[row.case], 2)
        for row in rows
        if row.method == engine.name
    }
    output.mkdir(parents=True, exist_ok=True)
    numbers, text, about = (output / name for name in RESULTS)
    write_rows(numbers, rows)
    write_text(text, f"{table}\n")
    summary = {"psnr_gain_over_bicubic": gains, "slices": len(chosen), "split": "val"}
    write_text(about, json.dumps(summary, indent=2))
    print(table)


def evaluate(
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="EXPERIMENT")],
    output: Path,
    data: Path | None = None,
    images: int | None = None,
    sources: tuple[str, ...] = (),
    split: Split = "val",
    device: str = "cpu",
    option: tuple[str, ...] = (),
) -> None:
    """Evaluate the networks that a run has trained for an experiment.

    Parameters
    ----------
    name
        The experiment; an unknown name lists them.
    output
        The run folder of metasr-train; results go to evaluation/EXPERIMENT in it.
    data
        The data folder; by default the one that the run was trained on.
    images
        Images of each data set, evenly spread over its patients; 0 for all. By default what the
        experiment says for the run's preset.
    sources
        Which data sets; all that are there where none is named.
    split
        Which patients: val, or in the end test.
    device
        A torch device.
    option
        KEY=VALUE of the experiment's options, over those of its file: choose=true of
        lfsr-detection.
    """
    try:
        about = evaluate_experiment(
            name,
            output,
            data=data,
            images=images,
            sources=sources,
            split=split,
            device=device,
            options=parsed(option),
        )
    except UntrainedError as error:
        record = run_record(output)
        raise FileNotFoundError(
            f"{error}. {name} needs it: metasr-train {error.experiment or name} "
            f"--preset {record['preset']} --data {data or record['data']} --output {output} "
            "--resume"
        ) from None
    print(body(about))
    print(f"In {evaluation_folder(output, name)}: tables as CSV, figures as PNG.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        tyro.extras.subcommand_cli_from_dict(
            {"experiment": evaluate, "model": measure_model},
            prog=PROGRAM,
            description="Measure what networks gain over interpolation, as tables and figures.",
            args=None if arguments is None else list(arguments),
        )
    except (ValueError, OSError) as error:
        print(f"{PROGRAM}: {in_words(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
