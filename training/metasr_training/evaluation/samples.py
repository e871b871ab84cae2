"""``samples``: a few slices, upscaled by every method, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from metasr_training.datasets.eight_bits import EIGHT_BITS, eight_bits
from metasr_training.datasets.windows import maximal_information_crop
from metasr_training.evaluation.bench import Bench, EvaluationOutput
from metasr_training.evaluation.cases import (
    RegionOptions,
    cut,
    lesion_box,
    make_case,
)
from metasr_training.evaluation.contestants import contestants
from metasr_training.evaluation.noise import signal_to_noise
from metasr_training.evaluation.output.sheets import compared_tile, save_sheet, truth_tile
from metasr_training.evaluation.scores import measure, upscaled
from metasr_training.evaluation.standing import standing
from metasr_training.tables import markdown_table, write_rows
from napari_metasr.geometry.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from metasr_training.condition import Condition
    from metasr_training.datasets.slices import Slice
    from metasr_training.evaluation.cases import Case
    from metasr_training.evaluation.output.sheets import Tile
    from metasr_training.evaluation.scores import ImageScore

TILES_A_LINE = 6
TILE_PIXELS = 230
Key = tuple[str, str, str]
DETAIL = 3
"""A detail has this many times fewer rows and columns than what it is of."""


class SampleOptions(RegionOptions, frozen=True):
    """What a figure of samples takes besides its regions.

    Attributes
    ----------
    samples
        How many slices are shown, one of each patient.
    select
        ``spread``: evenly over data sets and patients; ``noisiest``: those with the lowest
        estimated signal-to-noise ratio around the lesion.
    """

    samples: int = Field(3, ge=1)
    select: Literal["spread", "noisiest"] = "spread"


def evaluate_samples(bench: Bench) -> EvaluationOutput:
    """Draw one sheet for each condition, and write down the figures on it."""
    options = bench.options(SampleOptions)
    findings = EvaluationOutput()
    slices = selected(bench.compared(options), options)
    scores: list[ImageScore] = []
    for condition in bench.experiment.conditions:
        found, lines = _condition(bench, options, condition, slices, findings)
        scores += found
        name = f"samples-{condition.name}.png"
        heading = f"{bench.experiment.title}: {condition.name}"
        columns = lines[0][1].image.shape[1]
        width = columns * max(round(TILE_PIXELS / columns), 1)
        save_sheet(bench.output / name, lines, heading, width=width)
        findings.figures.append((name, f"{bench.experiment.title}, {condition.name}."))
    findings.images = len({(score.source, score.image) for score in scores})
    write_rows(bench.output / "scores.csv", scores)
    findings.tables.append(("The figures on the images", _table(scores)))
    if options.select == "noisiest":
        findings.notes.append(
            "Shown are the truths with the lowest signal-to-noise ratio around the lesion "
            "(Immerkaer's estimate), one of each patient."
        )
    return findings


def selected(slices: Sequence[Slice], options: SampleOptions) -> list[Slice]:
    """Select the slices to show, each of another patient, sources taking turns."""
    if options.select == "noisiest":
        slices = sorted(slices, key=lambda one: signal_to_noise(_around_lesion(one, options)))
    patients: dict[tuple[str, str], Slice] = {}
    for one in slices:
        patients.setdefault((one.source, one.patient), one)
    first = list(patients.values())
    if options.select == "noisiest":
        return first[: options.samples]
    sources = {one.source: [x for x in first if x.source == one.source] for one in first}
    count = -(-options.samples // len(sources))
    turns = [
        group[place * len(group) // count]
        for place in range(count)
        for group in sources.values()
        if place < len(group)
    ]
    return list({one.name: one for one in turns}.values())[: options.samples]


def sample_lines(case: Case, outputs: Mapping[str, NDArray], *, detail: bool) -> list[list[Tile]]:
    """Make the lines of a sheet for one slice: the slice, the truth, every method; then details.

    Parameters
    ----------
    outputs
        (H, W) of each method, of the whole slice.
    detail
        Whether a smaller part of the region follows, as large as the region was.
    """
    region = case.regions[case.main]
    windows = [region]
    if detail:
        windows.append(_detail(case, region))
    lines: list[list[Tile]] = []
    for window, around, name in zip(
        windows, [case.regions["slice"], region], [case.slice.source, "detail"], strict=False
    ):
        whole = cut(case.truth, around)
        top, left = around[:2]
        frame = Window(window[0] - top, window[1] - left, window[2] - top, window[3] - left)
        truth = cut(case.truth, window)
        tiles = [truth_tile(whole, name, frame), truth_tile(truth)]
        tiles += [
            compared_tile(cut(output, window), truth, EIGHT_BITS, label)
            for label, output in outputs.items()
        ]
        length = min(TILES_A_LINE, -(-len(tiles) // (-(-len(tiles) // TILES_A_LINE))))
        lines += [tiles[start : start + length] for start in range(0, len(tiles), length)]
    return lines


def _condition(
    bench: Bench,
    options: SampleOptions,
    condition: Condition,
    slices: Sequence[Slice],
    findings: EvaluationOutput,
) -> tuple[list[ImageScore], list[list[Tile]]]:
    """Compute the scores and the sheet's lines for one condition."""
    methods = contestants(bench.experiment, condition, bench.load)
    named = {method.label for method in bench.experiment.methods}
    detect = bench.detect(options)
    scores: list[ImageScore] = []
    lines: list[list[Tile]] = []
    for one in slices:
        case = make_case(one, condition, bench.experiment.region, options, detect)
        if case is None:
            continue
        outputs = dict(upscaled(case, methods))
        for label, output in outputs.items():
            scores += measure(case, label, output)
        drawn = {label: output for label, output in outputs.items() if label in named}
        lines += sample_lines(case, drawn, detail=bench.experiment.region != "roi")
    if not scores:
        raise ValueError(
            f"expected something to compare in the {bench.experiment.region} of {len(slices)} "
            f"slices, found nothing under {condition.name}"
        )
    findings.took_part(one.network for one in methods)
    _, below = standing(scores, methods)
    if below:
        findings.not_converged[condition.name] = below
    return scores, lines


