"""``metasr-export``: names and options are checked before anything is written."""

from __future__ import annotations

import json

import pytest
from fakes.models import TINY, install
from fakes.training import config, trainer
from fakes.training import train as trained

from metasr_training import export
from napari_metasr.weights import load_network, model_card

FIELDS = {"name": "mine", "network": "meta-srgan-told", "axes": "both"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run with a small trained network, and a folder of models with one in it."""
    monkeypatch.setenv("NAPARI_METASR_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    one = trained(trainer(tmp_path / "run" / "networks" / "small"))
    one.folder.write_config(config(), task=one.task.about(), source="", contrasts=["T1c"], split={})
    install("taken", options=TINY)
    return tmp_path


def metasr_export(*arguments):
    return export.main(["--run", "run", "--network", "small", "--output", *arguments])


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_model_is_written_and_replaced_only_where_that_is_asked_for(folder, capsys):
    assert metasr_export("models", "--title", "First") == 0
    assert model_card("small").title == "First"
    before = contents(folder)
    assert metasr_export("models", "--title", "Second") == 2
    said = capsys.readouterr().err
    assert "the file exists; --overwrite replaces it" in said
    assert contents(folder) == before
    assert (
        metasr_export("models", "--title", "Second", "--overwrite", "--precision", "float16") == 0
    )
    assert load_network("small")[1].title == "Second"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["models", "--name", "taken"], "the file exists; --overwrite replaces it"),
        (["models", "--name", "meta-srgan"], "is taken by a model of the package"),
        (["models", "--name", "meta-srgan", "--overwrite"], "is taken by a model of the package"),
        (["deep/models", "--name", "../../escaped"], "expected a model name of letters"),
        (["out", "--name", "a/b"], "expected a model name of letters"),
        (["out", "--name", "mine.json"], "expected a model name of letters"),
        (["out", "--untold", "nonsense"], "expected no --untold, found 'nonsense'"),
        (["out", "--contrast", "FLAR"], "did you mean 'FLAIR'?"),
        (["out", "--contrast"], "expected at least one value of --contrast, found none"),
        (["out", "--results", "none.json"], "none.json"),
    ],
)
def test_what_cannot_be_written_leaves_everything_as_it_was(folder, capsys, arguments, words):
    before = sorted(folder.rglob("*"))
    files = contents(folder)
    assert metasr_export(*arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("metasr-export: ")
    assert said.count("\n") == 1
    assert words in said
    assert sorted(folder.rglob("*")) == before
    assert contents(folder) == files


def test_a_name_of_the_package_is_free_elsewhere(folder):
    assert metasr_export("elsewhere", "--name", "meta-srgan") == 0
    card = json.loads((folder / "elsewhere" / "meta-srgan.json").read_text())
    assert card["network"] == "srgan"


@pytest.mark.parametrize(
    "given",
    [
        ["--licence", "MIT"],
        ["--title", "T"],
        ["--contrast", "T2"],
        ["--precision", "float32"],
        ["--results", "r.json"],
        ["--point", "p.json"],
        ["--untold", "meta-srgan"],
    ],
)
def test_options_of_a_card_are_refused_where_none_is_written(folder, capsys, given):
    words = ["--model", "taken", "--onnx", "--output", "out", *given]
    assert export.main(words) == 2
    assert f"found {given[0]}: the card of a model that there is" in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_an_onnx_file_has_a_name_too_and_is_kept(folder, capsys):
    words = ["--model", "taken", "--onnx", "--output", "out"]
    assert export.main([*words, "--name", "../escaped"]) == 2
    assert "expected a model name" in capsys.readouterr().err
    (folder / "out").mkdir()
    (folder / "out" / "taken.onnx").write_text("mine")
    assert export.main(words) == 2
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert (folder / "out" / "taken.onnx").read_text() == "mine"


def test_what_takes_the_place_of_a_model_that_is_told_nothing():
    standard = model_card("meta-srgan").standardisation
    export.check_untold("meta-srgan", FIELDS | {"standardisation": standard})
    for name in ("meta-srgan-through-plane", "srgan-x2", "nonsense"):
        with pytest.raises(ValueError, match="expected one of meta-srgan as --untold, found"):
            export.check_untold(name, FIELDS | {"standardisation": standard})
    with pytest.raises(ValueError, match="cannot be told how a scan was acquired"):
        export.check_untold("meta-srgan", FIELDS | {"network": "meta-srgan"})
