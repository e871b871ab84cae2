"""How long the published schedules would take: operations counted, speed measured, the rest told.

The operations of one update are counted (convolutions and matrix products of both players and of
the perceptual features, forward and backward), with one patch a batch, and multiplied. A run of the
laptop preset says how many operations a second the machine does in training; both together say how
long the paper preset would take on it. For an accelerator the rate is given by hand.

    python benchmarks/schedules.py --data DATA --run RUN [--tera 100]
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch.utils.flop_counter import FlopCounterMode

from common.command_line import parser_of
from common.printing import print_head, print_row
from metasr_training.campaign import Campaign
from metasr_training.catalogue import experiment, experiment_ids
from metasr_training.drawing import Drawn
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder
from metasr_training.schedule import Place
from metasr_training.trained import finished, network_folder

if TYPE_CHECKING:
    from metasr_training.condition import Condition
    from metasr_training.recipe import Recipe

DAY = 86_400
COUNTED = 3


class NoModules:
    """Stands for the counter's tracker of modules, which cannot follow a gradient's gradient."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None:
        """Start nothing; there is nothing to track."""

    def __exit__(self, *error: object) -> None:
        """Stop nothing; nothing was tracked."""


def operations(data: Path, one: Recipe, condition: Condition, preset: str) -> tuple[float, int]:
    """Count the operations of one update, and the updates of the whole schedule, under a preset."""
    config = one.resolve(preset, condition)
    which = "pairs" if config.pairs else "detection"
    drawing: Any = getattr(config, which)
    if config.pairs:  # as many operations as with a detector, which may not be there
        drawing = drawing.model_copy(update={"roi": "mask"})
    features = config.perceptual.model_copy(update={"network": "vgg19", "weights": "random"})
    if config.perceptual.network == "lesion-detector":
        features = features.model_copy(update={"layer": "relu2_2"})
    few = {"slices_per_source": 8, "validation_batches": 1, "perceptual": features}
    single = config.model_copy(update=few | {which: drawing.model_copy(update={"batch": 1})})
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(experiment("zoom"), preset, data, Path(folder))
        task = campaign.task(single)
        trainer = Trainer(single, task, RunFolder(Path(folder) / "network"))
        for critic in trainer.critics.values():
            critic.network.eval()
        stage = single.stages[-1]
        counter = FlopCounterMode(display=False)
        counter.mod_tracker = cast("Any", NoModules())
        with counter:
            for update in range(COUNTED):  # batches of random scales differ
                trainer.step(
                    Drawn(stage, Place(0, 0.0, 0), [task.draw(update, stage.domain, 0, 1)])
                )
        own = config.stages[0].losses if config.detection else {"mse": 1}
        pixels_alone = [
            stage.model_copy(update={"losses": own, "game": None}) for stage in config.stages
        ]
        whole = campaign.task(
            config.model_copy(update={"stages": tuple(pixels_alone), which: drawing})
        )
        schedule = trainer.schedule.of(
            config.stages, [whole.updates_per_epoch(stage.domain) for stage in config.stages], None
        )
    return counter.get_total_flops() / COUNTED * drawing.batch, schedule.total


def measured_speed(run: Path, name: str) -> float:
    """Return a network's updates per second: the median of its log, or the mean of a short run."""
    lines = RunFolder(network_folder(run, name)).history()
    logged = [one["updates_per_second"] for one in lines if "updates_per_second" in one]
    return statistics.median(logged or [lines[-1]["update"] / lines[-1]["seconds"]])


def main() -> None:
    """Print a row of each network of a run."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder, for epochs")
    parser.add_argument("--run", type=Path, required=True, help="a run of the laptop preset")
    parser.add_argument(
        "--tera",
        type=float,
        default=100.0,
        help="10^12 operations a second that an accelerator is assumed to sustain in training",
    )
    options = parser.parse_args()
    found: dict[str, tuple[Recipe, Condition]] = {}
    for name in experiment_ids():
        for one, condition in experiment(name).networks():
            if finished(options.run, one.network_name(condition)) and not condition.noise:
                found.setdefault(one.network_name(condition), (one, condition))
    print_head(
        "network",
        "updates, paper",
        "10^12 operations an update",
        "two cores: 10^9 a second",
        "two cores: days",
        f"at {options.tera:g} x 10^12 a second (assumed): hours",
    )
    for name, (one, condition) in found.items():
        paper, updates = operations(options.data, one, condition, "paper")
        laptop, _ = operations(options.data, one, condition, "laptop")
        rate = laptop * measured_speed(options.run, name)
        whole = paper * updates
        print_row(
            name,
            f"{updates:,}",
            f"{paper / 1e12:.2f}",
            f"{rate / 1e9:.0f}",
            f"{whole / rate / DAY:.1f}",
            f"{whole / (options.tera * 1e12) / 3600:.1f}",
        )


if __name__ == "__main__":
    main()