def _around_lesion(one: Slice, options: SampleOptions) -> NDArray:
    truth = eight_bits(one)
    box = lesion_box(one, truth) or Window.whole((truth.shape[0], truth.shape[1]))
    return cut(truth, window_around(box, options.roi_size, truth.shape))


def window_around(box: Window, size: int, shape: tuple[int, ...]) -> Window:
    """Return the part of a slice within a square centred on a box."""
    middle = Window.around(box.centre, size, size)
    return Window(*middle.pixels((shape[0], shape[1])))


def _detail(case: Case, region: Window) -> Window:
    """Return the brightest part of a region, smaller by ``DETAIL``."""
    part = cut(case.truth, region)
    size = max(min(part.shape) // DETAIL, 11)
    top, left, bottom, right = maximal_information_crop(part, (size, size))
    first_row, first_column = region[:2]
    return Window(first_row + top, first_column + left, first_row + bottom, first_column + right)


def _table(scores: Sequence[ImageScore]) -> str:
    """Write a table of the first region: a line per image and condition, a column per method."""
    main = scores[0].region
    cells = {
        (score.condition, score.source, score.image, score.method): score
        for score in scores
        if score.region == main
    }

    def cell(method: str) -> Callable[[Key], str]:
        return lambda key: f"{cells[*key, method].psnr:.2f} / {cells[*key, method].ssim:.3f}"

    columns: dict[str, Callable[[Key], str]] = {
        "condition": lambda key: key[0],
        "source": lambda key: key[1],
        "image": lambda key: key[2],
    }
    columns |= {method: cell(method) for method in dict.fromkeys(key[3] for key in cells)}
    return markdown_table(columns, dict.fromkeys(key[:3] for key in cells))
