"""PSNR of validation against updates, for each network of an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metasr_training.evaluation.output.plots import Line, Panel, save_plot
from metasr_training.lineage import all_updates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metasr_training.evaluation.bench import Bench, EvaluationOutput
    from metasr_training.evaluation.contestants import Contestant
    from metasr_training.trained import TrainedNetwork

PSNR = "val/psnr"
BICUBIC = "val/psnr_bicubic"
CURVES = "curves.png"
CAPTION = (
    "PSNR on validation patches, against updates. Networks are in one panel, with bicubic "
    "interpolation, where they were validated on the same patches. A curve begins where the "
    "updates of the networks whose weights it began with end."
)
SHIPPED = " Updates of shipped weights are not known, and not counted."
INTERPOLATING = (
    " These networks, or those whose weights they began with, began with weights that interpolate, "
    "and so near bicubic interpolation: {}."
)
UNSEEN = {"standardise", "context", "patches_per_image"}
"""Fields of ``PairConfig`` that change nothing of what is compared in validation."""


def curve(network: TrainedNetwork, key: str = PSNR) -> tuple[list[float], list[float]]:
    """Return the updates and the values of the log's lines that have the key.

    The updates that the weights had had before, in other trainings, are counted.
    """
    before = all_updates(network.lineage[:-1])
    lines = [line for line in network.history() if line.get(key) is not None]
    return [float(before + line["update"]) for line in lines], [float(line[key]) for line in lines]


def curve_panel(title: str, networks: Mapping[str, TrainedNetwork]) -> Panel:
    """Make the panel of curves of networks, by label, validated on the same patches.

    The reference is bicubic interpolation on those patches, from the first of the updates to the
    last, or from none where a single validation would leave it without a length.
    """
    lines, bicubic = [], []
    for label, network in networks.items():
        updates, psnr = curve(network)
        if updates:
            lines.append(Line(label, updates, psnr))
            bicubic += curve(network, BICUBIC)[1]
    if bicubic:
        ends = [min(line.x[0] for line in lines), max(line.x[-1] for line in lines)]
        if ends[0] == ends[1]:
            ends[0] = 0.0
        lines.append(Line("Bicubic", ends, [bicubic[-1]] * 2, reference=True))
    return Panel(title, "updates", "PSNR (dB)", tuple(lines))


def curve_panels(name: str, networks: Mapping[str, TrainedNetwork]) -> list[Panel]:
    """Draw a panel for each kind of validation patches that these networks, by label, had.

    Those without a validation PSNR have no curve, and panels without a curve are left out.
    """
    groups: dict[tuple[str, int], dict[str, TrainedNetwork]] = {}
    for label, network in networks.items():
        pairs = network.config.pairs
        if pairs is not None:
            kind = pairs.model_dump_json(exclude=UNSEEN), network.config.validation_batches
            groups.setdefault(kind, {})[label] = network
    panels = []
    for (_, batches), group in groups.items():
        pairs = next(iter(group.values())).config.pairs
        if pairs is not None:
            count = f"{batches * pairs.batch} {pairs.windows} patches"
            title = f"{name}: {count} of {pairs.patch} x {pairs.patch}"
            panels.append(curve_panel(title, group))
    return [panel for panel in panels if panel.lines]


def caption(networks: Mapping[str, TrainedNetwork]) -> str:
    """Write the caption of the curves of these networks, given by label."""
    text = CAPTION
    if any(one.updates is None for each in networks.values() for one in each.lineage):
        text += SHIPPED
    labels = [
        label for label, each in networks.items() if each.lineage[0].begins == "interpolation"
    ]
    return text + INTERPOLATING.format(", ".join(labels)) if labels else text


def add_curves(
    bench: Bench, findings: EvaluationOutput, methods: Mapping[str, Iterable[Contestant]]
) -> None:
    """Draw the curves of each condition's networks that have logged a validation PSNR.

    Parameters
    ----------
    methods
        Name of the condition to its methods, of which those with a network are drawn.
    """
    networks = {
        name: {one.label: one.network for one in group if one.network is not None}
        for name, group in methods.items()
    }
    panels = [panel for name, group in networks.items() for panel in curve_panels(name, group)]
    if panels:
        save_plot(bench.output / CURVES, panels, f"{bench.experiment.id}: validation")
        together = {label: one for group in networks.values() for label, one in group.items()}
        findings.figures.append((CURVES, caption(together)))
