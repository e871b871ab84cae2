"""Is the network or the loader the limit? Seconds to draw a batch beside seconds of an update.

A batch is drawn by one thread while the update before it runs on all others, so training waits for
its data only where drawing takes longer than an update.

    python benchmarks/batches.py --data DATA
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch
import tyro
from threadpoolctl import threadpool_limits

from metasr_training.campaign import Campaign
from metasr_training.catalogue import experiment, recipe
from metasr_training.condition import Condition
from metasr_training.drawing import Drawn
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder, hardware
from metasr_training.schedule import Place

CASES = (
    ("lfsr-detection", "lesion-detector", 1.0),
    ("zoom", "zoom", 2.0),
    ("meta-srgan-table1", "srgan", 2.0),
    ("lfsr-table1", "mse", 4.0),
    ("lfsr-table1", "mse-roi", 4.0),
    ("ms-gan-table1", "wgan-gp", 4.0),
)


def measure(data: Path, name: str, wanted: str, scale: float, repeats: int) -> tuple[float, float]:
    """Median seconds to draw a batch on one thread, and of an update, at the laptop preset."""
    condition = Condition(scale=scale)
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(experiment(name), "laptop", data, Path(folder))
        config = recipe(wanted).resolve("laptop", condition)
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
        domain = config.stages[0].domain
        drawing, updating = [], []
        for update in range(repeats + 1):
            started = time.perf_counter()
            with threadpool_limits(1, user_api="blas"):
                batch = task.draw(update, domain, 0, 1)
            drawn = time.perf_counter()
            trainer.step(Drawn(config.stages[0], Place(0, 0.0, 0), [batch]))
            drawing.append(drawn - started)
            updating.append(time.perf_counter() - drawn)
    return statistics.median(drawing[1:]), statistics.median(updating[1:])


def main(data: Path, repeats: int = 7) -> None:
    """Print a table.

    Parameters
    ----------
    data
        The data folder.
    repeats
        Batches of each recipe; medians are shown.
    """
    print(f"{hardware('cpu')}, torch {torch.__version__}\n")
    print("| recipe | drawing a batch | an update | drawing / update |")
    print("|---|---|---|---|")
    for name, wanted, scale in CASES:
        draw, update = measure(data, name, wanted, scale, repeats)
        print(f"| {wanted} | {draw * 1e3:.0f} ms | {update * 1e3:.0f} ms | {draw / update:.2f} |")


if __name__ == "__main__":
    tyro.cli(main)
