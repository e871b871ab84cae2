"""``metasr-train``: train every network of an experiment."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from metasr_training.campaign import Campaign, InterruptedRun
from metasr_training.catalogue import Experiment, check_starts, experiment, read_recipe
from metasr_training.command_line import DeviceOption, call, interruptible, seconds, warnings_once
from metasr_training.condition import Condition
from metasr_training.datasets.describe import describe
from metasr_training.datasets.pack import pack
from metasr_training.datasets.readers import Unreadable
from metasr_training.distributed import join
from metasr_training.finetune import finetune
from metasr_training.listing import list_training
from metasr_training.overrides import parsed, with_settings
from metasr_training.recipe import Recipe, check_preset
from metasr_training.risk import risk_head
from metasr_training.run_folder import locked
from metasr_training.seeds import check_seeds, record_seeds, seed_folders
from metasr_training.speeds import remember_run
from metasr_training.trained import NETWORKS, finished, run_record
from napari_metasr.cli.exit_codes import FAILED, INTERRUPTED
from napari_metasr.cli.standard_output import ending_with_its_reader
from napari_metasr.devices import resolve_device
from napari_metasr.errors import in_words
from napari_metasr.zoom.engine import Precision


def train(
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="EXPERIMENT")],
    data: Path,
    output: Path,
    preset: str = "laptop",
    resume: bool = False,
    budget: str | None = None,
    seed: int = 0,
    seeds: int = 1,
    device: DeviceOption = "auto",
    unreadable: Unreadable = "stop",
    recipe: Path | None = None,
    set: tuple[str, ...] = (),  # noqa: A002 - as it is typed
    precision: Precision | None = None,
) -> None:
    """Train every network of an experiment.

    Other verbs: ``metasr-train list`` lists experiments, recipes and what they cost,
    ``metasr-train finetune`` fits a model to your own scans, ``metasr-train risk-head`` trains the
    error head of a model, ``metasr-train pack`` packs a data folder into one file, ``metasr-train
    describe`` says what a data folder holds.

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
        Go on from the run's checkpoints; a run that is finished is compared with what is asked for,
        and with its data, and returns.
    budget
        How long all networks and seeds together may train, such as 2h: the schedules are shaped
        to end then.
    seed
        The first seed, of weights and batches.
    seeds
        How many seeds to train every network with, each in a run folder of its own in the run's:
        tables have the mean over the trainings and their sample standard deviation.
    unreadable
        What to do with a file that cannot be read: stop, or name and skip it.
    recipe
        A TOML file in place of the experiment's recipe of the same name.
    set
        KEY=VALUE of the recipes, such as losses.adversarial=0.005 or rate.initial=2e-4: over
        those of their files, in every network that has the key.
    precision
        Of convolutions, over the recipes': these take the quicker one on the machine.
    """
    wanted = experiment(name)
    check_preset(preset)
    settings = parsed(set) | ({"precision": precision} if precision else {})
    networks = changed_networks(wanted, read_recipe(recipe) if recipe else None, settings)
    duration = seconds(budget) if budget else None
    where = str(resolve_device(device))
    world = join(where)
    if not world.first:
        logging.getLogger().setLevel(logging.WARNING)
    folders = seed_folders(output, seed, seeds)
    for folder in folders.values():
        there = [one.name for one in (folder / NETWORKS).glob("*") if finished(folder, one.name)]
        check_starts(networks, there)
    campaigns = [
        Campaign(
            wanted,
            preset,
            data,
            folder,
            budget=duration / seeds if duration else None,
            seed=number,
            device=where,
            world=world,
            unreadable=unreadable,
            interrupts=interruptible,
            networks=networks,
        )
        for number, folder in folders.items()
    ]
    if not world.first:
        for campaign in campaigns:
            campaign.train()
        return
    with locked(output):
        if (output / "run.json").exists() and not resume:
            raise FileExistsError(f"{output} holds a run already; add --resume to go on with it")
        check_seeds(output, list(folders))
        for campaign in campaigns:
            campaign.check()
        for campaign in campaigns:
            campaign.record()
            if seeds > 1:
                record_seeds(output, run_record(campaign.run_folder), list(folders))
            campaign.train()
    world.close()
    for trained in (one for campaign in campaigns for one in campaign.trained_now):
        remember_run(trained.config.recipe, preset, where, trained.updates, trained.seconds)
    for campaign in campaigns:
        print(f"Trained in {campaign.run_folder}:")
        print("\n".join(f"  {line}" for line in campaign.summary()))
    print(f"Next: metasr-evaluate experiment {wanted.id} --output {output}")


def changed_networks(
    wanted: Experiment, own: Recipe | None, settings: dict[str, Any]
) -> list[tuple[Recipe, Condition]]:
    """Return the networks of an experiment with the user's recipe and settings applied.

    Raises
    ------
    ValueError
        If no network has the recipe's name or a setting's key.
    """
    recipes, conditions = zip(*wanted.networks(), strict=True)
    names = tuple(dict.fromkeys(one.name for one in recipes))
    if own is not None and own.name not in names:
        raise ValueError(
            f"expected a recipe named like one of {wanted.id} ({', '.join(names)}), found "
            f"{own.name}"
        )
    chosen = [own if own is not None and own.name == one.name else one for one in recipes]
    return list(zip(with_settings(chosen, settings), conditions, strict=True))


def pack_data(arguments: Sequence[str]) -> None:
    """Pack a data folder, and say how much it is."""
    packing = call(pack, "metasr-train pack", arguments)
    print(f"{sum(packing.kept.values()):,} slices, {packing.size / 2**20:.1f} MiB")


VERBS: dict[str, Callable[[Sequence[str]], None]] = {
    "list": lambda arguments: call(list_training, "metasr-train list", arguments),
    "pack": pack_data,
    "describe": lambda arguments: call(describe, "metasr-train describe", arguments),
    "finetune": lambda arguments: call(finetune, "metasr-train finetune", arguments),
    "risk-head": lambda arguments: call(risk_head, "metasr-train risk-head", arguments),
}
"""What else there is than to train an experiment, by the first argument."""

GO_ON = "; go on with --resume"
ENDING_AT_ONCE = VERBS.keys() - {"finetune"}
"""The verbs that keep nothing to go on from."""


@ending_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with warnings_once():
        return _run(sys.argv[1:] if arguments is None else arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        if arguments and arguments[0] in VERBS:
            VERBS[arguments[0]](arguments[1:])
        else:
            call(train, "metasr-train", arguments)
    except InterruptedRun as stopped:
        print(f"metasr-train: {stopped}{GO_ON}", file=sys.stderr)
        return INTERRUPTED
    except KeyboardInterrupt:
        kept = not arguments or arguments[0] not in ENDING_AT_ONCE
        print(f"metasr-train: stopped{GO_ON if kept else ''}", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"metasr-train: {in_words(error)}", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
