"""What was evaluated, on what and with what: ``about.json`` and ``table.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from metasr_training.evaluation.convergence import RULE
from metasr_training.evaluation.described import batch_text, begins_with, stage_text
from metasr_training.lineage import Past, all_seconds, all_updates, updates_text
from metasr_training.run_folder import surroundings
from metasr_training.tables import count_text, markdown_table, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from metasr_training.catalogue import Experiment
    from metasr_training.evaluation.bench import EvaluationOutput
    from metasr_training.trained import TrainedNetwork

ABOUT = "about.json"
TABLE = "table.md"


class NetworkAbout(BaseModel, extra="forbid", frozen=True):
    """A trained network in a few words.

    Attributes
    ----------
    name
        Of its folder.
    updates, seconds
        How long its own training took.
    lineage
        All trainings that its weights come from, the oldest first, its own last.
    parameters
        How large it is.
    perceptual
        The features that its perceptual loss looked through; empty without one.
    stages
        The stages of its own schedule: losses with their weights, and the game.
    batches
        What a batch of its training held.
    commit, hardware
        What it was trained with.
    """

    name: str
    updates: int
    seconds: float
    lineage: tuple[Past, ...]
    parameters: int
    perceptual: str = ""
    stages: tuple[str, ...] = ()
    batches: str = ""
    commit: str = ""
    hardware: str = ""

    @classmethod
    def of(cls, network: TrainedNetwork) -> NetworkAbout:
        """Describe a network."""
        return cls(
            name=network.name,
            updates=network.updates,
            seconds=network.seconds,
            lineage=network.lineage,
            parameters=network.parameters,
            perceptual=network.perceptual,
            stages=tuple(stage_text(stage) for stage in network.config.stages),
            batches=batch_text(network.config),
            commit=str(network.about.get("commit", "")),
            hardware=str(network.about.get("hardware", "")),
        )


class EvaluationAbout(BaseModel, extra="forbid", frozen=True):
    """Everything that a report says of an evaluation besides its tables' figures.

    Attributes
    ----------
    experiment, title, source, kind
        What was evaluated.
    preset, seed, data, split, images
        Of the run; the data folder's name; which split, and how many images of it were compared.
    tables, figures
        Title and Markdown; file name and caption.
    ranking, not_converged, notes
        See ``metasr_training.evaluation.bench.EvaluationOutput``.
    networks
        Those that took part.
    surroundings
        Versions, commit and hardware of the evaluation.
    seconds
        What it took.
    """

    experiment: str
    title: str
    source: str
    kind: str
    preset: str
    seed: int
    data: str
    split: str
    images: int
    tables: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str], ...]
    ranking: dict[str, tuple[str, ...]]
    not_converged: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]
    networks: tuple[NetworkAbout, ...]
    surroundings: dict[str, str]
    seconds: float


def describe(
    experiment: Experiment,
    findings: EvaluationOutput,
    record: Mapping[str, Any],
    *,
    data: Path,
    split: str,
    device: str,
    seconds: float,
) -> EvaluationAbout:
    """Put together what is known of an evaluation."""
    return EvaluationAbout(
        experiment=experiment.id,
        title=experiment.title,
        source=experiment.source,
        kind=experiment.kind,
        preset=str(record["preset"]),
        seed=int(record["seed"]),
        data=data.name,
        split=split,
        images=findings.images,
        tables=tuple(findings.tables),
        figures=tuple(findings.figures),
        ranking={key: tuple(value) for key, value in findings.ranking.items()},
        not_converged={key: tuple(value) for key, value in findings.not_converged.items()},
        notes=tuple(findings.notes),
        networks=tuple(NetworkAbout.of(one) for one in findings.networks.values()),
        surroundings=surroundings(device),
        seconds=round(seconds, 1),
    )


def write_about(folder: Path, about: EvaluationAbout) -> None:
    """Write ``about.json``, and ``table.md`` for reading."""
    write_text(folder / ABOUT, about.model_dump_json(indent=2) + "\n")
    write_text(folder / TABLE, f"# {about.title}\n\n{about.source}\n\n{body(about)}\n")


def body(about: EvaluationAbout, folder: str = "") -> str:
    """Write tables, ranking, notes, figures and networks of an evaluation in Markdown.

    Parameters
    ----------
    folder
        Where figures lie, relative to the file that the text is for, with a slash at its end.
    """
    parts = [f"**{title}**\n\n{table}" for title, table in about.tables]
    standing = [
        f"- {condition}: {' > '.join(methods)}" for condition, methods in about.ranking.items()
    ]
    if standing:
        parts.append("Ranked by PSNR:\n\n" + "\n".join(standing))
    below = [
        f"- {condition}: {', '.join(methods)}" for condition, methods in about.not_converged.items()
    ]
    if below:
        parts.append("Not converged, and not ranked:\n\n" + "\n".join(below))
        parts.append(RULE)
    parts += [f"![{caption}]({folder}{name})\n\n{caption}" for name, caption in about.figures]
    parts += about.notes
    if about.networks:
        parts.append("**Networks**\n\n" + networks_table(about.networks))
    parts.append(_circumstances(about))
    return "\n\n".join(parts)


def networks_table(networks: tuple[NetworkAbout, ...]) -> str:
    """Tabulate how each network was trained.

    Updates and minutes are of all trainings that its weights come from: ``303 + 780 = 1,083``
    where it began with the weights of another.
    """
    columns = {
        "network": lambda one: one.name,
        "begins with": lambda one: begins_with(one.lineage),
        "updates": lambda one: _sum_text(one.lineage),
        "minutes": lambda one: f"{all_seconds(one.lineage) / 60:.1f}",
        "parameters": lambda one: count_text(one.parameters),
        "losses (and game) of its stages": lambda one: "; ".join(one.stages),
        "a batch": lambda one: one.batches,
        "perceptual loss through": lambda one: one.perceptual,
    }
    return markdown_table(columns, networks)


def _sum_text(line: Sequence[Past]) -> str:
    known = sum(one.updates is not None for one in line)
    total = f" = {all_updates(line):,}" if known > 1 else ""
    return updates_text(line) + total


def _circumstances(about: EvaluationAbout) -> str:
    found = about.surroundings
    trained = dict.fromkeys(one.commit[:12] for one in about.networks if one.commit)
    hardware = dict.fromkeys(one.hardware for one in about.networks if one.hardware)
    text = (
        f"{about.images} images of the {about.split} split; preset {about.preset}, "
        f"seed {about.seed}. Evaluated at commit {found['commit'][:12]} with napari-metasr "
        f"{found['napari_metasr']}, torch {found['torch']}, on {found['hardware']}."
    )
    if trained:
        on = f" on {'; '.join(hardware)}" if hardware else ""
        text += f" Networks trained at commit {', '.join(trained)}{on}."
    return text
