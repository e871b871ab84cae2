"""``metasr-train``: train a network."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import tyro

from metasr_training.config import TrainConfig
from metasr_training.datasets.slices import load_slices, some_of_each
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder


def train(
    data: Path,
    output: Path,
    config: Annotated[TrainConfig, tyro.conf.arg(name="")] = TrainConfig(),
    resume: bool = False,
    device: str = "cpu",
) -> None:
    """Train Meta-SRGAN on brain MRI slices.

    Parameters
    ----------
    data
        A folder with tumour-slices/ in it.
    output
        The run folder.
    config
        The run.
    resume
        Go on from the folder's checkpoint, if there is one.
    device
        A torch device.
    """
    folder = RunFolder(output)
    if not resume and folder.checkpoint.exists():
        raise FileExistsError(f"{output} holds a run already; add --resume to go on with it")
    trainer = Trainer(
        config,
        load_slices(data, "train"),
        some_of_each(load_slices(data, "val"), config.validation_slices),
        folder,
        device,
    )
    if not (resume and trainer.resume()):
        folder.write_config(config)
    try:
        trainer.run()
    except KeyboardInterrupt:
        trainer.save()
        raise SystemExit(f"stopped at update {trainer.update}; go on with --resume") from None


def main() -> int:
    """Run the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        tyro.cli(train, prog="metasr-train")
    except (ValueError, FileNotFoundError, FileExistsError, FloatingPointError) as error:
        print(f"metasr-train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
