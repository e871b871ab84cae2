"""``zoom``: a trained network for every scale, under every degradation, as ``metasr-evaluate zoom``
measures the shipped one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel
from tqdm import tqdm

from metasr_training.evaluation.bench import Bench, Findings
from metasr_training.evaluation.contestants import contestants
from metasr_training.evaluation.curves import add_curves
from metasr_training.evaluation.table import markdown, summarise
from metasr_training.evaluation.tables import write_rows
from metasr_training.evaluation.zoom import IN_PLANE, score_slice
from napari_metasr.geometry import OutputGrid

if TYPE_CHECKING:
    from metasr_training.evaluation.contestants import Contestant
    from metasr_training.evaluation.methods import Method


class EveryScaleOptions(BaseModel, extra="forbid", frozen=True):
    """What the evaluation of every scale takes.

    Attributes
    ----------
    degradations
        Under which slices are reduced.
    """

    degradations: tuple[str, ...] = IN_PLANE


def evaluate_every_scale(bench: Bench) -> Findings:
    """Measure every method at every condition's scale under every degradation."""
    options = bench.options(EveryScaleOptions)
    findings = Findings()
    first = bench.experiment.conditions[0]
    found = contestants(bench.experiment, first, bench.load)
    found.sort(key=lambda one: not one.is_reference)
    findings.took_part(one.network for one in found)
    scales = [condition.scale for condition in bench.experiment.conditions]
    slices = bench.chosen()
    compared = {one.label: _by_scale(one) for one in found}
    scores = [
        score
        for one in tqdm(slices, unit="slice")
        for score in score_slice(one, compared, scales, options.degradations)
    ]
    findings.images = len(slices)
    rows = summarise(scores)
    write_rows(bench.output / "scores.csv", scores)
    write_rows(bench.output / "table.csv", rows)
    findings.tables.append(("PSNR (dB) / SSIM", markdown(rows, tuple(compared))))
    reference = {
        (row.source, row.degradation, row.scale): row.psnr
        for row in rows
        if row.method == found[0].label
    }
    for row in rows:
        if row.method in {one.label for one in found if one.network is not None} and (
            row.psnr < reference[row.source, row.degradation, row.scale]
        ):
            case = f"{row.source}, {row.degradation}, x{row.scale:g}"
            findings.not_converged.setdefault(case, []).append(row.method)
    add_curves(bench, findings, {"all scales": found})
    return findings


def _by_scale(one: Contestant) -> Method:
    return lambda image, scale, intensity: one.enlarge(
        image, OutputGrid.at_scale(image.shape, scale), intensity
    )
