"""Is the network or the loader the limit? Seconds to draw a batch beside seconds of an update.

A batch is drawn by one thread while the update before it runs on all others, so training waits for
its data only where drawing takes longer than an update.

    python benchmarks/batches.py --data DATA [--repeats 7] [--only zoom mse]
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from common.command_line import parser_of
from common.printing import machine_text, print_head, print_row
from metasr_training.campaign import Campaign
from metasr_training.catalogue import experiment, recipe
from metasr_training.condition import Condition
from metasr_training.drawing import Drawn
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder
from metasr_training.schedule import Place

CASES = {
    "lesion-detector": ("lfsr-detection", 1.0),
    "zoom": ("zoom", 2.0),
    "srgan": ("meta-srgan-table1", 2.0),
    "mse": ("lfsr-table1", 4.0),
    "mse-roi": ("lfsr-table1", 4.0),
    "wgan-gp": ("ms-gan-table1", 4.0),
}
"""Recipe to one of its experiments and its scale."""


def measure(data: Path, name: str, repeats: int) -> tuple[float, float]:
    """Median seconds to draw a recipe's batch on one thread, and of its update, as on a laptop."""
    of, scale = CASES[name]
    condition = Condition(scale=scale)
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(experiment(of), "laptop", data, Path(folder))
        config = recipe(name).resolve("laptop", condition)
        config = config.model_copy(
            update={
                "slices_per_source": 100,
                "perceptual": config.perceptual.model_copy(
                    update={"network": "vgg19", "weights": "random", "layer": "relu2_2"}
                ),
            }
        )
        task = campaign.task(config)
        trainer = Trainer(config, task, RunFolder(Path(folder) / "network"))
        stage = config.stages[0]
        drawing, updating = [], []
        for update in range(repeats + 1):
            started = time.perf_counter()
            with threadpool_limits(1, user_api="blas"):
                batch = task.draw(update, stage.domain, 0, 1)
            drawn = time.perf_counter()
            trainer.step(Drawn(stage, Place(0, 0.0, 0), [batch]))
            drawing.append(drawn - started)
            updating.append(time.perf_counter() - drawn)
    return statistics.median(drawing[1:]), statistics.median(updating[1:])


def main() -> None:
    """Print a row of each recipe."""
    parser = parser_of(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--repeats", type=int, default=7, help="batches, of which the median")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    print(f"{machine_text()}\n")
    print_head("recipe", "drawing a batch", "an update", "drawing / update")
    for name in options.only:
        draw, update = measure(options.data, name, options.repeats)
        print_row(name, f"{draw * 1e3:.0f} ms", f"{update * 1e3:.0f} ms", f"{draw / update:.2f}")


if __name__ == "__main__":
    main()
