"""Stages, learning rates and budgets."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from metasr_training.catalogue import experiment, experiment_ids, lineage, recipe, recipe_names
from metasr_training.command_line import seconds
from metasr_training.condition import Condition
from metasr_training.recipe import PRESETS
from metasr_training.schedule import Schedule, learning_rate
from metasr_training.stage import RateRule, Stage


def test_steps_fall_after_each_share():
    """0.8 every 60,000 of 360,000 updates (Tan, Zhu, Lio 2020)."""
    rule = RateRule(initial=1e-4, every=1 / 6, factor=0.8)
    for update, falls in ((0, 0), (59_999, 0), (60_000, 1), (120_000, 2), (359_999, 5)):
        expected = 1e-4 * 0.8**falls
        assert learning_rate(rule, update / 360_000, update) == pytest.approx(expected)


def test_a_tenth_from_the_midpoint_on():
    """1e-4 falling to 1e-5 at the midpoint (Zhu, Yang, Lio 2019)."""
    rule = RateRule(initial=1e-4, every=0.5, factor=0.1)
    assert learning_rate(rule, 0.499, 1) == pytest.approx(1e-4)
    assert learning_rate(rule, 0.5, 2) == pytest.approx(1e-5)
    assert learning_rate(rule, 0.999, 3) == pytest.approx(1e-5)


def test_a_cosine_with_a_warm_up():
    rule = RateRule(initial=1e-3, shape="cosine", factor=0.01, warm_up=10)
    assert learning_rate(rule, 0.0, 0) == pytest.approx(1e-4)
    assert learning_rate(rule, 0.0, 10) == pytest.approx(1e-3)
    assert learning_rate(rule, 0.5, 500) == pytest.approx(0.505e-3)
    assert learning_rate(rule, 1.0, 999) == pytest.approx(1e-5)


def stages():
    return (
        Stage(name="mse", epochs=50, losses={"mse": 1}),
        Stage(name="game", epochs=300, losses={"mse": 1, "adversarial": 1}, game="lfsr"),
    )


def test_epochs_become_updates():
    schedule = Schedule.of(stages(), [10, 10], None)
    assert schedule.lengths == (500, 3000)
    assert schedule.place(499).stage == 0
    assert schedule.place(500) == schedule.place(500.0)
    assert (schedule.place(500).stage, schedule.place(500).progress) == (1, 0)
    assert schedule.place(2000).progress == pytest.approx(0.5)
    assert schedule.place(2000).updates == 1500
    assert schedule.place(3500).progress == 1


def test_a_budget_stands_for_updates():
    schedule = Schedule((100, 300), budget=40.0)
    assert schedule.behind(10, 4.0) == 40  # a tenth of the time is a tenth of the schedule
    assert schedule.behind(90, 4.0) == 90
    assert schedule.behind(10, 1000.0) == 400
    assert schedule.place(schedule.behind(10, 20.0)).stage == 1


def test_durations():
    assert [seconds(text) for text in ("2h", "90m", "30s", "7200", "1.5h")] == [
        7200,
        5400,
        30,
        7200,
        5400,
    ]
    for text in ("", "soon", "2d", "0m", "-3h"):
        with pytest.raises(ValueError, match="expected a duration such as 2h"):
            seconds(text)


def test_a_stage_has_one_length_and_a_game_its_loss():
    with pytest.raises(ValidationError, match="either in epochs or in updates"):
        Stage(name="x", losses={"l1": 1})
    with pytest.raises(ValidationError, match="a game and an adversarial loss come together"):
        Stage(name="x", updates=1, losses={"l1": 1, "adversarial": 1})


@pytest.mark.parametrize("name", experiment_ids())
def test_every_experiment_resolves_under_every_preset(name):
    one = experiment(name)
    assert one.networks()
    trained = []
    for wanted, condition in one.networks():
        assert wanted.start is None or recipe(wanted.start).network_name(condition) in trained
        trained.append(wanted.network_name(condition))
        for preset in PRESETS:
            run = wanted.resolve(preset, condition)
            assert run.name == trained[-1]
            if wanted.conditioned:
                assert run.pairs.scales == (condition.scale,)
                assert run.pairs.noise == condition.noise
    assert len(trained) == len(set(trained))  # a network that rows share is trained once


def test_the_published_experiments_are_all_there():
    published = {
        "meta-srgan-table1", "meta-srgan-fig7", "meta-srgan-fig8",
        "lfsr-detection", "lfsr-table1", "lfsr-fig2",
        "ms-gan-table1", "ms-gan-fig2", "ms-gan-fig3", "ms-gan-fig4", "ms-gan-mos", "ms-gan-time",
    }  # fmt: skip
    assert published <= set(experiment_ids())


def test_the_published_schedules():
    """The lengths, losses and rates as the papers print them."""
    meta = recipe("meta-srgan")
    assert [(one.domain, one.updates) for one in meta.stages] == [
        ("natural", 360_000),
        ("mri", 360_000),
    ]
    for stage in meta.stages:
        assert stage.losses == {"l1": 1, "adversarial": 0.001, "perceptual": 0.006}
        assert stage.rate.initial == 1e-4
    assert meta.pairs.batch == 8
    assert meta.pairs.patches_per_image == 16
    assert meta.pairs.scales == tuple(round(1 + k / 10, 1) for k in range(1, 31))
    for name in ("srgan", "edsr"):
        assert [one.updates for one in recipe(name).stages] == [160_000, 160_000]
    assert sum(one.stages[0].epochs for one in lineage(recipe("srresnet"))) == 350
    assert [one.stages[0].epochs for one in lineage(recipe("lfsr"))] == [50, 300]
    ms_gan = recipe("ms-gan")
    assert ms_gan.stages[0].epochs == 300
    assert ms_gan.betas == (0.5, 0.999)
    assert set(ms_gan.stages[0].losses) == {"mse", "mse-x2", "perceptual", "adversarial"}
    assert recipe("lesion-detector").stages[0].epochs == 100


def test_the_published_patches():
    """What a network is shown, and where from: 48 x 48 of 96 x 96 at x2, LD's regions."""
    published = ("meta-srgan-table1", "lfsr-table1", "ms-gan-table1")
    networks = {one.name: one for each in published for one, _ in experiment(each).networks()}
    assert len(networks) > 10
    for name, one in networks.items():
        pairs = one.resolve("paper", Condition(scale=2)).pairs
        assert pairs.context == 0, name
        if pairs.windows == "crop":
            assert pairs.crop == (180, 170), name
            assert pairs.patch == 96
        if pairs.windows == "roi":
            assert pairs.roi == "detector", name
    for name in experiment_ids():
        if experiment(name).region == "roi":
            assert experiment(name).options["roi"] == "detector", name


