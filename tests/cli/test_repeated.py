"""Options with several values: given at once, one by one, or in both ways."""

from __future__ import annotations

from typing import Annotated

import pytest
import tyro

from metasr_training import calibrate, evaluate, finetune, train
from metasr_training.command_line import call, call_one_of
from napari_metasr.cli.parsing import ArgumentError
from napari_metasr.cli.repeated import check_values, gathered
from napari_metasr.cli.verbs import VERBS, parse


def example(
    name: Annotated[str, tyro.conf.Positional],
    scales: tuple[float, ...] = (2.0,),
    beside_these: tuple[str, ...] = (),
    size: tuple[int, int] = (1, 1),
    seed: int = 0,
):
    """Stand for a command."""
    return name, scales, beside_these, size, seed


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("a --scales 2 3", "a --scales 2 3"),
        ("a --scales 2 --scales 3", "a --scales 2 3"),
        ("a --scales 2 --seed 1 --scales 3 4", "a --scales 2 3 4 --seed 1"),
        ("--scales=2 a --scales=3", "a --scales 2 3"),
        ("a --beside-these b --beside_these c", "a --beside-these b c"),
        ("a --scales -1 --scales -2.5", "a --scales -1 -2.5"),
        ("a --seed 1 --seed 2", "a --seed 1 --seed 2"),
        ("a --size 2 3 --size 4 5", "a --size 2 3 --size 4 5"),
        ("--scales 2 -- --scales 3", "--scales 2 -- --scales 3"),
        ("a --scales", "a --scales"),
    ],
)
def test_values_of_an_option_are_put_together(typed, understood):
    assert gathered(typed.split(), example) == understood.split()


@pytest.mark.parametrize(
    "typed", ["a --scales 3 4", "a --scales 3 --scales 4", "--scales=3 a --scales=4"]
)
def test_a_command_is_called_with_all_values_however_they_are_given(typed):
    assert call(example, "example", typed.split()) == ("a", (3.0, 4.0), (), (1, 1), 0)


def test_verbs_of_a_program_take_values_one_by_one():
    called = []

    def other(scales: tuple[float, ...] = ()):
        called.append(scales)

    verbs = {"example": example, "other": other}
    call_one_of(verbs, "program", "Has verbs.", ["other", "--scales", "1", "--scales", "2"])
    assert called == [(1.0, 2.0)]


def test_a_volume_has_all_segmentations_that_are_named():
    begin = ["upscale", "in.nii", "--scale", "2", "--output", "out.nii", "--labels", "a.nii"]
    together, single = (parse([*begin, *more], "p") for more in (["b.nii"], ["--labels", "b.nii"]))
    assert single == together
    assert [path.name for path in single.labels] == ["a.nii", "b.nii"]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (VERBS["cohort"], "--participant-label"),
        (VERBS["detect"], "--truth-labels"),
        (VERBS["trust"], "--scales"),
        (VERBS["upscale"], "--labels"),
        (train.train, "--set"),
        (finetune.finetune, "--set"),
        (finetune.finetune, "--contrast"),
        (evaluate.measure_scans, "--scales"),
        (calibrate.calibrate, "--sources"),
    ],
)
def test_every_command_gathers_its_own(command, option):
    assert gathered([option, "1", "--device", "cpu", option, "2"], command) == [
        *[option, "1", "2"],
        *["--device", "cpu"],
    ]


@pytest.mark.parametrize("typed", ["a --scales", "--scales --seed 1 a", "--beside_these -- a"])
def test_an_option_without_a_value_is_refused(typed):
    with pytest.raises(ValueError, match=r"expected at least one value of --(scales|beside_these)"):
        check_values(typed.split(), example)
    with pytest.raises(ValueError, match="expected at least one value of"):
        call(example, "example", typed.split())


@pytest.mark.parametrize("typed", ["a --scales -1", "a --scales=2", "a -- --scales", "a --seed 1"])
def test_others_are_left_alone(typed):
    check_values(typed.split(), example)


@pytest.mark.parametrize(
    "typed",
    [
        "--pattern *.nii --pattern *.mgz ds --output out",
        "ds --pattern *.nii --output out --pattern *.mgz",
        "--pattern *.nii ds --pattern *.mgz --output out",
    ],
)
def test_patterns_of_a_cohort_stand_anywhere(typed):
    found = parse(["cohort", "--scale", "2", *typed.split()], "program")
    assert (found.input.name, found.output.name) == ("ds", "out")
    assert found.pattern == ("*.nii", "*.mgz")


def test_an_option_of_several_values_without_one_is_refused():
    words = ["upscale", "in.nii", "--scale", "2", "--output", "out.nii", "--labels"]
    with pytest.raises(ArgumentError, match="expected at least one value of --labels"):
        parse(words, "program")
