"""``metasr-train finetune``: from a folder of scans to a model that the plugin lists."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes.models import install
from fakes.training import write_scans

import napari_metasr
from metasr_training import train
from metasr_training.cards import Stated
from metasr_training.catalogue import read_recipe, recipe
from metasr_training.condition import Condition
from metasr_training.datasets.slices import Slice
from metasr_training.fine_tuning import check_start
from metasr_training.left_out import LeftOut, LeftOutRow, across_slices
from metasr_training.overrides import with_settings
from napari_metasr import weights
from napari_metasr.degradations import degrade
from napari_metasr.errors import in_words
from napari_metasr.zoom.baselines import interpolate


def spoil(scans):
    """Cut the file of each patient but the first short."""
    for path in sorted(scans.glob("*"))[1:]:
        path.write_bytes(path.read_bytes()[:100])


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder of models with a small one to begin with."""
    folder = tmp_path / "models"
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(folder))
    install("tiny", licence="CC-BY-4.0")
    return folder


def finetune(*arguments):
    options = ["--preset", "smoke", "--device", "cpu", "--slices", "2"]
    return train.main(["finetune", *options, *map(str, arguments)])


def test_scans_become_a_model_that_is_measured_described_and_listed(tmp_path, models, capsys):
    data, run = write_scans(tmp_path / "scans", 6), tmp_path / "run"
    arguments = ["--data", data, "--name", "mine", "--start", "tiny", "--output", run]
    assert finetune(*arguments, "--title", "My scanner", "--set", "rate.initial=0.001") == 0
    printed = capsys.readouterr().out
    assert '"My scanner (yours)"' in printed
    assert "napari-metasr zoom SCAN.nii.gz --scale 2 --model mine" in printed
    card = weights.model_card("mine")
    assert (card.title, card.network, card.updates) == ("My scanner", "meta-srgan", 12)
    assert card.trained_contrasts == ("FLAIR",)
    assert card.licence == "CC-BY-4.0"
    split = json.loads((run / "split.json").read_text())
    assert {name: len(split[name]["scans"]) for name in split} == {"train": 4, "val": 1, "test": 1}
    assert card.data == ("scans: 4 training patients, 12 training images",)
    assert "begun with tiny" in card.schedule
    assert "Adam 0.001" in card.schedule
    assert "commit" in card.schedule
    assert "T1 post-contrast" not in card.intended_use + card.limitations
    found = card.results
    assert (found["split"], found["patients"], found["slices"]) == ("test", 1, 2)
    assert set(found["psnr_gain_over_bicubic"]) == {
        f"{name} x{scale}"
        for name in ("bicubic", "bilinear", "box", "k-space")
        for scale in (2, 3, 4)
    }
    model = napari_metasr.load_model("mine", device="cpu")
    assert model.upscale(np.zeros((16, 18), np.float32), 2).shape == (32, 36)
    tuned, begun = (weights.load_network(name)[0].state_dict() for name in ("mine", "tiny"))
    assert any(not tuned[key].equal(begun[key]) for key in begun)
    assert (run / "left-out.md").read_text() in printed + "\n"


def test_a_model_across_slices_is_measured_across_slices(tmp_path, models):
    data = write_scans(tmp_path / "scans", 6)
    across = ["--start", "meta-srgan-through-plane", "--recipe", "through-plane-told"]
    begun = ["--data", data, "--name", "between", "--output", tmp_path / "run", *across]
    assert finetune(*begun, "--set", "updates=2") == 0
    card = weights.model_card("between")
    assert card.super_resolves_across_slices
    assert set(card.results["psnr_gain_over_bicubic"]) == {
        f"{kind} slices x{factor}" for kind in ("thick", "thin") for factor in (2, 3, 4)
    }
    before = set(weights.model_card("meta-srgan-through-plane").patients)
    assert before < set(card.patients)
    assert len(set(card.patients) - before) == 4


def test_slices_are_thinned_out_for_models_across_slices():
    """The scores of interpolation are those of the stack, reduced and enlarged by hand."""
    truth = np.random.default_rng(0).random((24, 20)).astype(np.float32)
    one = Slice(truth, (0.0, 1.0), "scans", "a", "a:0")
    reductions = across_slices()
    scores = list(reductions.score(one, {}))
    assert {score.condition for score in scores} == set(reductions.titles)
    (found,) = (s for s in scores if (s.condition, s.region) == ("x2-thick", "slice"))
    stack = degrade(255 * truth, (12, 20), "slice-profile", thickness=1.0)
    enlarged = interpolate(stack, (2, 1)).clip(0, 255)
    error = np.mean((enlarged - 255 * truth) ** 2)
    assert found.psnr == pytest.approx(10 * np.log10(255**2 / error), abs=0.02)


