"""``metasr-train finetune``: a model for the scans of one scanner, in one command."""

from __future__ import annotations

from pathlib import Path

from metasr_training.cards import Stated
from metasr_training.catalogue import recipe_or_file
from metasr_training.command_line import DeviceOption, interruptible, seconds
from metasr_training.datasets.readers import Unreadable
from metasr_training.fine_tuning import FineTuning, begun_start, fine_tune
from metasr_training.overrides import check_arrived, parsed, with_settings
from metasr_training.recipe import check_preset
from metasr_training.run_folder import locked
from napari_metasr.devices import resolve_device
from napari_metasr.weights import DEFAULT_MODEL, user_folder
from napari_metasr.zoom.engine import Precision


def finetune(
    data: Path,
    name: str,
    start: str | None = None,
    budget: str | None = None,
    split: Path | None = None,
    output: Path | None = None,
    resume: bool = False,
    title: str | None = None,
    contrast: tuple[str, ...] = (),
    licence: str | None = None,
    recipe: str = "finetune",
    set: tuple[str, ...] = (),  # noqa: A002 - as it is typed
    precision: Precision | None = None,
    preset: str = "laptop",
    seed: int = 0,
    seeds: int = 1,
    slices: int = 24,
    device: DeviceOption = "auto",
    unreadable: Unreadable = "stop",
) -> None:
    """Fit a model to your own scans, measure it on patients left out, and install it.

    Parameters
    ----------
    data
        A folder of NIfTI volumes or gray pictures of several patients, named after them; or
        another data folder as metasr-train takes it.
    name
        What the model is to be called in docks and on the command line.
    start
        The model to begin with: a name of ``napari-metasr models``, or the path of its weights.
        By default meta-srgan, or with ``--resume`` what the run was begun with.
    budget
        How long to train, such as 20m or 1h, all seeds together; else as long as the preset says.
    split
        A file that says which patients train, validate and test: JSON ({split: {source:
        [patients]}}) or CSV (source, patient, split). Drawn by patient where there is none.
    output
        The run folder; by default NAME-run.
    resume
        Go on with the run from its checkpoints.
    title
        What people read in docks and on results; by default the name.
    contrast
        Contrasts of the scans, such as FLAIR; by default what their files' names tell.
    licence
        Of the new weights, as SPDX writes it; by default the start's.
    recipe
        How to train: a recipe's name, or a TOML file of your own.
    set
        KEY=VALUE of the recipe, such as rate.initial=1e-4 or pairs.batch=16.
    precision
        Of convolutions, over the recipe's: that takes the quicker one on the machine.
    preset
        paper, workstation, laptop or smoke: how long the recipe's schedule is.
    seed
        The first seed, of weights and batches.
    seeds
        How many seeds to train with: the table has their mean and sample standard deviation, and
        the one that validates best is installed.
    slices
        How many slices of patients left out are measured; 0 for all.
    unreadable
        What to do with a file that cannot be read: stop, or name and skip it.
    """
    check_preset(preset)
    duration = seconds(budget) if budget else None
    if seeds < 1:
        raise ValueError(f"expected a number of seeds from 1 on, found {seeds}")
    if slices < 0:
        raise ValueError(f"expected a number of slices from 0 on, found {slices}")
    stated = Stated(title=title, contrasts=contrast, licence=licence)
    settings = parsed(set) | ({"precision": precision} if precision else {})
    (chosen,) = with_settings([recipe_or_file(recipe)], settings)
    run = Path(f"{name}-run") if output is None else output
    begun = any(run.rglob("config.json"))
    if begun and not resume:
        raise FileExistsError(f"{run} holds a run already; add --resume to go on with it")
    start = start or begun_start(run) or DEFAULT_MODEL
    work = FineTuning.of(
        name,
        start,
        chosen,
        data=data,
        run=run,
        split=split,
        preset=preset,
        unreadable=unreadable,
        stated=stated,
    )
    check_arrived(work.recipe.resolve(preset, work.condition), settings)
    work.check_data()
    with locked(run):
        work.take_split()
        card, found = fine_tune(
            work,
            budget=duration,
            seed=seed,
            seeds=seeds,
            device=str(resolve_device(device)),
            count=slices,
            interrupts=interruptible,
        )
    print(
        f"\nPSNR (dB) on {found.slices} slices of {found.patients} patients left out "
        f"({found.split}):\n\n{found.table()}\n\n"
        f"Better than {start} on {found.better} of {found.patients} patients, by "
        f"{found.gain:+.2f} dB on average. {found.concern}".rstrip()
    )
    print(
        f'{card.name} is installed in {user_folder()}. The docks list it as "{card.title} '
        f'(yours)". Next:\n'
        f"  napari-metasr zoom SCAN.nii.gz --scale 2 --model {card.name} --output out.png\n"
        f"  napari-metasr models"
    )
