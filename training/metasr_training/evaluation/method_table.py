"""``table``: methods under conditions, as the papers' tables have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import RegionOptions, cut, make_case
from metasr_training.evaluation.contestants import Contestant, contestants
from metasr_training.evaluation.convergence import converged
from metasr_training.evaluation.costs import epoch_seconds, step_memory
from metasr_training.evaluation.curves import add_curves
from metasr_training.evaluation.described import batch_text
from metasr_training.evaluation.looks import FEATURES, Looks, detector_features
from metasr_training.evaluation.method_columns import TableRow, method_tables
from metasr_training.evaluation.opinion.kind import measured_study, opinions_of
from metasr_training.evaluation.opinion.table import (
    GROUND_TRUTH,
    opinion_columns,
    opinion_rows,
    opinion_title,
)
from metasr_training.evaluation.published import published_notes, sharing
from metasr_training.evaluation.scores import ALL, averages, measure, upscaled
from metasr_training.evaluation.standing import standing
from metasr_training.lineage import all_updates, updates_text
from metasr_training.tables import markdown_table, write_rows

if TYPE_CHECKING:
    from metasr_training.condition import Condition
    from metasr_training.evaluation.scores import ImageScore
    from metasr_training.trained import TrainedNetwork

MIB = 2**20
ROI = {
    "mask": "the tumour's outline (the brain's box where a data set has none)",
    "detector": "the box that the lesion detector finds in the low-resolution slice (the "
    "brain's where it finds none)",
    "box": "the brain's box",
}


class TableOptions(RegionOptions, frozen=True):
    """What a table takes besides its regions.

    Costs and opinions have columns where the paper prints them.

    Attributes
    ----------
    epoch_images
        Images of the epoch that seconds are given for: the paper's.
    """

    epoch_images: int = 9559


def evaluate_table(bench: Bench) -> EvaluationOutput:
    """Measure every method on the same images; write scores, tables and curves."""
    options = bench.options(TableOptions)
    findings = EvaluationOutput()
    slices = bench.compared(options)
    scores: list[ImageScore] = []
    rows: list[TableRow] = []
    groups: dict[str, list[Contestant]] = {}
    costs = bool(sharing(bench.experiment.id, "epoch_seconds"))
    epoch_images = options.epoch_images if costs else None
    features = detector_features()
    for condition in bench.experiment.conditions:
        methods = contestants(bench.experiment, condition, bench.load)
        looks = Looks(features)
        found = score_condition(bench, options, condition, methods, slices, looks)
        order, below = standing(found, methods)
        new = table_rows(found, methods, order, epoch_images, looks)
        scores += found
        rows += new
        groups[condition.name] = methods
        findings.took_part(one.network for one in methods)
        findings.images = max(findings.images, new[0].images)
        findings.ranking[condition.name] = order
        if below:
            findings.not_converged[condition.name] = below
    write_rows(bench.output / "scores.csv", scores)
    write_rows(bench.output / "table.csv", rows)
    findings.tables += method_tables(bench.experiment.id, rows, options.epoch_images)
    _add_opinions(bench, findings)
    add_curves(bench, findings, groups)
    findings.notes += _notes(bench.experiment.region, options, costs=costs)
    findings.notes += published_notes(bench.experiment.id, "psnr", "ssim")
    return findings


def score_condition(
    bench: Bench,
    options: RegionOptions,
    condition: Condition,
    methods: Sequence[Contestant],
    slices: Sequence[Any],
    looks: Looks,
) -> list[ImageScore]:
    """Score every method on every slice, in every region; add their main regions to ``looks``.

    Raises
    ------
    ValueError
        If no slice has anything to compare.
    """
    detect = bench.detect(options)
    region = bench.experiment.region
    scores: list[ImageScore] = []
    for one in tqdm(slices, desc=condition.name, unit="slice"):
        case = make_case(one, condition, region, options, detect)
        if case is not None:
            window = case.regions[case.main]
            looks.add_truth(cut(case.truth, window))
            for label, output in upscaled(case, methods):
                scores += measure(case, label, output)
                looks.add(label, cut(output, window))
    if not scores:
        raise ValueError(
            f"expected something to compare in the {region} of {len(slices)} slices, found nothing "
            f"under {condition.name}"
        )
    return scores


def table_rows(
    scores: Sequence[ImageScore],
    methods: Sequence[Contestant],
    order: Sequence[str],
    epoch_images: int | None,
    looks: Looks,
) -> list[TableRow]:
    """Make the rows of one condition: all sources together, then each source.

    Parameters
    ----------
    order
        The methods that are ranked, by falling PSNR.
    epoch_images
        Images of an epoch whose seconds are wanted, with the memory of a step.
    looks
        The features of what was scored.
    """
    found = averages(scores)
    condition = scores[0].condition
    region, other, *_ = dict.fromkeys(score.region for score in scores)
    sources = dict.fromkeys([ALL, *(score.source for score in scores)])
    bicubic = next(one.label for one in methods if one.is_reference)
    rows = []
    for source in sources:
        for one in methods:
            average = found[condition, one.label, region, source]
            beside = found[condition, one.label, other, source]
            reference = found[condition, bicubic, region, source]
            ranked = source == ALL and one.label in order
            rows.append(
                TableRow(
                    condition=condition,
                    method=one.label,
                    source=source,
                    region=region,
                    images=average.images,
                    psnr=average.psnr,
                    psnr_std=average.psnr_std,
                    ssim=average.ssim,
                    ssim_std=average.ssim_std,
                    vif=average.vif,
                    high_frequency=average.high_frequency,
                    flagged=average.flagged,
                    frechet=looks.distance(one.label) if source == ALL else math.nan,
                    other=other,
                    other_psnr=beside.psnr,
                    other_ssim=beside.ssim,
                    parameters=one.network.parameters if one.network else None,
                    updates=all_updates(one.network.lineage) if one.network else None,
                    trainings=updates_text(one.network.lineage) if one.network else "",
                    converged=converged(one.network, average, reference) if one.network else None,
                    rank=order.index(one.label) + 1 if ranked else None,
                    **(costs_of(one.network, epoch_images) if source == ALL else {}),
                )
            )
    return rows


def costs_of(network: TrainedNetwork | None, epoch_images: int | None) -> dict[str, Any]:
    """Collect the seconds of an epoch and the MiB of a step; empty if they are not wanted."""
    if network is None or epoch_images is None:
        return {}
    memory = step_memory(network.config)
    return {
        "epoch_seconds": epoch_seconds(network, epoch_images),
        "step_mib": None if memory is None else memory / MIB,
        "batches": batch_text(network.config),
    }


def _add_opinions(bench: Bench, findings: EvaluationOutput) -> None:
    """Add the paper's opinion scores, with ours if the run's study has been rated."""
    name, condition = bench.experiment.id, bench.experiment.conditions[0].name
    studies = sharing(name, "mos")
    if not studies:
        return
    measured = [opinions_of(measured_study(bench.run, study)) for study in studies]
    opinions = next(filter(None, measured), {})
    labels = [*(method.label for method in bench.experiment.methods), GROUND_TRUTH]
    rows = opinion_rows(name, condition, labels, opinions)
    rows = [row for row in rows if row.ratings or row.published_mos is not None]
    columns = opinion_columns(name, condition)
    findings.tables.append((opinion_title(rows), markdown_table(columns, rows)))
    write_rows(bench.output / "opinions.csv", rows)
    if not opinions:
        findings.notes.append(
            f"No study of {' or '.join(studies)} has been rated: the opinions are the paper's."
        )


def _notes(region: str, options: TableOptions, *, costs: bool) -> list[str]:
    where = {
        "slice": "Compared are whole slices.",
        "crop": (
            "Compared are maximal-information crops of "
            f"{' x '.join(map(str, options.crop_size))} pixels."
        ),
        "roi": (
            f"Compared are windows of {options.roi_size} x {options.roi_size} pixels on the "
            f"low-resolution grid, centred on {ROI[options.roi]}."
        ),
    }[region]
    compared = (
        f"{where} Methods are given the whole slice; networks see the limits of its volume as 0 "
        "and 1, as in training. Outputs are clipped to 0..255. PSNR, SSIM and VIF have a data "
        "range of 255, intensities as they were before normalisation; the images have one "
        "channel, which is their luminance. VIF is the information about the truth that an eye "
        "could take from the image, high-frequency energy that above half of Nyquist as a share "
        "of the truth's: below 1 an image is too smooth, above 1 texture or noise was added. "
        "Patches flagged are those whose structures within the measured band are not the truth's "
        "(sFRC). The Fréchet distance is between the sets of outputs and of truths, as seen by "
        f"{FEATURES}: smaller is nearer, and it compares with no distance by other features."
    )
    notes = [
        compared,
        "Updates: where a network began with another's weights, that one's come first.",
    ]
    if costs:
        notes.append(
            "Seconds an epoch follow from the updates a second in the log of the last stage; MiB a "
            "step are counted, for the generator, its gradients, Adam's moments and the "
            "activations of a batch in float32. Both are of the batches in the last column, which "
            "are the paper's in the preset paper alone."
        )
    return notes
