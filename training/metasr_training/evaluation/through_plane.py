"""``through-plane``: what is gained over cubic interpolation across slices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from tqdm import tqdm

from metasr_training.datasets.eight_bits import EIGHT_BITS
from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import cut
from metasr_training.evaluation.contestants import Contestant, by_network, contestants
from metasr_training.evaluation.curves import add_curves
from metasr_training.evaluation.output.plots import Line, Panel, save_plot
from metasr_training.evaluation.output.sheets import compared_tile, save_sheet, truth_tile
from metasr_training.evaluation.scores import averages, measure, upscaled
from metasr_training.evaluation.stacks import THICK, THIN, Thickness, thinned, volume_views
from metasr_training.evaluation.standing import standing
from metasr_training.tables import markdown_table, mean_text, write_rows

if TYPE_CHECKING:
    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.scores import ImageScore

SHOWN_FACTOR = 4.0
VIEW_PIXELS = 320


class ThroughPlaneOptions(BaseModel, extra="forbid", frozen=True):
    """What the evaluation across slices takes.

    Attributes
    ----------
    volumes
        Patterns, relative to the data folder, of volumes with thin slices.
    views
        Sagittal and coronal slices taken of each volume, of each plane; no more than images of
        each data set.
    """

    volumes: tuple[str, ...] = ("volumes/*t1c.nii*", "volumes/*t1ce.nii*")
    views: int = Field(8, ge=1)


@dataclass(frozen=True)
class ThroughPlaneRow:
    """One method on the slices of one kind, every ``factor``-th slice kept.

    ``gain`` is the mean PSNR over that of cubic interpolation along the same axis; a network is
    ``converged`` where it is not below it.
    """

    data: str
    thickness: str
    factor: float
    method: str
    images: int
    psnr: float
    psnr_std: float
    ssim: float
    ssim_std: float
    brain_psnr: float
    gain: float
    converged: bool | None


def evaluate_through_plane(bench: Bench) -> EvaluationOutput:
    """Thin out stacks by every factor, with thick and with thin slices, and fill them again."""
    options = bench.options(ThroughPlaneOptions)
    findings = EvaluationOutput()
    views = min(options.views, bench.images or options.views)
    stacks = list(volume_views(bench.data, options.volumes, views))
    slices = [*stacks, *bench.chosen()]
    findings.images = len(slices)
    scores: list[ImageScore] = []
    rows: list[ThroughPlaneRow] = []
    for condition in bench.experiment.conditions:
        for thickness in (THICK, THIN):
            methods = _told(contestants(bench.experiment, condition, bench.load), thickness)
            findings.took_part(one.network for one in methods)
            found: list[ImageScore] = []
            for one in tqdm(slices, desc=f"{condition.name} {thickness.name}", unit="slice"):
                case = thinned(one, condition.scale, thickness)
                for label, output in upscaled(case, methods):
                    found += measure(case, label, output)
            scores += found
            name = found[0].condition
            findings.ranking[name], below = standing(found, methods)
            if below:
                findings.not_converged[name] = below
            rows += _rows(found, methods, condition.scale, thickness.name)
    write_rows(bench.output / "scores.csv", scores)
    write_rows(bench.output / "table.csv", rows)
    findings.tables.append(("Across slices", markdown_table(_columns(), rows)))
    save_plot(bench.output / "gain.png", _panels(rows), "Gain over cubic interpolation")
    findings.figures.append(
        ("gain.png", "PSNR over cubic interpolation, against how many times fewer slices are kept.")
    )
    _draw(bench, _shown(stacks or slices))
    findings.figures.append(
        ("views.png", f"Every {SHOWN_FACTOR:g}th slice kept, thick slices: what is between them.")
    )
    add_curves(bench, findings, {"all scales": methods})
    findings.notes.append(
        "Thick slices are averaged over a Gaussian profile as wide as their spacing; thin ones "
        "are single slices of the volume (the mean of the two middle ones where their number is "
        "even). Sagittal and coronal views are of volumes with 1 mm slices; the other rows are "
        "axial slices whose rows stand for the slices of a stack."
    )
    if not stacks:
        findings.notes.append(f"{', '.join(options.volumes)}: no such volume in the data folder.")
    return findings


def _told(methods: Iterable[Contestant], thickness: Thickness) -> list[Contestant]:
    """Tell the networks that can be told how thick the slices are, which are the rows."""
    return [
        replace(one, upscale=by_network(one.network, thickness.code))
        if one.network is not None and one.network.can_be_told
        else one
        for one in methods
    ]


def _rows(
    scores: Iterable[ImageScore],
    methods: Iterable[Contestant],
    factor: float,
    thickness: str,
) -> list[ThroughPlaneRow]:
    found = averages(scores)
    methods = list(methods)
    condition = next(iter(found))[0]
    cubic = next(one.label for one in methods if one.is_reference)
    sources = dict.fromkeys(key[3] for key in found)
    reference = {source: found[condition, cubic, "slice", source].psnr for source in sources}
    return [
        ThroughPlaneRow(
            data=source,
            thickness=thickness,
            factor=factor,
            method=one.label,
            images=average.images,
            psnr=average.psnr,
            psnr_std=average.psnr_std,
            ssim=average.ssim,
            ssim_std=average.ssim_std,
            brain_psnr=found[condition, one.label, "brain", source].psnr,
            gain=average.psnr - reference[source],
            converged=None if one.network is None else average.psnr >= reference[source],
        )
        for source in sources
        for one in methods
        for average in [found[condition, one.label, "slice", source]]
    ]


def _columns() -> dict[str, Callable[[ThroughPlaneRow], str]]:
    return {
        "data": lambda row: row.data,
        "slices": lambda row: row.thickness,
        "fewer by": lambda row: f"{row.factor:g}",
        "method": lambda row: row.method,
        "images": lambda row: str(row.images),
        "PSNR (dB)": lambda row: mean_text(row.psnr, row.psnr_std, 2),
        "SSIM": lambda row: mean_text(row.ssim, row.ssim_std, 3),
        "PSNR in brain box": lambda row: f"{row.brain_psnr:.2f}",
        "gain": lambda row: "" if row.gain == 0 else f"{row.gain:+.2f}",
        "": lambda row: "not converged" if row.converged is False else "",
    }


def _panels(rows: Iterable[ThroughPlaneRow]) -> list[Panel]:
    panels = []
    trained = [row for row in rows if row.converged is not None]
    for thickness in (THICK.name, THIN.name):
        here = [row for row in trained if row.thickness == thickness]
        lines = tuple(
            Line(
                source,
                [row.factor for row in here if row.data == source],
                [row.gain for row in here if row.data == source],
            )
            for source in dict.fromkeys(row.data for row in here)
        )
        factors = [row.factor for row in here]
        zero = Line("cubic", [min(factors), max(factors)], [0, 0], reference=True)
        panels.append(Panel(f"{thickness} slices", "fewer by", "gain (dB)", (*lines, zero)))
    return panels


def _shown(slices: list[Slice]) -> list[Slice]:
    """Return the middle slice of each source."""
    sources = list(dict.fromkeys(one.source for one in slices))
    groups = [[one for one in slices if one.source == source] for source in sources]
    return [group[len(group) // 2] for group in groups]


def _draw(bench: Bench, shown: Iterable[Slice]) -> None:
    condition = bench.experiment.conditions[-1]
    factors = [one.scale for one in bench.experiment.conditions]
    factor = SHOWN_FACTOR if SHOWN_FACTOR in factors else condition.scale
    methods = _told(contestants(bench.experiment, condition, bench.load), THICK)
    lines = []
    for one in shown:
        case = thinned(one, factor, THICK)
        box = case.regions["brain"]
        truth = cut(case.truth, box)
        tiles = [truth_tile(truth, f"Truth, {one.source}")]
        for label, output in upscaled(case, methods):
            tiles.append(compared_tile(cut(output, box), truth, EIGHT_BITS, label))
        lines.append(tiles)
    heading = f"{bench.experiment.title}: x{factor:g}"
    save_sheet(bench.output / "views.png", lines, heading, width=VIEW_PIXELS)
