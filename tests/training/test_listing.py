"""What training costs here, what a bar says of a campaign, and warnings that are said once."""

from __future__ import annotations

import logging

import pytest

from metasr_training import train
from metasr_training.catalogue import experiment, experiment_ids, recipe, recipe_names
from metasr_training.command_line import warnings_once
from metasr_training.condition import Condition
from metasr_training.listing import cost
from metasr_training.progress import Progress
from metasr_training.recipe import PRESETS
from metasr_training.speeds import Speed, probe, remember, remember_run, remembered, speeds_file


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_METASR_CACHE", str(tmp_path / "cache"))


def test_everything_is_listed_with_what_is_known(capsys):
    assert train.main(["list", "--preset", "laptop"]) == 0
    printed = capsys.readouterr().out
    for name in (*experiment_ids(), *recipe_names(), *PRESETS):
        assert f"\n  {name}  " in printed, name
    assert "No speed of this machine is known yet" in printed
    remember("zoom", "laptop", "cpu", Speed(updates_per_second=5, source="probe"))
    assert train.main(["list"]) == 0
    printed = capsys.readouterr().out
    assert "5 (probe)" in printed
    assert "2:46:40" in printed
    assert "No speed" not in printed


def test_a_probe_measures_and_is_replaced_by_what_a_run_had():
    speed = probe(recipe("mse"), "smoke", Condition(scale=4), "cpu", 0.01)
    assert speed.updates_per_second > 0
    remember("mse", "smoke", "cpu", speed)
    remember_run("mse", "smoke", "cpu", 5, 1.0)
    assert remembered("cpu")["mse/smoke"].source == "probe"
    remember_run("mse", "smoke", "cpu", 100, 50.0)
    remember("mse", "smoke", "cpu", speed)
    assert remembered("cpu") == {"mse/smoke": Speed(updates_per_second=2, source="run")}


@pytest.mark.parametrize("content", ["", "[]", '{"machine": 1}', '{"machine": {"mse": {"a": 1}}}'])
def test_damaged_speeds_are_forgotten(content):
    speeds_file().parent.mkdir(parents=True)
    speeds_file().write_text(content)
    assert remembered("cpu") == {}


def test_costs_add_up_and_say_what_is_missing():
    networks = experiment("meta-srgan-table1").networks()
    speeds = {"edsr/smoke": Speed(updates_per_second=2, source="run")}
    found = cost(networks, "smoke", speeds)
    assert (found.updates, found.seconds, found.unknown) == (72, 12, 2)
    assert found.time_text == "0:00:12 + 2 unknown"
    assert cost([(recipe("lesion-detector"), Condition())], "paper", {}).updates_text == "by epochs"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "labtop"], "did you mean 'laptop'?"),
        (["--seconds", "0"], "expected a positive number of seconds, found 0"),
    ],
)
def test_bad_arguments_give_one_line(capsys, arguments, words):
    assert train.main(["list", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_the_bar_says_which_network_how_well_and_how_long_for_all():
    progress = Progress(number=2, count=3, updates_after=[100, 200])
    assert progress.label("lfsr-x4") == "2/3 lfsr-x4"
    progress.note({"loss/total": 0.01234, "loss/l1": 1.0, "val/psnr": 31.234})
    text = progress.text(1234, updates_left=50, updates_per_second=2.5)
    assert text == "1,234 updates, loss 0.0123, PSNR 31.23 dB, all 3: about 0:02:20 left"
    budget = Progress(number=1, count=2, seconds_after=100)
    assert budget.text(7, 50, 5) == "7 updates, all 2: 0:01:50 left"


def test_where_nothing_tells_how_long_the_bar_does_not_say_it():
    assert Progress(number=1, count=2, updates_after=None).text(1, 10, 1) == "1 update"
    assert Progress(number=1, count=2, updates_after=[5]).text(1, 10, 0) == "1 update"
    alone = Progress()
    assert (alone.label("zoom"), alone.text(2, 10, 1)) == ("zoom", "2 updates")


def test_a_warning_is_said_once():
    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    log = logging.getLogger("metasr_training.somewhere")
    try:
        with warnings_once():
            for _ in range(3):
                log.warning("%s share patients", "a and b")
            log.warning("another")
        log.warning("another")
    finally:
        logging.getLogger().removeHandler(handler)
    assert said == ["a and b share patients", "another", "another"]