@pytest.mark.parametrize("name", ["ms-gan-table1", "lfsr-table1"])
@pytest.mark.parametrize("preset", PRESETS)
def test_games_that_are_compared_have_the_same_rates_weights_and_updates(name, preset):
    """All tested methods were trained alike (Zhu, Yang, Lio 2019, sec. 2.3)."""
    wanted = experiment(name)
    runs = [
        one.resolve(preset, wanted.conditions[0])
        for one in (recipe(method.recipe) for method in wanted.methods if method.recipe)
        if any(stage.game for stage in one.stages)
    ]
    assert len(runs) > 1
    first = runs[0].stages[0]
    for run in runs:
        (stage,) = run.stages
        assert stage.rate == first.rate, run.name
        assert (stage.updates, stage.epochs) == (first.updates, first.epochs), run.name
        assert run.betas == runs[0].betas, run.name
        assert run.average == runs[0].average, run.name
        weights = {term: one for term, one in stage.losses.items() if term != "mse-x2"}
        assert weights == first.losses, run.name


def test_presets_keep_the_shares_of_the_stages():
    run = recipe("meta-srgan").resolve("laptop", Condition())
    assert run.stages[0].updates == run.stages[1].updates
    paper = recipe("meta-srgan").resolve("paper", Condition())
    assert sum(one.updates for one in paper.stages) == 720_000


def test_a_preset_changes_the_weight_of_a_loss_and_adds_none():
    laptop = recipe("ms-gan").resolve("laptop", Condition(scale=4)).stages[0].losses
    paper = recipe("ms-gan").resolve("paper", Condition(scale=4)).stages[0].losses
    assert paper == {"mse": 1, "mse-x2": 1, "perceptual": 1, "adversarial": 1}
    assert laptop == paper | {"adversarial": 0.01}


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'ms-gan-table1'"):
        experiment("msgan-table1")
    with pytest.raises(ValueError, match="did you mean 'srresnet'"):
        recipe("sresnet")
    with pytest.raises(ValueError, match="did you mean 'laptop'"):
        recipe("srresnet").resolve("labtop", Condition())


def test_every_recipe_is_read():
    assert {recipe(name).name for name in recipe_names()} == set(recipe_names())
