"""Runs that are stopped and resumed: checkpoints, logs, budgets, locks."""

from __future__ import annotations

import json
from threading import Event

import pytest
import torch
from fakes.disks import little_room
from fakes.training import config, losses, train, trainer

from metasr_training.beginning import begun_budget, check_unchanged
from metasr_training.run_folder import RunFolder, locked
from metasr_training.stage import Stage


def test_a_resumed_run_is_the_run_that_was_not_stopped(tmp_path):
    train(trainer(tmp_path / "whole"))
    stopped = trainer(tmp_path / "pieces")
    coming = stopped.drawing.after(stopped.update)
    for _ in range(4):
        stopped.step(next(coming))
    coming.close()
    stopped.save()
    resumed = trainer(tmp_path / "pieces")
    assert resumed.resume()
    assert resumed.update == 4
    train(resumed)
    whole, pieces = losses(tmp_path / "whole"), losses(tmp_path / "pieces")
    assert whole.keys() == set(range(1, 13))
    assert all(pieces[update] == whole[update] for update in range(5, 13))
    final = [torch.load(tmp_path / k / "final.pt", weights_only=True) for k in ("whole", "pieces")]
    for key, value in final[0]["network"].items():
        assert torch.equal(value, final[1]["network"][key])


def test_a_run_starts_from_another_ones_weights(tmp_path):
    first = train(trainer(tmp_path / "first"))
    second = trainer(tmp_path / "second")
    second.task.mean = 9.0
    weights = first.weights()
    second.start_from(weights["network"], weights["task"])
    assert second.task.mean == first.task.mean
    for mine, theirs in zip(
        second.generator.network.parameters(), first.generator.network.parameters(), strict=True
    ):
        assert torch.equal(mine, theirs)


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path):
    folder = RunFolder(tmp_path)
    for update in (1, 2, 3):
        folder.log(update=update, value=update)
    with folder.metrics.open("a") as file:
        file.write('{"update": 4, "val')  # the line that a kill cut short
    folder.cut_log(2)
    kept = folder.metrics.read_text().splitlines()
    assert [json.loads(line)["update"] for line in kept] == [1, 2]


def test_a_budget_ends_the_run(tmp_path):
    stage = Stage(name="l1", updates=100_000, losses={"l1": 1})
    one = train(trainer(tmp_path, budget=1e-3, stages=(stage,)))
    assert one.update == 1
    assert (tmp_path / "final.pt").exists()


def test_asked_to_stop_it_finishes_the_update_and_saves(tmp_path):
    one = trainer(tmp_path)
    one.stop = Event()
    one.stop.set()
    train(one)
    assert one.update == 1
    assert RunFolder(tmp_path).load_checkpoint()["update"] == 1
    assert not (tmp_path / "final.pt").exists()


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    trainer(tmp_path).save()
    with pytest.raises(ValueError, match=r"expected a checkpoint of small \(edsr\).*found .*srgan"):
        trainer(tmp_path, network="edsr", options={"features": 8, "blocks": 1}).resume()
    with pytest.raises(ValueError, match="is not of small as it is configured now"):
        trainer(tmp_path, options={"features": 16, "blocks": 1, "scale": 2}).resume()


def test_another_configuration_is_refused_and_named(tmp_path):
    one = trainer(tmp_path)
    one.folder.write_config(one.config)
    check_unchanged(one.folder, config(seed=5))  # nothing was trained yet
    one.save()
    with pytest.raises(ValueError, match="seed 0 is now 5"):
        check_unchanged(one.folder, config(seed=5))


def test_a_network_keeps_the_budget_it_was_begun_with(tmp_path):
    one = trainer(tmp_path, budget=60.0)
    assert begun_budget(one.folder, 5.0) == 5.0  # not begun yet
    one.folder.write_config(one.config)
    one.save()
    assert begun_budget(one.folder, 5.0) == 60.0
    assert begun_budget(one.folder, None) == 60.0


def test_losses_between_two_lines_survive_a_resume(tmp_path):
    """A checkpoint in the middle of a logged interval: its line is the mean of all of it."""
    train(trainer(tmp_path / "whole", log_every=6))
    stopped = trainer(tmp_path / "pieces", log_every=6)
    coming = stopped.drawing.after(stopped.update)
    for _ in range(4):
        stopped.losses.add(stopped.step(next(coming)))
    coming.close()
    stopped.save()
    resumed = trainer(tmp_path / "pieces", log_every=6)
    resumed.resume()
    train(resumed)
    assert losses(tmp_path / "pieces") == losses(tmp_path / "whole")


def test_a_damaged_checkpoint_is_named(tmp_path):
    one = trainer(tmp_path)
    one.save()
    one.folder.checkpoint.write_bytes(one.folder.checkpoint.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"expected a checkpoint at .*last\.pt"):
        one.resume()
    torch.save([1, 2], one.folder.checkpoint)
    with pytest.raises(ValueError, match="found a list"):
        one.resume()


@pytest.mark.parametrize("room", [0, 300, 20_000])
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, room):
    one = trainer(tmp_path)
    one.save()
    before = one.folder.checkpoint.read_bytes()
    one.update = 7
    words = r"last\.pt: File too large; the one before is still there"
    with little_room(room), pytest.raises(OSError, match=words):
        one.save()
    assert one.folder.checkpoint.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt"]


def test_a_live_folder_is_locked(tmp_path):
    def second():
        with locked(tmp_path):
            pass

    with locked(tmp_path), pytest.raises(FileExistsError, match="another process is training in"):
        second()
    second()


def test_a_start_of_other_options_is_refused_in_one_line(tmp_path):
    first = trainer(tmp_path / "first")
    larger = trainer(tmp_path / "second", options={"features": 16, "blocks": 1, "scale": 2})
    weights = first.weights()
    words = r"the start is not of srgan as it is configured: expected \S+ \(16, .*, found \(8, .*"
    with pytest.raises(ValueError, match=words) as refused:
        larger.start_from(weights["network"], weights["task"])
    assert "\n" not in str(refused.value)
