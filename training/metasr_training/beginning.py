"""Whether a network may be begun, or its training be resumed, with these data and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metasr_training.datasets.contrasts import CONTRASTS_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metasr_training.datasets.slices import Slice
    from metasr_training.run_folder import RunFolder
    from metasr_training.train_config import TrainConfig


def check_patients(training: Iterable[Slice], validation: Iterable[Slice]) -> None:
    """Refuse data in which a patient is on both sides, be it with another contrast.

    Raises
    ------
    ValueError
        If there is one; the patients are named.
    """
    sides = [
        {(one.source.removeprefix(f"{CONTRASTS_FOLDER}/"), one.patient) for one in slices}
        for slices in (training, validation)
    ]
    both = sorted(f"{source} {patient}" for source, patient in sides[0] & sides[1])
    if both:
        raise ValueError(
            "expected every patient in one split, found in both training and validation: "
            + ", ".join(both[:10])
        )


def begun_budget(folder: RunFolder, budget: float | None) -> float | None:
    """Return the budget that a network was begun with, or ``budget`` if it has no checkpoint yet.

    Its schedule was shaped for it; another one would move it forwards or back.
    """
    about = folder.read_config()
    if about is None or not folder.checkpoint.exists():
        return budget
    begun: float | None = about["config"]["budget"]
    return begun


def check_unchanged(folder: RunFolder, config: TrainConfig) -> None:
    """Refuse to go on with a run that was configured otherwise.

    Raises
    ------
    ValueError
        If the folder's checkpoint has another configuration; what differs is named.
    """
    about = folder.read_config()
    if about is None or not folder.checkpoint.exists():
        return
    before, now = about["config"], config.model_dump(mode="json")
    different = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    if different:
        found = ", ".join(f"{key} {before.get(key)!r} is now {now.get(key)!r}" for key in different)
        raise ValueError(f"{folder.path} was begun with another configuration: {found}")
