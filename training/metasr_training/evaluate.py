"""``metasr-evaluate``: what networks gain over interpolation, as tables and figures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from metasr_training.calibrate import calibrate
from metasr_training.catalogue import experiment
from metasr_training.command_line import DeviceOption, call_one_of
from metasr_training.datasets.slices import Split, some_of_each
from metasr_training.evaluation.about import body
from metasr_training.evaluation.contestants import REFERENCE
from metasr_training.evaluation.driver import evaluate_experiment, evaluation_folder
from metasr_training.evaluation.native import (
    measure_native,
    methods_of,
    native_slices,
    native_table,
    rim_tiles,
)
from metasr_training.evaluation.output.sheets import save_sheet
from metasr_training.evaluation.over_seeds import put_together
from metasr_training.evaluation.told import (
    TOLD,
    methods_beside,
    told_table,
    wrongly_told_table,
)
from metasr_training.evaluation.zoom import (
    CONSISTENT,
    IN_PLANE,
    gains_of,
    score_slice,
    zoom_conditions,
    zoom_rows,
    zoom_table,
)
from metasr_training.overrides import parsed
from metasr_training.seeds import seed_runs
from metasr_training.tables import write_rows, write_text, writing_together
from metasr_training.trained import UntrainedError, run_record
from metasr_training.trained_patients import slices_of_split, warn_of_trained
from napari_metasr.cli.exit_codes import FAILED, INTERRUPTED
from napari_metasr.cli.standard_output import ending_with_its_reader
from napari_metasr.devices import resolve_device
from napari_metasr.errors import in_words
from napari_metasr.files import keeping
from napari_metasr.io.opening import files_of
from napari_metasr.zoom.loading import load_model

PROGRAM = "metasr-evaluate"
RESULTS = ("zoom.csv", "zoom.md", "zoom.json")
TOLD_RESULT = "told.md"
NATIVE_RESULTS = ("native.csv", "native.md", "rim.png")
SHOWN_WIDTH = 240


def measure_model(
    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")],
    data: Path,
    output: Path,
    sources: tuple[str, ...] = (),
    scales: tuple[float, ...] = (1.5, 2.0, 2.5, 3.0, 3.7, 4.0),
    slices: int = 24,
    device: DeviceOption = "auto",
    consistent: bool = False,
    degradations: tuple[str, ...] = IN_PLANE,
    noise: tuple[float, ...] = (0.0,),
    beside: tuple[str, ...] = (),
    split: Path | None = None,
) -> None:
    """Measure PSNR and SSIM of bicubic, Lanczos and a model on validation patients.

    A model that can be told how slices were acquired is measured told nothing, told the
    degradation and the noise, told their neighbours, and told what each slice shows of itself:
    told.md has what that gains and costs.

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
        By which factors the slices are reduced and upscaled.
    slices
        Slices of each data set, evenly spread over its patients; 0 for all.
    consistent
        Measure the model a second time, projected onto the slices that reduce to its input under
        the degradation, which is told to the projection and not to the network.
    degradations
        How slices are reduced.
    noise
        Standard deviations of the noise of the reduced slices, on the 0..255 scale.
    beside
        Models that are measured as well, such as the one that this one began with.
    split
        A file that says which patients train, validate and test: JSON ({split: {source:
        [patients]}}) or CSV (source, patient, split). Drawn by patient where there is none.
    """
    engine = load_model(model, device=device)
    names = (*RESULTS, TOLD_RESULT) if engine.card.can_be_told else RESULTS
    others = [load_model(name, device=device) for name in beside]
    compared = methods_beside(engine, others)
    projected: set[str] = set()
    if consistent:
        projected = {engine.name, engine.name + TOLD, *beside}
    conditions = zoom_conditions(scales, degradations, noise)
    with (
        keeping(lambda: [*files_of(Path(model)), *([] if split is None else [split])]),
        writing_together([output / name for name in names]) as (numbers, text, about, *told_text),
    ):
        chosen = some_of_each(slices_of_split(data, "val", sources, split), slices)
        for one in (engine, *others):
            warn_of_trained(one.name, one.card.patients, chosen)
        scores = [
            score
            for one in tqdm(chosen, unit="slice")
            for score in score_slice(one, compared, conditions, projected)
        ]
        rows = zoom_rows(scores, conditions)
        table = zoom_table(rows, engine.name)
        summary = {
            "psnr_gain_over_bicubic": gains_of(rows, engine.name, REFERENCE),
            "slices": len(chosen),
            "split": "val",
        }
        write_rows(numbers, rows)
        write_text(text, f"{table}\n")
        write_text(about, json.dumps(summary, indent=2))
        for path in told_text:
            first = [REFERENCE, *(f"{name}{end}" for name in beside for end in ("", CONSISTENT))]
            told = told_table(rows, engine.name, first)
            wrongly = wrongly_told_table(rows, engine.name)
            table = f"{told}\n\nOver the model told nothing:\n\n{wrongly}"
            write_text(path, f"{table}\n")
    print(table)


def measure_scans(
    scans: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SCAN...")],
    output: Path,
    model: str = "meta-srgan",
    scales: tuple[float, ...] = (2.0, 3.0, 4.0),
    slices: int = 12,
    device: DeviceOption = "auto",
) -> None:
    """Measure what a model adds to scans as they are, of which no truth is known.

    False rims at the edge of the head, pixels beyond the local range, texture in flat tissue, and
    agreement with the native pixels: of bicubic, Lanczos, the model shown the scan as it is, and
    the model as the zoom uses it (the tissue continued beyond a mask).

    Parameters
    ----------
    scans
        NIfTI files or DICOM series of one volume each.
    output
        Where native.csv, native.md and rim.png go.
    model
        A name of ``napari-metasr models``, or the path of its weights.
    scales
        By which factors the slices are upscaled.
    slices
        Axial slices of each scan, evenly spread; 0 for all.
    """
    plain = load_model(model, device=device, continued=False)
    engine = load_model(model, device=device)
    methods = methods_of([(f"{engine.name}, scan as it is", plain), (engine.name, engine)])
    with (
        keeping(lambda: [file for path in (*scans, Path(model)) for file in files_of(path)]),
        writing_together([output / name for name in NATIVE_RESULTS]) as (numbers, text, picture),
    ):
        chosen = list(native_slices(scans, slices))
        rows = measure_native(chosen, methods, scales)
        table = native_table(rows)
        write_rows(numbers, rows)
        write_text(text, f"{table}\n")
        middle, scale = chosen[len(chosen) // 2], scales[len(scales) // 2]
        heading = f"{middle.scan}, x{scale:g}, one window"
        save_sheet(picture, [rim_tiles(middle, methods, scale)], heading, width=SHOWN_WIDTH)
    print(table)


def evaluate(
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="EXPERIMENT")],
    output: Path,
    data: Path | None = None,
    images: int | None = None,
    sources: tuple[str, ...] = (),
    split: Split = "val",
    device: DeviceOption = "auto",
    option: tuple[str, ...] = (),
) -> None:
    """Evaluate the networks that a run has trained for an experiment.

    Parameters
    ----------
    name
        The experiment; an unknown name lists them.
    output
        The run folder of metasr-train; results go to evaluation/EXPERIMENT in it. Of a run with
        several seeds each is evaluated, and the tables have means and their spread.
    data
        The data folder; by default the one that the run was trained on.
    images
        Images of each data set, evenly spread over its patients; 0 for all. By default what the
        experiment says for the run's preset.
    sources
        Which data sets; all that are there where none is named.
    split
        Which patients: val, or in the end test.
    option
        KEY=VALUE of the experiment's options, over those of its file: choose=true of
        lfsr-detection.
    """
    experiment(name)  # an unknown name is said before a folder that is no run
    runs = seed_runs(output)
    try:
        abouts = [
            evaluate_experiment(
                name,
                run,
                data=data,
                images=images,
                sources=sources,
                split=split,
                device=str(resolve_device(device)),
                options=parsed(option),
            )
            for run in runs.values() or [output]
        ]
    except UntrainedError as error:
        record = run_record(output)
        seeds = f" --seed {min(runs)} --seeds {len(runs)}" if runs else ""
        raise FileNotFoundError(
            f"{error}. {name} needs it: metasr-train {error.experiment or name} "
            f"--preset {record['preset']} --data {data or record['data']} --output {output}"
            f"{seeds} --resume, and the recipe and settings that it was begun with"
        ) from None
    about = abouts[0]
    if runs:
        evaluations = {seed: evaluation_folder(run, name) for seed, run in runs.items()}
        about = put_together(evaluations, evaluation_folder(output, name))
    print(body(about))
    print(f"In {evaluation_folder(output, name)}: tables as CSV, figures as PNG.")


VERBS: dict[str, Callable[..., None]] = {
    "experiment": evaluate,
    "model": measure_model,
    "native": measure_scans,
    "calibrate": calibrate,
}


@ending_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    try:
        call_one_of(
            VERBS,
            PROGRAM,
            "Measure what networks gain over interpolation, as tables and figures.",
            arguments,
        )
    except (ValueError, OSError) as error:
        print(f"{PROGRAM}: {in_words(error)}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped", file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
