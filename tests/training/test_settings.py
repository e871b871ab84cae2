"""Settings of recipes, and recipes of one's own: what is said arrives, or is refused in words."""

from __future__ import annotations

import logging

import pytest

from metasr_training import train
from metasr_training.catalogue import check_starts, read_recipe, recipe
from metasr_training.condition import Condition
from metasr_training.overrides import check_arrived, keys_of, with_settings
from napari_metasr.errors import in_words

BY_CONDITION = {
    "pairs.degradations": {"bilinear": 1},
    "pairs.noise": 5,
    "pairs.scales": [3],
}


@pytest.mark.parametrize(("key", "value"), BY_CONDITION.items())
@pytest.mark.parametrize("name", ["srresnet", "lfsr", "edsr"])
def test_what_the_condition_decides_is_refused(name, key, value):
    with pytest.raises(ValueError, match=f"{key} cannot be set in {name}: the condition"):
        with_settings([recipe(name)], {key: value})


@pytest.mark.parametrize(("key", "value"), BY_CONDITION.items())
def test_a_network_for_all_conditions_takes_it(key, value):
    (tuned,) = with_settings([recipe("finetune")], {key: value})
    field = key.removeprefix("pairs.")
    found = getattr(tuned.resolve("laptop", Condition(scale=4)).pairs, field)
    assert found == (tuple(value) if isinstance(value, list) else value)


def test_networks_that_do_not_take_a_setting_of_others_are_named(caplog):
    with caplog.at_level(logging.WARNING):
        edsr, meta = with_settings([recipe("edsr"), recipe("meta-srgan")], {"pairs.noise": 5})
    assert meta.resolve("laptop", Condition()).pairs.noise == 5
    assert edsr.resolve("laptop", Condition()).pairs.noise == 0
    assert caplog.messages == [
        "pairs.noise is not set in edsr: the condition of its network decides it"
    ]


def test_what_a_command_or_a_start_decides_is_refused():
    with pytest.raises(ValueError, match="shipped cannot be set in finetune: --start decides it"):
        with_settings([recipe("finetune")], {"shipped": "x"}, decided={"shipped": "--start"})
    with pytest.raises(ValueError, match="shipped cannot be set in srresnet: its start, the"):
        with_settings([recipe("srresnet")], {"shipped": "meta-srgan"})


def test_every_other_setting_arrives():
    settings = {
        "pairs.crop": 120, "betas": [0.5, 0.9], "rate.initial": 3e-4, "losses.mse": 2,
        "perceptual": {"weights": "random"}, "updates": 7,
    }  # fmt: skip
    (tuned,) = with_settings([recipe("srresnet")], settings)
    config = tuned.resolve("smoke", Condition())
    assert (config.pairs.crop, config.betas) == ((120, 120), (0.5, 0.9))
    check_arrived(config, settings)
    with pytest.raises(ValueError, match=r"rate\.initial cannot be set in srresnet-x2"):
        check_arrived(config, {"rate.initial": 1})
    assert "pairs.noise" not in keys_of(recipe("srresnet"))


def write(path, text):
    path.write_text(text)
    return path


def test_a_recipe_of_ones_own_may_extend_one_of_the_package(tmp_path):
    text = 'extends = "through-plane-told"\n[pairs]\nbatch = 3\n[presets.laptop]\nupdates = 9\n'
    own = read_recipe(write(tmp_path / "mine.toml", text))
    base = recipe("through-plane-told")
    assert (own.name, own.pairs.batch, own.presets["laptop"].updates) == ("mine", 3, 9)
    assert (own.stages, own.pairs.thickness) == (base.stages, base.pairs.thickness)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('extends = "finetun"', "did you mean 'finetune'?"),
        ("extends = 3", "expected the name of a recipe to extend, found 3"),
        ('extends = "finetune"\nkernel_shere = 1', "did you mean 'kernel_share'?"),
        ('extends = "srresnet"\npairs = { noise = 5 }', "expected no noise of pairs in a recipe"),
        (
            'extends = "srresnet"\n[presets.laptop]\ndata = { scales = [3] }',
            "expected no scales of pairs in a recipe",
        ),
    ],
)
def test_a_wrong_extension_is_refused_in_one_line(tmp_path, text, words):
    with pytest.raises(ValueError, match=r"mine\.toml: ") as refused:
        read_recipe(write(tmp_path / "mine.toml", text))
    assert words in in_words(refused.value)


def test_a_start_that_is_not_trained_before_is_refused():
    known = [(recipe("mse"), Condition(scale=4)), (recipe("srresnet"), Condition(scale=4))]
    check_starts(known, [])
    check_starts(known[1:], ["mse-x4"])
    with pytest.raises(ValueError, match="srresnet starts from mse-x4, which the run has not"):
        check_starts(known[1:], ["mse-x2"])


def test_a_recipe_whose_start_is_not_there_is_refused_before_a_folder_is_begun(tmp_path, capsys):
    own = write(tmp_path / "edsr.toml", 'extends = "edsr"\nstart = "mse"\n')
    output = tmp_path / "run"
    words = ["meta-srgan-table1", "--data", str(tmp_path), "--output", str(output)]
    assert train.main([*words, "--recipe", str(own)]) == 2
    assert "edsr starts from mse-x2, which the run has not trained" in capsys.readouterr().err
    assert not output.exists()
