"""Experiments with several seeds: a run folder for each, means and spreads over all."""

from __future__ import annotations

import csv
import json
from statistics import fmean, stdev

import pytest
from fakes.training import write_data

from metasr_training import evaluate, export, report, train
from metasr_training.evaluation.over_seeds import seeds_rows, seeds_table
from metasr_training.trained import load_trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """SRResNet and a game with two seeds, trained and evaluated."""
    folder = tmp_path_factory.mktemp("seeds")
    data = write_data(folder / "data", shape=(136, 128))
    output = folder / "run"
    arguments = ["meta-srgan-table1", "--preset", "smoke", "--data", str(data)]
    assert train.main([*arguments, "--output", str(output), "--seed", "3", "--seeds", "2"]) == 0
    assert evaluate.main(["experiment", "meta-srgan-table1", "--output", str(output)]) == 0
    return output


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_seed_has_networks_of_its_own_and_the_patients_of_all(run):
    first, second = (load_trained(run / f"seed-{seed}", "meta-srgan") for seed in (3, 4))
    assert (first.config.seed, second.config.seed) == (3, 4)
    weights, others = first.weights["network"], second.weights["network"]
    assert any((weights[name] != others[name]).any() for name in weights)
    assert first.about["split"] == second.about["split"]
    assert json.loads((run / "run.json").read_text())["seeds"] == [3, 4]


def test_tables_have_means_and_spreads_over_the_seeds(run):
    folder = run / "evaluation" / "meta-srgan-table1"
    each = [rows(run / f"seed-{seed}/evaluation/{folder.name}/table.csv") for seed in (3, 4)]
    psnr = [
        next(
            float(row["psnr"]) for row in one if (row["method"], row["source"]) == ("SRGAN", "all")
        )
        for one in each
    ]
    assert psnr[0] != psnr[1]
    found = next(
        row
        for row in rows(folder / "seeds.csv")
        if (row["row"], row["measure"]) == ("x2, SRGAN", "psnr")
    )
    assert float(found["mean"]) == pytest.approx(fmean(psnr))
    assert float(found["spread"]) == pytest.approx(stdev(psnr))
    text = f"{fmean(psnr):.2f} ± {stdev(psnr):.2f}"
    assert text in json.loads((folder / "about.json").read_text())["tables"][0][1]
    output = run.parent / "report"
    assert report.main([str(run), "--output", str(output)]) == 0
    page = (output / "README.md").read_text()
    assert text in page
    assert "Trained with the seeds 3, 4. What is not over all seeds is of seed 3." in page


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (["--seed", "3"], "expected seeds 3 to 4, with which"),
        (["--seeds", "2"], "found seeds 0 to 1"),
        (["--seed", "3", "--seeds", "0"], "expected a number of seeds from 1 on, found 0"),
    ],
)
def test_a_run_goes_on_with_its_own_seeds(run, capsys, seeds, said):
    before = (run / "run.json").read_bytes()
    arguments = ["meta-srgan-table1", "--preset", "smoke", "--data", str(run.parent / "data")]
    assert train.main([*arguments, "--output", str(run), *seeds, "--resume"]) == 2
    assert said in capsys.readouterr().err
    assert (run / "run.json").read_bytes() == before


def test_a_network_is_exported_from_the_run_of_one_seed(run, tmp_path, capsys):
    asked = ["--network", "meta-srgan", "--output", str(tmp_path)]
    assert export.main(["--run", str(run), *asked]) == 2
    assert f"has a run folder of its own, such as {run / 'seed-3'}" in capsys.readouterr().err
    assert export.main(["--run", str(run / "seed-4"), *asked]) == 0


def test_the_spread_is_that_of_a_sample_and_one_seed_has_none(tmp_path):
    for seed, psnr in enumerate((30, 31, 35)):
        (tmp_path / f"{seed}.csv").write_text(f"condition,method,psnr\nx2,a,{psnr}\n")
    tables = [tmp_path / f"{seed}.csv" for seed in range(3)]
    (row,) = seeds_rows(tables)
    assert (row.mean, row.spread) == (32, pytest.approx(7**0.5))  # (4 + 1 + 9) / 2
    (alone,) = seeds_rows(tables[:1])
    assert (alone.mean, alone.spread) == (30, None)
    assert "| x2, a | 30.00 |" in seeds_table([alone])


def test_rows_that_a_seed_lacks_are_left_out(tmp_path):
    for seed, text in enumerate(
        ("x2,a,all,30\nx2,a,one,9\nx2,b,all,20\n", "x2,a,all,31\nx2,b,all,\n")
    ):
        (tmp_path / f"{seed}.csv").write_text(f"condition,method,source,psnr\n{text}")
    (row,) = seeds_rows([tmp_path / "0.csv", tmp_path / "1.csv"])
    assert (row.row, row.measure, row.seeds, row.mean) == ("x2, a", "psnr", 2, 30.5)
    assert "| x2, a | 30.50 ± 0.71 |" in seeds_table([row])


def test_data_sets_are_told_apart_where_no_row_is_of_all(tmp_path):
    for seed in range(2):
        table = f"one,bicubic,2.0,0.0,a,3{seed}\nother,bicubic,2.0,10.0,a,2{seed}\n"
        path = tmp_path / f"{seed}.csv"
        path.write_text(f"source,degradation,scale,noise,method,psnr\n{table}")
    found = seeds_rows([tmp_path / "0.csv", tmp_path / "1.csv"])
    assert [(row.row, row.mean) for row in found] == [
        ("one, bicubic, 2.0, a", 30.5),
        ("other, bicubic, 2.0, 10.0, a", 20.5),
    ]
