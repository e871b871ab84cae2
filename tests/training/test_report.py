"""``metasr-report``: runs in, one folder of tables and figures out."""

from __future__ import annotations

import json

import pytest
from fakes.evaluation import FakeNetwork, experiment
from PIL import Image

from metasr_training import report
from metasr_training.evaluation.about import describe, write_about
from metasr_training.evaluation.bench import EvaluationOutput


def make_run(folder, names, preset="laptop"):
    """A run that has been evaluated, by hand."""
    folder.mkdir()
    record = {"preset": preset, "seed": 0, "experiments": list(names), "data": "data"}
    (folder / "run.json").write_text(json.dumps(record))
    for name in names:
        output = folder / "evaluation" / name
        output.mkdir(parents=True)
        Image.new("L", (8, 8)).save(output / "curves.png")
        (output / "table.csv").write_text("method,psnr\na,30.5\n")
        findings = EvaluationOutput(
            images=24,
            tables=[("Measured", "| method | PSNR (dB) |\n|---|---|\n| a | 30.50 ± 1.20 |")],
            figures=[("curves.png", "Curves of all.")],
            ranking={"x2": ["a", "Bicubic"]},
            not_converged={"x2": ["b"]},
            notes=["A note."],
        )
        findings.took_part([FakeNetwork("srresnet-x2")])
        about = describe(
            experiment(id=name, title=f"Title of {name}"), findings, record,
            data=folder / "data", split="val", device="cpu", seconds=1.5,
        )  # fmt: skip
        write_about(output, about)
    return folder


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "first", ["ms-gan-table1", "lfsr-table1"])


def test_a_section_for_each_experiment_with_all_that_was_found(tmp_path, run):
    output = tmp_path / "results"
    assert report.main([str(run), "--output", str(output)]) == 0
    text = (output / "README.md").read_text()
    assert text.index("## lfsr-table1") < text.index("## ms-gan-table1")
    for words in (
        "Title of lfsr-table1", "30.50 ± 1.20", "Curves of all.", "A note.", "x2: a > Bicubic",
        "x2: b", "24 images of the val split; preset laptop", "srresnet-x2", "c0ffee", "a machine",
        "VGG19 relu5_4, random weights", "(lfsr-table1/table.csv)",
    ):  # fmt: skip
        assert words in text
    for name in ("lfsr-table1", "ms-gan-table1"):
        assert f"![Curves of all.]({name}/curves.png)" in text
        files = {path.name for path in (output / name).iterdir()}
        assert files == {"about.json", "curves.png", "table.csv", "table.md"}
    assert (output / "published.csv").read_text().startswith("experiment,condition,method")


def test_a_discussion_goes_before_the_sections(tmp_path, run, capsys):
    words = tmp_path / "words.md"
    arguments = [str(run), "--output", str(tmp_path / "results"), "--discussion", str(words)]
    assert report.main(arguments) == 2
    assert "words.md" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()
    words.write_text("## What it means\n\nNot much.\n")
    assert report.main(arguments) == 0
    text = (tmp_path / "results" / "README.md").read_text()
    assert text.index("| experiment |") < text.index("Not much.") < text.index("## lfsr-table1")


def test_links_lead_to_headings(tmp_path, run):
    report.main([str(run), "--output", str(tmp_path / "results")])
    text = (tmp_path / "results" / "README.md").read_text()
    assert "[lfsr-table1](#lfsr-table1-title-of-lfsr-table1)" in text


def test_an_experiment_of_two_runs_has_two_sections(tmp_path, run):
    other = make_run(tmp_path / "second", ["lfsr-table1"], preset="paper")
    output = tmp_path / "results"
    assert report.main([str(run), str(other), str(run), "--output", str(output)]) == 0
    text = (output / "README.md").read_text()
    assert "## lfsr-table1-first" in text
    assert "## lfsr-table1-second" in text
    assert (output / "lfsr-table1-second" / "table.csv").exists()


def test_a_report_goes_into_another_whole(tmp_path, run):
    first, again = tmp_path / "results", tmp_path / "again"
    assert report.main([str(run), "--output", str(first)]) == 0
    assert report.main([str(first), "--output", str(again)]) == 0
    files = [
        {path.relative_to(each): path.read_bytes() for path in each.rglob("*") if path.is_file()}
        for each in (first, again)
    ]
    assert files[0] == files[1]


