"""``metasr-evaluate calibrate``: thresholds of an error head that bound what it misses."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from metasr_training.cards import Stated
from metasr_training.command_line import DeviceOption, interruptible
from metasr_training.datasets.slices import Slice, Split
from metasr_training.datasets.split_files import read_split
from metasr_training.evaluation.risk import (
    BANDS,
    Found,
    agreement_table,
    calibrated,
    coverage_rows,
    coverage_table,
    search,
)
from metasr_training.evaluation.zoom import IN_PLANE
from metasr_training.tables import csv_text, write_text, writing_together
from metasr_training.trained_patients import slices_of_split, warn_of_trained
from napari_metasr.io.contrast import guess_contrast
from napari_metasr.trust.conformal import TooFewPatientsError, least_patients
from napari_metasr.trust.own_slices import spread
from napari_metasr.trust.risk import load_risk_model, promise
from napari_metasr.weights import DEFAULT_MODEL
from napari_metasr.weights.risk import Calibration, own_card_path, save_risk_card
from napari_metasr.zoom.loading import load_model

RESULTS = ("risk.csv", "risk.md")


def calibrate(
    data: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")],
    model: str = DEFAULT_MODEL,
    alpha: float = 0.1,
    tau: float = 0.1,
    acquisitions: tuple[str, ...] = IN_PLANE,
    sources: tuple[str, ...] = (),
    splits: tuple[Split, ...] = ("val",),
    test: tuple[Split, ...] = ("test",),
    slices: int = 2,
    contrast: tuple[str, ...] = (),
    split: Path | None = None,
    card: Path | None = None,
    output: Path | None = None,
    device: DeviceOption = "auto",
) -> None:
    """Calibrate the error head of a model on scans whose truth is known, and test that.

    Slices are reduced and enlarged again. For each acquisition and band of scales the threshold is
    chosen that marks least, while of the errors above tau at most a share of alpha is expected to
    stay unmarked, on average over patients like these, and no more than that do on average in any
    of the data sets. A second table says how much of the errors'
    excess over tau lies in the marks, and how well they agree with the patches that sFRC flags.

    Parameters
    ----------
    data
        A data folder, as metasr-train takes it: high-resolution scans of several patients.
    model
        A name of ``napari-metasr models``, or the path of its weights.
    alpha
        The share of the large errors that may stay unmarked, between 0 and 1.
    tau
        From which share of the intensity range on an error is large.
    acquisitions
        The degradations to calibrate for.
    sources
        Which data sets; all that are there where none is named.
    splits
        Whose patients calibrate. Those of scans that the model was not trained on may all do:
        train val.
    test
        Whose patients test the thresholds; none of those that calibrate.
    slices
        Slices of each patient, evenly spread; 0 for all.
    contrast
        Contrasts of the scans, such as FLAIR; by default what the files' names tell.
    split
        A file that says which patients train, validate and test: JSON ({split: {source:
        [patients]}}) or CSV (source, patient, split). Drawn by patient where there is none.
    card
        Where the calibrated card goes; by default over that of the head, or of a model of the
        package into your folder of models, where it takes the place of the card that came with
        the head.
    output
        A folder for risk.csv and risk.md.
    """
    least_patients(alpha)
    if not 0 < tau < 1:
        raise ValueError(f"expected a tau between 0 and 1, found {tau:g}")
    if set(splits) & set(test):
        raise ValueError("the patients that calibrate cannot test as well")
    stated = Stated(contrasts=contrast).contrasts
    own = chosen(data, splits, sources, slices, split)
    patients = {(one.source, one.patient) for one in own}
    if len(patients) < least_patients(alpha):
        raise TooFewPatientsError(
            f"{data}: alpha {alpha:g} needs at least {least_patients(alpha)} patients to calibrate "
            f"on, found {len(patients)}"
        )
    left_out = chosen(data, test, sources, slices, split) if test else []
    engine, risk_model = load_model(model, device=device), load_risk_model(model, device=device)
    trained = (*engine.card.patients, *risk_model.risk_card.patients)
    warn_of_trained(engine.name, trained, [*own, *left_out])
    path = own_card_path(model) if card is None else card
    tables = [] if output is None else [output / name for name in RESULTS]
    total = (len(own) + len(left_out)) * len(acquisitions) * len(BANDS)
    with (
        writing_together([path, *tables]) as (card_file, *table_files),
        tqdm(total=total, unit="image") as bar,
        interruptible() as stop,
    ):

        def tick() -> None:
            bar.update()
            if stop.is_set():
                raise KeyboardInterrupt

        def look(at: list[Slice]) -> list[Found]:
            return list(search(at, acquisitions, engine, risk_model, tau=tau, tick=tick))

        found = look(own)
        cells = calibrated(found, alpha)
        rows = coverage_rows(cells, found, look(left_out))
        table = f"{coverage_table(rows)}\n\n{agreement_table(rows)}"
        names = [guess_contrast(one.contrast) for one in own if one.contrast]
        calibration = Calibration(
            alpha=alpha,
            tau=tau,
            contrasts=stated
            or tuple(dict.fromkeys(filter(None, names)))
            or engine.card.trained_contrasts,
            data=tuple(
                f"{source}: {sum(one == source for one, _ in patients)} patients"
                for source in sorted({source for source, _ in patients})
            ),
            cells=tuple(cells),
        )
        calibrated_card = risk_model.risk_card.model_copy(update={"calibration": calibration})
        save_risk_card(calibrated_card, card_file)
        for file, text in zip(table_files, (csv_text(rows), f"{table}\n"), strict=False):
            write_text(file, text)
    print(table)
    print(f"\n{promise(calibration, len(patients))}")
    print(f"{path}: the calibrated card")


def chosen(
    data: Path,
    splits: tuple[Split, ...],
    sources: tuple[str, ...],
    count: int,
    given: Path | None = None,
) -> list[Slice]:
    """Choose slices of every patient of some splits, evenly spread; splits without any give none.

    Parameters
    ----------
    given
        The split file; without one the split is drawn.

    Raises
    ------
    FileNotFoundError
        If no split has any, or there is no such split file.
    """
    if given is not None:
        read_split(given)
    patients: dict[tuple[str, str], list[Slice]] = defaultdict(list)
    missing: FileNotFoundError | None = None
    for split in splits:
        try:
            found = slices_of_split(data, split, sources, given)
        except FileNotFoundError as error:
            missing = error
            continue
        for one in found:
            patients[one.source, one.patient].append(one)
    if not patients and missing is not None:
        raise missing
    picked = []
    for own in patients.values():
        picked += spread(own, count or len(own))
    return picked
