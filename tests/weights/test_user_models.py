"""The user's own models: listed, marked, removed; a folder that is damaged or newer."""

from __future__ import annotations

import json

import pytest
from fakes.models import install

from napari_metasr import cli, weights
from napari_metasr.weights import user_models


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "models"
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(path))
    return path


def test_without_a_folder_there_are_the_models_of_the_package_and_no_folder_is_made(folder):
    assert weights.model_names() == weights.shipped_names()
    assert list(weights.model_cards()) == list(weights.shipped_names())
    assert not folder.exists()


def test_by_default_it_is_in_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("NAPARI_METASR_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert weights.user_folder().name == "models"
    assert weights.user_folder().parent.name == "napari-metasr"


def test_an_installed_model_is_listed_after_those_of_the_package_and_loads(folder):
    card = install("my-scanner")
    assert weights.model_names() == (*weights.shipped_names(), "my-scanner")
    assert weights.model_cards()["my-scanner"] == card
    assert weights.is_own("my-scanner")
    assert not weights.is_own("meta-srgan")
    network, loaded = weights.load_network("my-scanner")
    assert loaded == card
    assert sum(one.numel() for one in network.parameters()) == card.parameters
    assert {path.name for path in folder.iterdir()} == {
        "format.json", "my-scanner.json", "my-scanner.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("meta-srgan", "taken by a model of the package"),
        ("my-scanner", "taken by a model in"),
        ("../elsewhere", "expected a model name of letters"),
        ("", "expected a model name of letters"),
        ("mine.json", "expected a model name of letters"),
        ("format", "expected a model name of letters"),
    ],
)
def test_names_that_a_new_model_cannot_have(folder, name, words):
    install("my-scanner")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(weights.WeightsError, match=words):
        install(name)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_command_lists_and_removes(folder, capsys):
    install("my-scanner")
    assert cli.main(["models"]) == 0
    printed = capsys.readouterr().out
    assert "\nmy-scanner (yours)\n  title        Title of my-scanner\n" in printed
    assert "\nmeta-srgan\n" in printed
    assert str(folder) in printed
    assert cli.main(["models", "--remove", "my-scaner"]) == 2
    assert "found 'my-scaner'; did you mean 'my-scanner'?" in capsys.readouterr().err
    assert cli.main(["models", "--remove", "meta-srgan"]) == 2
    assert "comes with the package and cannot be removed" in capsys.readouterr().err
    assert cli.main(["models", "--remove", "my-scanner"]) == 0
    assert [path.name for path in folder.iterdir()] == ["format.json"]
    assert weights.model_names() == weights.shipped_names()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "bad.json").write_text("{"), "bad.json is not a model card"),
        (lambda folder: (folder / "bad.safetensors").unlink(), "expected weights at .*bad.safet"),
        (
            lambda folder: (folder / "bad.json").write_text(
                json.dumps(json.loads((folder / "bad.json").read_text()) | {"later": 1})
            ),
            "bad.json is not a model card: later",
        ),
    ],
)
def test_a_damaged_model_is_left_out_with_a_warning_and_can_be_removed(folder, damage, words):
    install("bad")
    install("good")
    damage(folder)
    with pytest.warns(weights.UserModelWarning, match=words):
        assert list(weights.model_cards()) == [*weights.shipped_names(), "good"]
    weights.remove_model("bad")
    assert list(weights.model_cards()) == [*weights.shipped_names(), "good"]


def test_a_card_that_is_no_text_or_no_file_is_left_out(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "binary.json").write_bytes(b'{"name": "\xff\xfe"}')
    (folder / "inside.json").mkdir()
    with pytest.warns(weights.UserModelWarning) as told:
        found = weights.model_cards()
    assert not {"binary", "inside"} & found.keys()
    assert len(told) == 2


def test_damaged_weights_are_refused_when_they_are_loaded(folder):
    install("bad")
    (folder / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(weights.WeightsError, match="is not the file its card describes"):
        weights.load_network("bad")


def test_a_model_of_the_user_never_hides_one_of_the_package(folder):
    install("mine")
    for suffix in (".json", ".safetensors"):
        (folder / f"mine{suffix}").rename(folder / f"meta-srgan{suffix}")
    with pytest.warns(weights.UserModelWarning, match="has the name of a model of the package"):
        assert weights.model_cards()["meta-srgan"].title == "Meta-SRGAN"
    assert weights.model_card("meta-srgan").title == "Meta-SRGAN"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"format": 2}', r"made by a newer napari-metasr \(format 2, this version reads 1\)"),
        ("nonsense", "format.json is damaged"),
        ("[]", "format.json is damaged"),
    ],
)
def test_a_newer_or_damaged_folder_leaves_the_models_of_the_package(folder, content, words, capsys):
    install("my-scanner")
    (folder / user_models.MARKER).write_text(content)
    with pytest.warns(weights.UserModelWarning, match=words):
        assert list(weights.model_cards()) == list(weights.shipped_names())
    weights.load_network("meta-srgan")
    for refused in (weights.model_names, lambda: install("other")):
        with pytest.raises(weights.WeightsError, match=words):
            refused()
    assert cli.main(["models"]) == 0
    assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["models", "--remove", "my-scanner"]) == 2
    assert (folder / "my-scanner.json").exists()


def test_a_file_in_place_of_the_folder(folder):
    folder.write_text("mine")
    with pytest.warns(weights.UserModelWarning, match="expected the folder of your models"):
        weights.model_cards()


def test_a_model_is_removed_with_its_error_head(folder):
    install("mine")
    (folder / "risk").mkdir()
    for name in ("mine.json", "mine.safetensors", "meta-srgan.json"):
        (folder / "risk" / name).write_text("")
    assert len(weights.remove_model("mine")) == 4
    assert [path.name for path in (folder / "risk").iterdir()] == ["meta-srgan.json"]


def test_a_name_of_ones_own_may_be_taken_again_where_that_is_asked_for(folder):
    install("mine")
    weights.check_new_model("mine", overwrite=True)
    with pytest.raises(weights.WeightsError, match="taken by a model of the package"):
        weights.check_new_model("meta-srgan", overwrite=True)
    with pytest.raises(weights.WeightsError, match="expected a model name"):
        weights.check_model_name("../mine")