def test_a_run_replaces_the_sections_that_a_report_has_of_it_and_keeps_the_others(tmp_path, run):
    output = tmp_path / "results"
    report.main([str(run), "--output", str(output)])
    newer = make_run(tmp_path / "newer", ["lfsr-table1"], preset="paper")
    assert report.main([str(output), str(newer), "--output", str(output)]) == 0
    assert {path.name for path in output.iterdir() if path.is_dir()} == {
        "lfsr-table1", "ms-gan-table1"
    }  # fmt: skip
    text = (output / "README.md").read_text()
    sections = text.split("\n## ")
    (of_both,) = (each for each in sections if each.startswith("lfsr-table1"))
    assert "preset paper" in of_both
    (kept,) = (each for each in sections if each.startswith("ms-gan-table1"))
    assert "preset laptop" in kept


def test_a_report_replaces_a_report_and_nothing_else(tmp_path, run, capsys):
    output = tmp_path / "results"
    report.main([str(run), "--output", str(output)])
    (output / "stale.png").write_text("old")
    assert report.main([str(run), "--output", str(output)]) == 0
    assert not (output / "stale.png").exists()
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.md").write_text("mine")
    assert report.main([str(run), "--output", str(foreign)]) == 2
    assert "holds something else than a report" in capsys.readouterr().err
    assert [path.name for path in foreign.iterdir()] == ["chapter.md"]


def test_a_damaged_evaluation_leaves_the_report_that_was_there(tmp_path, run, capsys):
    output = tmp_path / "results"
    report.main([str(run), "--output", str(output)])
    before = (output / "README.md").read_text()
    path = run / "evaluation" / "lfsr-table1" / "about.json"
    path.write_text('{"experiment": "lfsr-table1"}')
    assert report.main([str(run), "--output", str(output)]) == 2
    assert "expected what metasr-evaluate writes" in capsys.readouterr().err
    assert (output / "README.md").read_text() == before
    assert {one.name for one in tmp_path.iterdir()} == {"first", "results"}


def test_runs_without_an_evaluation(tmp_path, capsys):
    bare = make_run(tmp_path / "bare", [])
    assert report.main([str(bare), "--output", str(tmp_path / "results")]) == 2
    assert (
        "metasr-evaluate experiment EXPERIMENT --output RUN makes them" in capsys.readouterr().err
    )
    assert report.main([str(tmp_path / "none"), "--output", str(tmp_path / "results")]) == 2
    assert "expected a run folder" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def names(folder):
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_runs_of_one_name_have_sections_of_two_which_are_kept(tmp_path):
    runs = []
    for parent in ("a", "b"):
        (tmp_path / parent).mkdir()
        runs.append(str(make_run(tmp_path / parent / "my run", ["zoom"], preset=f"of {parent}")))
    output = tmp_path / "results"
    assert report.main([*runs, "--output", str(output)]) == 0
    sections = {"zoom-my-run", "zoom-my-run-2"}
    assert names(output) == sections
    before = {name: (output / name / "about.json").read_text() for name in sections}
    for _ in range(2):
        assert report.main([str(output), "--output", str(output)]) == 0
        assert {name: (output / name / "about.json").read_text() for name in sections} == before
    other = make_run(tmp_path / "other", ["lfsr-table1"])
    assert report.main([str(output), str(other), "--output", str(output)]) == 0
    assert names(output) == {*sections, "lfsr-table1"}
    assert "![Curves of all.](zoom-my-run-2/curves.png)" in (output / "README.md").read_text()


def test_two_reports_of_one_experiment_have_two_sections(tmp_path):
    reports = []
    for name in ("one", "two"):
        run = make_run(tmp_path / name, ["zoom"], preset=name)
        reports.append(str(tmp_path / f"report-{name}"))
        assert report.main([str(run), "--output", reports[-1]]) == 0
    output = tmp_path / "results"
    assert report.main([*reports, "--output", str(output)]) == 0
    assert names(output) == {"zoom", "zoom-2"}
