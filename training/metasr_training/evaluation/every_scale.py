"""Evaluate a trained network at every scale, under every degradation."""

from __future__ import annotations

from pydantic import BaseModel
from tqdm import tqdm

from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.contestants import contestants
from metasr_training.evaluation.curves import add_curves
from metasr_training.evaluation.zoom import (
    IN_PLANE,
    gain_table,
    score_slice,
    zoom_conditions,
    zoom_rows,
    zoom_table,
)
from metasr_training.tables import write_rows


class EveryScaleOptions(BaseModel, extra="forbid", frozen=True):
    """What the evaluation of every scale takes.

    Attributes
    ----------
    degradations
        Under which slices are reduced.
    noise
        Standard deviations of the noise that is added then, on the 0..255 scale.
    """

    degradations: tuple[str, ...] = IN_PLANE
    noise: tuple[float, ...] = (0,)


def evaluate_every_scale(bench: Bench) -> EvaluationOutput:
    """Measure every method at every condition's scale under every degradation."""
    options = bench.options(EveryScaleOptions)
    findings = EvaluationOutput()
    first = bench.experiment.conditions[0]
    found = contestants(bench.experiment, first, bench.load)
    found.sort(key=lambda one: not one.is_reference)
    findings.took_part(one.network for one in found)
    scales = [condition.scale for condition in bench.experiment.conditions]
    conditions = zoom_conditions(scales, options.degradations, options.noise)
    slices = bench.chosen()
    scores = [
        score for one in tqdm(slices, unit="slice") for score in score_slice(one, found, conditions)
    ]
    findings.images = len(slices)
    rows = zoom_rows(scores, conditions)
    write_rows(bench.output / "scores.csv", scores)
    write_rows(bench.output / "table.csv", rows)
    findings.tables.append(("PSNR (dB) / SSIM", zoom_table(rows)))
    gains = f"PSNR over {found[0].label} in the brain's box (dB)"
    findings.tables.append((gains, gain_table(rows)))
    reference = {row.case: row.psnr for row in rows if row.method == found[0].label}
    trained = {one.label for one in found if one.network is not None}
    for row in rows:
        if row.method in trained and row.psnr < reference[row.case]:
            noise = f", noise {row.noise:g}" if row.noise else ""
            case = f"{row.source}, {row.degradation}, x{row.scale:g}{noise}"
            findings.not_converged.setdefault(case, []).append(row.method)
    add_curves(bench, findings, {"all scales": found})
    return findings