def test_the_split_can_be_given_and_seeds_have_a_mean_and_a_spread(tmp_path, models, capsys):
    data, run = write_scans(tmp_path / "scans", 4), tmp_path / "run"
    rows = ["source,patient,split", "scans,P0,train", "scans,P1,train", "scans,P2,val"]
    (tmp_path / "split.csv").write_text("\n".join([*rows, "scans,P3,val"]))
    arguments = ["--data", data, "--name", "mine", "--start", "tiny", "--output", run]
    assert finetune(*arguments, "--split", tmp_path / "split.csv", "--seeds", 2) == 0
    card = weights.model_card("mine")
    assert (card.results["seeds"], card.results["split"]) == (2, "val")
    assert card.results["patients"] == 2
    assert "also chose the weights" in card.limitations or "no better" in card.limitations
    printed = capsys.readouterr().out
    assert " ± " in printed
    for seed in (0, 1):
        config = run / f"seed-{seed}" / "networks" / "finetune" / "config.json"
        assert json.loads(config.read_text())["config"]["seed"] == seed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "tiny"], "the name 'tiny' is taken by a model in"),
        (["--name", "meta-srgan"], "the name 'meta-srgan' is taken by a model of the package"),
        (["--name", "a/b"], "expected a model name of letters"),
        (["--name", "mine", "--start", "srgan-x2"], "expected a start of the network meta-srgan"),
        (["--name", "mine", "--start", "ld"], "found ld, which is of lesion-detector"),
        (
            ["--name", "mine", "--start", "meta-srgan-through-plane"],
            "found meta-srgan-through-plane, which is of meta-srgan-told across slices",
        ),
        (["--name", "mine", "--start", "tniy"], "did you mean 'tiny'?"),
        (["--name", "mine", "--recipe", "finetun"], "did you mean 'finetune'?"),
        (["--name", "mine", "--set", "rate.inital=1"], "did you mean 'rate.initial'?"),
        (["--name", "mine", "--set", "losses.l1"], "of the form KEY=VALUE, found 'losses.l1'"),
        (["--name", "mine", "--set", "pairs.batch=none"], "pairs.batch: expected a valid integer"),
        (["--name", "mine", "--contrast", "FLAR"], "did you mean 'FLAIR'?"),
        (["--name", "mine", "--licence", "mine"], "expected a licence as SPDX writes it"),
        (["--name", "mine", "--title", "x" * 61], "at most 60 characters, found 61"),
        (["--name", "mine", "--seeds", "0"], "expected a number of seeds from 1 on"),
        (["--name", "mine", "--budget", "soon"], "expected a duration"),
        (["--name", "mine", "--split", "none.csv"], "none.csv: No such file"),
        (["--name", "mine", "--slices", "-1"], "expected a number of slices from 0 on, found -1"),
        (["--name", "mine", "--set", "losses.l1=-1"], "greater than or equal to 0"),
        (["--name", "mine", "--set", "shipped=ld"], "shipped cannot be set in finetune"),
        (["--name", "mine", "--set", "losses.l1=0"], "expected a loss with a weight above 0"),
        (["--name", "mine", "--set", "losses.l1=NaN"], "finite number"),
        (["--name", "mine", "--set", "betas=[0.9,1]"], "less than 1"),
        (["--name", "mine", "--split", "no-val.csv"], "patients to val in scans, found patients"),
        (["--name", "mine", "--data", "broken"], "_FLAIR.nii.gz"),
        (["--name", "mine", "--data", "one"], "at least 2 patients"),
        (["--name", "mine", "--data", "unnamed"], "or to be told it"),
    ],
)
def test_bad_input_gives_one_line_and_leaves_nothing(
    tmp_path, models, monkeypatch, capsys, arguments, words
):
    monkeypatch.chdir(tmp_path)
    write_scans(tmp_path / "scans", 3)
    write_scans(tmp_path / "one", 1)
    spoil(write_scans(tmp_path / "broken", 3))
    rows = ["source,patient,split", *(f"scans,P{number},train" for number in range(3))]
    (tmp_path / "no-val.csv").write_text("\n".join(rows))
    write_scans(tmp_path / "unnamed", 3, contrast="scan")
    capsys.readouterr()
    before = sorted(tmp_path.rglob("*"))
    given = [] if "--data" in arguments else ["--data", "scans"]
    assert finetune(*arguments, *given) == 2
    said = capsys.readouterr().err
    assert said.startswith("metasr-train: ")
    assert said.count("\n") == 1
    assert words in said
    assert sorted(tmp_path.rglob("*")) == before


