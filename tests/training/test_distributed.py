"""Two processes that share a batch have the gradient of the whole batch."""

from __future__ import annotations

import os

import pytest
import torch
from fakes.training import PAIRS, config, slices
from torch import distributed, multiprocessing

from metasr_training.distributed import World
from metasr_training.loop import Trainer
from metasr_training.run_folder import RunFolder
from metasr_training.tasks.super_resolution import SuperResolution

EDSR = {"network": "edsr", "options": {"features": 8, "blocks": 2, "scale": 2}}
SRGAN_EVAL = {"network": "srgan", "options": {"features": 8, "blocks": 1, "scale": 2}}


def gradient(folder, options, world):
    """The gradient of the L1 loss on this process's part of a batch of four, averaged."""
    torch.set_num_threads(1)
    run = config(pairs=PAIRS.model_copy(update={"batch": 4, "scales": (2.0,)}), **options)
    found = slices(5)
    task = SuperResolution(run, {"mri": found[:4]}, found[4:])
    trainer = Trainer(run, task, RunFolder(folder), world=world)
    trainer.generator.network.eval()  # batch statistics are of a process's own part
    batch = task.draw(3, "mri", world.rank, world.size)
    loss = task.evaluate(trainer.generator.network, batch, run.stages[0], trainer.device).losses[
        "l1"
    ]
    loss.backward()
    world.average_gradients(trainer.generator.network.parameters())
    return torch.cat([one.grad.flatten() for one in trainer.generator.network.parameters()])


def part(rank, folder, options):
    """What one process does; its gradient goes to a file.

    It leaves without the interpreter's shutdown, in which torch's own threads sometimes abort.
    """
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'rendezvous'}", rank=rank, world_size=2
    )
    world = World(rank, 2)
    torch.save(gradient(folder / str(rank), options, world), folder / f"gradient-{rank}.pt")
    assert world.agree(float(rank)) == 0.0
    world.close()
    os._exit(0)


@pytest.mark.parametrize("options", [EDSR, SRGAN_EVAL], ids=["edsr", "srgan"])
def test_two_processes_have_the_gradient_of_the_whole_batch(tmp_path, options):
    whole = gradient(tmp_path / "whole", options, World())
    multiprocessing.spawn(part, (tmp_path, options), nprocs=2)
    first, second = (torch.load(tmp_path / f"gradient-{rank}.pt") for rank in (0, 1))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, whole, rtol=1e-4, atol=1e-7)
    assert whole.abs().max() > 1e-4


def test_one_process_changes_nothing():
    value = torch.tensor([3.0])
    assert World().average(value) is value
    assert World().agree(2.5) == 2.5
