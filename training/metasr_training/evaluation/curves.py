"""PSNR of validation against updates, for each network of an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metasr_training.evaluation.plots import Line, Panel, save_plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metasr_training.evaluation.bench import Bench, Findings
    from metasr_training.evaluation.contestants import Contestant
    from metasr_training.trained import TrainedNetwork

PSNR = "val/psnr"
BICUBIC = "val/psnr_bicubic"
CURVES = "curves.png"
CAPTION = "PSNR of each network on its own validation patches, against updates."


def curve(network: TrainedNetwork, key: str = PSNR) -> tuple[list[float], list[float]]:
    """(updates, values) of the log's lines that have the key."""
    lines = [line for line in network.history() if line.get(key) is not None]
    return [float(line["update"]) for line in lines], [float(line[key]) for line in lines]


def curve_panel(title: str, networks: Mapping[str, TrainedNetwork]) -> Panel:
    """The curves of networks, by label, that were validated on the same patches.

    The reference is bicubic interpolation on those patches, over the longest of the curves.
    """
    lines, references = [], []
    for label, network in networks.items():
        updates, psnr = curve(network)
        if updates:
            lines.append(Line(label, updates, psnr))
            references.append((updates, curve(network, BICUBIC)[1]))
    known = [(updates, values) for updates, values in references if values]
    if known:
        updates, values = max(known, key=lambda pair: pair[0][-1])
        ends = [min(updates[0] for updates, _ in known), updates[-1]]
        lines.append(Line("Bicubic", ends, [values[-1]] * 2, reference=True))
    return Panel(title, "updates", "PSNR (dB)", tuple(lines))


def add_curves(
    bench: Bench, findings: Findings, methods: Mapping[str, Iterable[Contestant]]
) -> None:
    """Draw one panel for each condition, where its networks have logged a validation PSNR.

    Parameters
    ----------
    methods
        Name of the condition to its methods, of which those with a network are drawn.
    """
    panels = [
        curve_panel(name, {one.label: one.network for one in group if one.network is not None})
        for name, group in methods.items()
    ]
    panels = [panel for panel in panels if panel.lines]
    if panels:
        save_plot(bench.output / CURVES, panels, f"{bench.experiment.id}: validation")
        findings.figures.append((CURVES, CAPTION))
