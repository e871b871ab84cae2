"""``metasr-train``: train every network of an experiment."""

from __future__ import annotations

import logging
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Annotated, Literal

import tyro

from metasr_training.campaign import Campaign, InterruptedRun
from metasr_training.catalogue import experiment
from metasr_training.datasets.pack import pack
from metasr_training.distributed import join
from metasr_training.recipe import check_preset
from metasr_training.run_folder import locked
from napari_metasr.devices import resolve_device

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds(duration: str) -> float:
    """A duration such as ``2h``, ``90m``, ``1.5h``, ``7200`` in seconds.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", duration.strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"expected a duration such as 2h, 90m or 7200, found {duration!r}")
    return float(match[1]) * UNITS[match[2]]


@contextmanager
def interruptible() -> Iterator[Event]:
    """An event that Ctrl-C or a termination signal sets; a second one ends the process."""
    asked = Event()

    def ask(number: int, frame: object) -> None:
        asked.set()
        for one, handler in before.items():
            signal.signal(one, handler)

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def train(
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="EXPERIMENT")],
    data: Path,
    output: Path,
    preset: str = "laptop",
    resume: bool = False,
    budget: str | None = None,
    seed: int = 0,
    device: str = "cpu",
    unreadable: Literal["stop", "skip"] = "stop",
) -> None:
    """Train every network of an experiment.

    ``metasr-train pack`` packs a data folder into one file instead.

    Parameters
    ----------
    name
        The experiment; an unknown name lists them.
    data
        A folder holding any of tumour-slices/, natural/, a BraTS tree or plain images; or what
        ``metasr-train pack`` wrote.
    output
        The run folder. Experiments that share it share the networks they have in common.
    preset
        paper, workstation, laptop or smoke.
    resume
        Go on from the run's checkpoints; a run that is finished returns at once.
    budget
        How long all networks together may train, such as 2h: the schedules are shaped to end
        then.
    seed
        Of weights and batches.
    device
        auto, cuda, mps or cpu.
    unreadable
        What to do with a file that cannot be read: stop, or name and skip it.
    """
    wanted = experiment(name)
    check_preset(preset)
    duration = seconds(budget) if budget else None
    device = str(resolve_device(device))
    world = join(device)
    if not world.first:
        logging.getLogger().setLevel(logging.WARNING)
    with interruptible() as stop:
        campaign = Campaign(
            wanted,
            preset,
            data,
            output,
            budget=duration,
            seed=seed,
            device=device,
            world=world,
            unreadable=unreadable,
            stop=stop,
        )
        if not world.first:
            campaign.train()
            return
        with locked(output):
            if (output / "run.json").exists() and not resume:
                raise FileExistsError(
                    f"{output} holds a run already; add --resume to go on with it"
                )
            campaign.record()
            campaign.train()
    world.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        if arguments and arguments[0] == "pack":
            packing = tyro.cli(pack, prog="metasr-train pack", args=arguments[1:])
            print(f"{sum(packing.kept.values()):,} slices, {packing.size / 2**20:.1f} MiB")
        else:
            tyro.cli(train, prog="metasr-train", args=arguments)
    except InterruptedRun as stopped:
        print(f"metasr-train: {stopped}; go on with --resume", file=sys.stderr)
        return 130
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"metasr-train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