def test_a_recipe_of_one_s_own_is_read_and_named_after_its_file(tmp_path):
    text = (train.Path(train.__file__).parent / "recipes" / "finetune.toml").read_text()
    path = tmp_path / "gentle.toml"
    path.write_text(text.replace("initial = 2e-4", "initial = 5e-5"))
    own = read_recipe(path)
    assert (own.name, own.stages[0].rate.initial) == ("gentle", 5e-5)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("kernel_share", "kernel_shere", "; did you mean 'kernel_share'?"),
        ("batch = 8", "batsch = 8", "; did you mean 'batch'?"),
        ("warm_up = 100", "warmup = 100", "; did you mean 'warm_up'?"),
        ("[presets.laptop]", "[presets.labtop]", "presets.labtop"),
        ("updates = 6000", "update = 6000", "; did you mean 'updates'?"),
        ("l1 = 1", "l3 = 1", "losses.l3"),
        ("data = { batch = 2", "data = { bacht = 2", "pairs.bacht: Extra inputs are not permitted"),
        ("title =", "title", "expected a recipe as TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line(tmp_path, before, after, words):
    text = (train.Path(train.__file__).parent / "recipes" / "finetune.toml").read_text()
    assert before in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(ValueError, match="mine") as refused:
        read_recipe(path)
    assert words in in_words(refused.value)


def test_settings_apply_to_the_recipes_that_have_them_under_every_preset():
    settings = {"losses.adversarial": 0.005, "average": 0.9, "pairs.batch": 2, "updates": 5}
    tuned = with_settings([recipe("meta-srgan"), recipe("mse")], settings)
    for preset in ("paper", "laptop"):
        game, plain = (one.resolve(preset, Condition()) for one in tuned)
        assert {stage.losses["adversarial"] for stage in game.stages} == {0.005}
        assert "adversarial" not in plain.stages[0].losses
        for config in (game, plain):
            assert (config.average, config.pairs.batch) == (0.9, 2)
            assert sum(stage.updates for stage in config.stages) in {5, 4, 6}
    with pytest.raises(ValueError, match="expected a setting"):
        with_settings([recipe("mse")], {"losses.adversarial": 1})


def test_a_start_across_slices_wants_a_recipe_across_slices():
    check_start(recipe("through-plane-told"), weights.model_card("meta-srgan-through-plane"))
    check_start(recipe("finetune"), weights.model_card("meta-srgan"))


def test_what_is_stated_goes_over_what_is_found():
    stated = Stated(title="A", contrasts=("T2", "T2"), licence="mit or apache-2.0")
    assert (stated.contrasts, stated.licence) == (("T2",), "MIT OR Apache-2.0")


def test_the_comparison_says_when_nothing_was_gained():
    rows = (
        LeftOutRow("bicubic x2", 30.0, 32.0, (33.0, 33.4)),
        LeftOutRow("box x2", 29.0, 31.0, (31.0, 31.0)),
    )
    found = LeftOut("test", 3, 9, rows, 2)
    assert found.gain == pytest.approx(0.6)
    assert found.spread == pytest.approx(0.02**0.5)  # gains of 0.5 and 0.7 dB
    assert found.concern == "Gains are means over 2 trainings, of which this is one."
    assert found.results()["psnr_gain_over_start"] == {"bicubic x2": 1.2, "box x2": 0.0}
    assert "| 33.20 ± 0.28 |" in found.table()
    worse = LeftOut("test", 3, 9, (LeftOutRow("bicubic x2", 30.0, 32.0, (31.0,)),), 0)
    assert worse.results()["spread_over_seeds"] is None
    assert "| 31.00 | +1.00 | -1.00 |" in worse.table()
    assert "no better than the model it began with (-1.00 dB)" in worse.concern
    assert "chose the weights" not in worse.concern
    assert "chose the weights" in replace(worse, split="val").concern
