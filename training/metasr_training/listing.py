"""``metasr-train list``: experiments, recipes, presets, and what each costs on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tqdm import tqdm

from metasr_training.catalogue import Experiment, experiment, experiment_ids, recipe, recipe_names
from metasr_training.command_line import DeviceOption
from metasr_training.condition import Condition
from metasr_training.recipe import PRESETS, Recipe, check_preset
from metasr_training.speeds import Speed, remember, remembered
from metasr_training.speeds import probe as probed_speed
from napari_metasr.devices import resolve_device

PRESET_WORDS = {
    "paper": "the published schedule, for a GPU",
    "workstation": "a part of it",
    "laptop": "hours on two cores",
    "smoke": "a minute, to see that it works",
}


@dataclass(frozen=True)
class Cost:
    """What networks cost together.

    Attributes
    ----------
    updates
        Of all; None where a schedule is in epochs, which depend on the data.
    seconds
        Of those whose speed is known.
    unknown
        How many have no known speed or length.
    """

    updates: int | None
    seconds: float
    unknown: int

    @property
    def updates_text(self) -> str:
        """Updates, or that they depend on the data."""
        return "by epochs" if self.updates is None else f"{self.updates:,}"

    @property
    def time_text(self) -> str:
        """Hours, minutes and seconds, with what is not in them; ``-`` where nothing is known."""
        if not self.seconds:
            return "-"
        known = str(timedelta(seconds=round(self.seconds)))
        return f"{known} + {self.unknown} unknown" if self.unknown else known


def cost(
    networks: Iterable[tuple[Recipe, Condition]], preset: str, speeds: dict[str, Speed]
) -> Cost:
    """Estimate what networks cost under a preset."""
    updates, seconds, unknown = 0, 0.0, 0
    in_epochs = False
    for one, condition in networks:
        lengths = [stage.updates for stage in one.resolve(preset, condition).stages]
        speed = speeds.get(f"{one.name}/{preset}")
        length = None if None in lengths else sum(filter(None, lengths))
        in_epochs |= length is None
        updates += length or 0
        if length is None or speed is None:
            unknown += 1
        else:
            seconds += length / speed.updates_per_second
    return Cost(None if in_epochs else updates, seconds, unknown)


def _conditions(experiments: Iterable[Experiment]) -> dict[str, Condition]:
    """Map each recipe to a condition that it is trained under."""
    found: dict[str, Condition] = {}
    for one in experiments:
        for trained, condition in one.networks():
            found.setdefault(trained.name, condition)
    return found


def _probed(recipes: Iterable[Recipe], preset: str, device: str, seconds: float) -> None:
    conditions = _conditions(map(experiment, experiment_ids()))
    for one in tqdm(list(recipes), desc="probing", unit="recipe"):
        condition = conditions.get(one.name, Condition(scale=2))
        try:
            remember(
                one.name, preset, device, probed_speed(one, preset, condition, device, seconds)
            )
        except ValueError as error:
            print(f"{one.name} cannot be probed: {error}", file=sys.stderr)


def _print_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(f"  {line.rstrip()}")


def list_training(
    preset: str = "laptop",
    probe: bool = False,
    seconds: float = 3.0,
    device: DeviceOption = "auto",
) -> None:
    """List experiments, recipes and presets, with what each costs on this machine.

    Speeds are those that earlier runs on this machine had (run), or a short probe's (probe).

    Parameters
    ----------
    preset
        paper, workstation, laptop or smoke: whose schedules are listed.
    probe
        Train every recipe for a few seconds on made-up images, and remember how fast that was.
    seconds
        How long to probe each.
    """
    check_preset(preset)
    if not 0 < seconds < float("inf"):
        raise ValueError(f"expected a positive number of seconds, found {seconds:g}")
    where = str(resolve_device(device))
    recipes = [recipe(name) for name in recipe_names()]
    if probe:
        _probed(recipes, preset, where, seconds)
    speeds = remembered(where)
    print(f"Experiments, preset {preset}: metasr-train ID --data DATA --output RUN")
    rows = []
    for one in map(experiment, experiment_ids()):
        found = cost(one.networks(), preset, speeds)
        networks = len(one.networks())
        rows.append((one.id, str(networks), found.updates_text, found.time_text, one.title))
    _print_table(("id", "networks", "updates", "time", "what"), rows)
    print("\nRecipes")
    rows = []
    for each in recipes:
        found = cost([(each, Condition(scale=2))], preset, speeds)
        speed = speeds.get(f"{each.name}/{preset}")
        words = f"{speed.updates_per_second:.3g} ({speed.source})" if speed else "-"
        rows.append((each.name, found.updates_text, words, found.time_text, each.title))
    _print_table(("name", "updates", "updates/s", "time", "what"), rows)
    print("\nPresets")
    _print_table(("name", "what"), [(name, PRESET_WORDS[name]) for name in PRESETS])
    if not speeds:
        print("\nNo speed of this machine is known yet: --probe measures, and runs are remembered.")
