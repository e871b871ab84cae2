"""Whether a network may be begun, or its training be resumed, with these data and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metasr_training.datasets.contrasts import person
from metasr_training.datasets.split_files import names_of
from napari_metasr.weights import WeightsError, model_card

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from metasr_training.datasets.slices import Slice
    from metasr_training.run_folder import RunFolder
    from metasr_training.train_config import TrainConfig

FREE = ("checkpoint_every", "log_every")
"""Settings that change no weights; a run may go on with others than it was begun with."""


def check_patients(
    training: Iterable[Slice], others: Iterable[Slice], use: str = "validation"
) -> None:
    """Refuse data in which a patient is on both sides, be it with another contrast.

    Parameters
    ----------
    training, others
        Slices that a network is trained with, and others.
    use
        What the others are for.

    Raises
    ------
    ValueError
        If there is such a patient; they are named.
    """
    sides = [{person(one.source, one.patient) for one in slices} for slices in (training, others)]
    both = sides[0] & sides[1]
    if both:
        raise ValueError(
            f"expected every patient in one split, found in both training and {use}: "
            + names_of(both)
        )


def begun(folder: RunFolder) -> dict[str, Any] | None:
    """Read the ``config.json`` of a network; None if there is nothing of it to go on from."""
    about = folder.read_config()
    return about if folder.checkpoint.exists() or folder.final.exists() else None


def begun_budget(folder: RunFolder, budget: float | None) -> float | None:
    """Return the budget that a network was begun with, or ``budget`` if it was not begun yet.

    Its schedule was shaped for it; another one would move it forwards or back.
    """
    about = begun(folder)
    if about is None:
        return budget
    found: float | None = about["config"]["budget"]
    return found


def as_begun(config: TrainConfig, about: Mapping[str, Any]) -> TrainConfig:
    """Return a configuration in which what is found out at the beginning is as it was then.

    That is the precision, where none is asked for, and which stages go without images.

    Parameters
    ----------
    config
        As it is asked for now.
    about
        What `begun` read.
    """
    before = about["config"]
    domains = {"mri", *(stage["domain"] for stage in before["stages"])}
    stages = tuple(stage for stage in config.stages if stage.domain in domains)
    precision = before["precision"] if config.precision == "auto" else config.precision
    return config.model_copy(update={"stages": stages, "precision": precision})


def check_unchanged(folder: RunFolder, config: TrainConfig) -> None:
    """Refuse to go on with a network that was configured otherwise, or to take it as it is.

    What is in `FREE` may differ.

    Raises
    ------
    ValueError
        If it was begun with another configuration; what differs is named.
    """
    about = begun(folder)
    if about is None:
        return
    before, now = (dict(_flat(one)) for one in (about["config"], config.model_dump(mode="json")))
    compared = (before.keys() | now.keys()) - {*FREE}
    different = sorted(key for key in compared if before.get(key) != now.get(key))
    if different:
        found = ", ".join(f"{key} {before.get(key)!r} is now {now.get(key)!r}" for key in different)
        raise ValueError(f"{folder.path} was begun with another configuration: {found}")


def check_start(folder: RunFolder, config: TrainConfig) -> None:
    """Refuse to go on with a network whose start now has other weights under the same name.

    A start that is no longer there is not compared, nor one of a run of an older version.

    Raises
    ------
    ValueError
        If the weights are others.
    """
    before = (begun(folder) or {}).get("start_sha256")
    now = start_sha256(config)
    if before is not None and now not in {None, before}:
        raise ValueError(
            f"expected the weights of {config.shipped} with which {folder.path} was begun "
            f"(SHA-256 {before[:8]}), found others ({str(now)[:8]})"
        )


def start_sha256(config: TrainConfig) -> str | None:
    """Return the SHA-256 of the model's weights that a run begins with; None without a model."""
    try:
        return None if config.shipped is None else model_card(config.shipped).sha256
    except WeightsError:
        return None


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """List the values of nested tables with their places: ``stages.0.rate.initial``."""
    if not isinstance(value, (dict, list)):
        yield place, value
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _flat(inner, f"{place}.{key}" if place else str(key))
