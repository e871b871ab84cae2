"""Runs with several seeds: a folder that holds one run folder for each."""

from __future__ import annotations

from pathlib import Path
from statistics import stdev
from typing import TYPE_CHECKING, Any

from metasr_training.run_folder import write_json
from metasr_training.trained import run_record

if TYPE_CHECKING:
    from collections.abc import Sequence

SEEDS = "seeds"


def seed_folders(run: Path, first: int, count: int) -> dict[int, Path]:
    """Return the run folders of seeds; a single seed uses the run folder itself.

    Raises
    ------
    ValueError
        If there is to be less than one seed.
    """
    if count < 1:
        raise ValueError(f"expected a number of seeds from 1 on, found {count}")
    seeds = range(first, first + count)
    return {seed: run if count == 1 else seed_folder(run, seed) for seed in seeds}


def seed_folder(run: Path, seed: int) -> Path:
    """Return the run folder of one of a run's several seeds."""
    return run / f"seed-{seed}"


def spread_over_seeds(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation of a value of each seed; None for a single seed.

    Its square is the sum of squared differences from the mean, over the number of seeds less one.
    """
    return stdev(values) if len(values) > 1 else None


def seed_runs(run: Path) -> dict[int, Path]:
    """Return the run folders of a run with several seeds by seed; {} for a run with one.

    Raises
    ------
    FileNotFoundError
        If the folder is not a run.
    """
    return {seed: seed_folder(run, seed) for seed in run_record(run).get(SEEDS, [])}


def record_seeds(run: Path, record: dict[str, Any], seeds: list[int]) -> None:
    """Write the ``run.json`` of a run with several seeds, after that of the first of them."""
    write_json(run / "run.json", record | {"seed": seeds[0], SEEDS: seeds})


def check_seeds(run: Path, seeds: list[int]) -> None:
    """Refuse to go on with other seeds than a run was begun with; further ones may be added.

    Raises
    ------
    ValueError
        If the run has other seeds.
    """
    begun, is_alone = _begun(run)
    if begun and (seeds[: len(begun)] != begun or is_alone != (len(seeds) == 1)):
        raise ValueError(
            f"expected {described(begun)}, with which {run} was begun, found {described(seeds)}"
        )


def _begun(run: Path) -> tuple[list[int], bool]:
    """Return the seeds that a run was begun with, none if it was not, and whether there is one.

    The run folders of the seeds tell where the run itself has no record, as those of older
    fine-tunings.
    """
    if (run / "run.json").exists():
        record = run_record(run)
        return record.get(SEEDS) or [record["seed"]], SEEDS not in record
    return sorted(run_record(path.parent)["seed"] for path in run.glob("seed-*/run.json")), False


def described(seeds: list[int]) -> str:
    """Describe seeds in words: ``seed 0`` or ``seeds 0 to 2``."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
