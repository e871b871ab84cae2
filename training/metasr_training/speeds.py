"""How fast recipes train on this machine: remembered from runs, or probed."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, PositiveFloat, ValidationError

from metasr_training.campaign import Campaign
from metasr_training.catalogue import Experiment, Method
from metasr_training.condition import Condition
from metasr_training.datasets.cache import default_folder
from metasr_training.datasets.slices import Slice
from metasr_training.loop import Trainer
from metasr_training.recipe import Recipe
from metasr_training.run_folder import RunFolder, hardware, write_json
from napari_metasr.errors import in_words
from napari_metasr.files import making_folders

log = logging.getLogger(__name__)

FEWEST_UPDATES = 20
"""A run with fewer tells nothing: it was starting up."""

SIDE = 256
SLICES = 8


class Speed(BaseModel, extra="forbid", frozen=True):
    """Updates a second of a recipe under a preset.

    Attributes
    ----------
    updates_per_second
        Validations and checkpoints counted, where a whole run was remembered.
    source
        ``run`` or ``probe``.
    """

    updates_per_second: PositiveFloat
    source: Literal["run", "probe"]


def speeds_file() -> Path:
    """Return where speeds are remembered: beside the cache of decoded slices."""
    return default_folder().parent / "speeds.json"


def _read() -> dict[str, dict[str, Speed]]:
    try:
        stored = json.loads(speeds_file().read_text(encoding="utf-8"))
        return {
            machine: {name: Speed.model_validate(one) for name, one in speeds.items()}
            for machine, speeds in stored.items()
        }
    except (OSError, ValueError, AttributeError, ValidationError):  # nothing that cannot be redone
        return {}


def remembered(device: str) -> dict[str, Speed]:
    """Read the speeds remembered for this machine, by ``RECIPE/PRESET``."""
    return _read().get(hardware(device), {})


def remember(recipe: str, preset: str, device: str, speed: Speed) -> None:
    """Remember a speed on this machine; that of a run replaces a probe's, not the reverse.

    One that cannot be written is said, and does without.
    """
    speeds = _read()
    here = speeds.setdefault(hardware(device), {})
    before = here.get(f"{recipe}/{preset}")
    if before is not None and before.source == "run" and speed.source == "probe":
        return
    here[f"{recipe}/{preset}"] = speed
    file = speeds_file()
    stored = {
        machine: {name: one.model_dump() for name, one in found.items()}
        for machine, found in speeds.items()
    }
    try:
        with making_folders([file.parent]):
            write_json(file, stored)
    except OSError as error:
        log.warning("%s: the speed cannot be remembered (%s)", file, in_words(error))


def remember_run(recipe: str, preset: str, device: str, updates: int, seconds: float) -> None:
    """Remember the speed of a network that was trained, if it had enough updates."""
    if updates >= FEWEST_UPDATES and seconds > 0:
        remember(recipe, preset, device, Speed(updates_per_second=updates / seconds, source="run"))


def made_up(split: str, domain: str, contrasts: bool = False) -> list[Slice]:
    """Make textured discs with a bright spot, as large and as fast to draw as real slices."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    found = []
    for number in range(SLICES):
        rng = np.random.default_rng(number)
        texture = rng.normal(130, 20, (SIDE, SIDE))
        spot = (y - 0.2) ** 2 + (x + 0.1 * number / SLICES) ** 2 < 0.03
        image = np.where(spot, 240, np.where(y**2 + x**2 < 0.8, texture, 0))
        name = f"{split}-{number}"
        pixels = image.clip(0, 255).astype(np.uint8)
        mask = spot if domain == "mri" else None
        found.append(Slice(pixels, (0.0, 255.0), f"made-up-{domain}", name, name, mask))
    return found


def probe(
    recipe: Recipe,
    preset: str,
    condition: Condition,
    device: str,
    seconds: float,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Speed:
    """Train for a few seconds on made-up slices.

    Parameters
    ----------
    seconds
        Updates begin until these are over, at least one after one that is not counted.

    Raises
    ------
    ValueError
        If the recipe cannot be trained on made-up slices.
    """
    method = Method(label=recipe.name, recipe=recipe.name)
    wanted = Experiment(id="probe", title="", source="", kind="time", methods=(method,))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        campaign = Campaign(
            wanted, preset, folder, folder, device=device,
            networks=[(recipe, condition)], slices=made_up,
        )  # fmt: skip
        config = recipe.resolve(preset, condition)
        config = config.model_copy(update={"validation_batches": 1})
        trainer = Trainer(config, campaign.task(config), RunFolder(folder / "run"), device=device)
        drawn = trainer.drawing.after(trainer.update)
        trainer.step(next(drawn))
        began = clock()
        updates, elapsed = 0, 0.0
        while elapsed < seconds:
            trainer.step(next(drawn))
            updates, elapsed = updates + 1, clock() - began
        drawn.close()
    return Speed(updates_per_second=updates / elapsed, source="probe")
