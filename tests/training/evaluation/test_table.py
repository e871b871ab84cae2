"""``table``: the same images for every method, averages, the mark of what is not converged."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from fakes.evaluation import BASELINES, NETWORKS, FakeNetwork, bench, experiment, history
from fakes.training import PAIRS, config, slices

from metasr_training.condition import Condition
from metasr_training.evaluation.about import NetworkAbout, networks_table
from metasr_training.evaluation.cases import degrade_slice
from metasr_training.evaluation.contestants import REFERENCE_LABEL, contestants
from metasr_training.evaluation.costs import (
    epoch_seconds,
    seconds_an_image,
    step_memory,
    updates_per_second,
)
from metasr_training.evaluation.curves import caption, curve_panel, curve_panels
from metasr_training.evaluation.method_table import evaluate_table
from metasr_training.evaluation.timing import evaluate_time, low_resolution_window
from metasr_training.lineage import Past
from metasr_training.stage import Stage
from napari_metasr.zoom.baselines import interpolate

X2 = Condition(scale=2)


def rows(folder, name="table.csv"):
    with (folder / name).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def networks():
    """One that is bicubic itself, and one that is off by ten gray levels everywhere."""
    return {"srresnet-x2": FakeNetwork("srresnet-x2"), "lfsr-x2": FakeNetwork("lfsr-x2", error=10)}


def test_a_tables_figures_are_means_over_the_images(tmp_path, networks):
    one = bench(tmp_path, experiment(), networks)
    findings = evaluate_table(one)
    expected = []
    for part in slices(3):
        _, truth, low, _ = degrade_slice(part, X2)
        error = np.mean((interpolate(low, 2, value_range=(0, 255)) - truth.astype(np.float64)) ** 2)
        expected.append(10 * np.log10(255**2 / error))
    together = {row["method"]: row for row in rows(one.output) if row["source"] == "all"}
    assert float(together["Bicubic"]["psnr"]) == pytest.approx(np.mean(expected), abs=1e-4)
    assert float(together["Bicubic"]["psnr_std"]) == pytest.approx(np.std(expected), abs=1e-4)
    assert findings.images == 3
    assert {row["image"] for row in rows(one.output, "scores.csv")} == {"0", "1", "2"}
    assert networks["lfsr-x2"].seen == networks["srresnet-x2"].seen == [(30, 25)] * 3


def test_what_is_below_bicubic_is_not_ranked(tmp_path, networks):
    one = bench(tmp_path, experiment(), networks)
    findings = evaluate_table(one)
    assert findings.not_converged == {"x2": ["LFSR"]}
    assert findings.ranking["x2"][-1] == "Bilinear"
    assert "LFSR" not in findings.ranking["x2"]
    found = {row["method"]: row for row in rows(one.output) if row["source"] == "all"}
    assert (found["LFSR"]["converged"], found["LFSR"]["rank"]) == ("False", "")
    assert found["SRResNet"]["converged"] == "True"
    assert found["Bilinear"]["converged"] == ""
    (_, text), *_ = findings.tables
    line = next(line for line in text.splitlines() if "| LFSR |" in line)
    assert "not converged" in line
    assert "32.1" in line  # as the paper prints it for x2


def test_bicubic_is_the_reference_even_where_the_paper_has_none(tmp_path):
    wanted = experiment(methods=(BASELINES[1], *NETWORKS))
    found = contestants(wanted, X2, FakeNetwork)
    assert [one.label for one in found] == [REFERENCE_LABEL, "Bilinear", "SRResNet", "LFSR"]
    assert [one.is_reference for one in found] == [True, False, False, False]
    assert evaluate_table(bench(tmp_path, wanted)).ranking["x2"][0] in {
        REFERENCE_LABEL,
        "SRResNet",
        "LFSR",
    }


def test_a_baseline_that_there_is_not(tmp_path):
    wanted = experiment(methods=({"label": "Spline", "baseline": "spline"},))
    with pytest.raises(ValueError, match=r"among nearest, .*b\+nld, found 'spline'"):
        evaluate_table(bench(tmp_path, wanted))


def test_options_are_checked(tmp_path):
    wanted = experiment(options={"cost": 1})
    with pytest.raises(ValueError, match="options of lfsr-table1: cost: Extra inputs"):
        evaluate_table(bench(tmp_path, wanted))


def test_a_region_that_no_slice_has(tmp_path):
    healthy = [
        type(one)(
            one.image, one.intensity_range, one.source, one.patient, one.name, one.mask & False
        )
        for one in slices(2)
    ]
    wanted = experiment(region="roi")
    with pytest.raises(ValueError, match="expected slices that lfsr-table1 can be evaluated on"):
        evaluate_table(bench(tmp_path, wanted, slices=tuple(healthy)))


def test_opinions_stand_below_the_table(tmp_path):
    wanted = experiment(
        id="ms-gan-table1",
        conditions=(Condition(scale=4),),
        methods=({"label": "MS-GAN", "recipe": "ms-gan"},),
    )
    one = bench(tmp_path, wanted)
    findings = evaluate_table(one)
    titles = dict(findings.tables)
    assert "3.26 ± 0.626" in titles["Mean opinion scores"]
    assert "Ground truth" in titles["Mean opinion scores"]
    assert any("has been rated" in note for note in findings.notes)
    assert all(row["epoch_seconds"] == "" for row in rows(one.output))


def test_costs_stand_beside_those_that_the_paper_prints(tmp_path, networks):
    one = bench(tmp_path, experiment(), networks)
    findings = evaluate_table(one)
    found = {row["method"]: row for row in rows(one.output) if row["source"] == "all"}
    assert float(found["LFSR"]["epoch_seconds"]) == pytest.approx(9559 * 16 / 2 / 3.0)
    assert float(found["LFSR"]["step_mib"]) > 0
    assert found["Bicubic"]["step_mib"] == ""
    assert "266.8" in findings.tables[0][1]
    assert any("X2(sigma = 40)" in note for note in findings.notes)


def test_seconds_an_epoch_come_from_the_last_stage():
    network = FakeNetwork("a", config=config(pairs=PAIRS.model_copy(update={"batch": 8})))
    assert updates_per_second(network) == 3.0
    assert epoch_seconds(network, 100) == pytest.approx(100 * 16 / 8 / 3.0)
    assert epoch_seconds(FakeNetwork("b", lines=[]), 100) is None


def test_memory_grows_with_the_batch_by_its_activations():
    batches = (1, 2, 5)
    found = [
        step_memory(config(pairs=PAIRS.model_copy(update={"batch": batch}))) for batch in batches
    ]
    assert found[2] - found[0] == 4 * (found[1] - found[0])
    larger = step_memory(config(pairs=PAIRS.model_copy(update={"batch": 1, "patch": 48})))
    assert found[0] < larger < 4 * found[0]


def test_inference_is_timed_without_its_first_call():
    calls = []
    seconds = seconds_an_image(lambda image, grid: calls.append(image), [(1, 2), (3, 4)])
    assert calls == [1, 1, 3]
    assert 0 <= seconds < 1
    with pytest.raises(ValueError, match="at least one image"):
        seconds_an_image(print, [])


def test_time_has_a_row_for_each_network_beside_the_papers(tmp_path):
    wanted = experiment(
        "time",
        id="ms-gan-time",
        region="roi",
        conditions=(Condition(scale=4),),
        methods=({"label": "WGAN", "recipe": "wgan"},),
        options={"roi_size": 24},
    )
    one = bench(tmp_path, wanted)
    findings = evaluate_time(one)
    (row,) = rows(one.output)
    assert float(row["inference_seconds"]) == pytest.approx(2368 * float(row["seconds_an_image"]))
    ((_, text),) = findings.tables
    assert "233.8" in text
    assert "4.04" in text


def test_inference_is_timed_on_the_low_resolution_window():
    from metasr_training.evaluation.cases import RegionOptions, make_case

    case = make_case(slices(1)[0], X2, "roi", RegionOptions(roi_size=24))
    part, grid, intensity = low_resolution_window(case)
    assert intensity == (0.0, 200.0)
    assert part.shape == (12, 12)
    assert grid.output_shape == (24, 24)
    top, left = (edge // 2 for edge in case.regions["roi"][:2])
    assert np.array_equal(part, case.low_resolution[top : top + 12, left : left + 12])


def test_updates_are_of_all_trainings_that_weights_come_from(tmp_path, networks):
    networks["lfsr-x2"].starts = (Past("mse-x2", 303, 60.0, "interpolation"),)
    one = bench(tmp_path, experiment(), networks)
    findings = evaluate_table(one)
    found = {row["method"]: row for row in rows(one.output) if row["source"] == "all"}
    assert (found["LFSR"]["updates"], found["LFSR"]["trainings"]) == ("315", "303 + 12")
    assert (found["SRResNet"]["updates"], found["SRResNet"]["trainings"]) == ("12", "12")
    assert found["LFSR"]["batches"] == f"{PAIRS.batch} head patches of 24 x 24"
    assert "| 303 + 12 |" in findings.tables[0][1]
    about = [NetworkAbout.of(network) for network in findings.networks.values()]
    lines = {line.split(" | ")[0]: line for line in networks_table(tuple(about)).splitlines()}
    assert "| mse-x2 | 303 + 12 = 315 | 2.5 |" in lines["| lfsr-x2"]
    assert "| random weights | 12 | 1.5 |" in lines["| srresnet-x2"]


def test_a_shipped_start_is_named():
    network = FakeNetwork("a", starts=(Past("shipped meta-srgan", None, None),))
    text = networks_table((NetworkAbout.of(network),))
    assert "| shipped meta-srgan | shipped meta-srgan + 12 | 1.5 |" in text


def test_unequal_weights_and_the_game_are_seen():
    losses = {"mse": 1, "adversarial": 0.01}
    stages = (Stage(name="game", updates=2, losses=losses, game="wgan-gp"),)
    text = networks_table((NetworkAbout.of(FakeNetwork("a", config=config(stages=stages))),))
    assert "game: 1 mse + 0.01 adversarial (wgan-gp)" in text
    assert f"{PAIRS.batch} head patches of {PAIRS.patch} x {PAIRS.patch}" in text


def test_networks_validated_on_other_patches_have_a_panel_of_their_own():
    roi = config(pairs=PAIRS.model_copy(update={"windows": "roi", "patch": 16}))
    brighter = [{"update": 4, "val/psnr": 31.0, "val/psnr_bicubic": 30.0}]
    networks = {
        "A": FakeNetwork("a"),
        "B": FakeNetwork("b", config=roi, lines=brighter, starts=(Past("c", 100, 1.0),)),
        "C": FakeNetwork("c", lines=history(2)),
    }
    first, second = curve_panels("x2", networks)
    count = 2 * PAIRS.batch
    assert first.title == f"x2: {count} head patches of {PAIRS.patch} x {PAIRS.patch}"
    assert second.title == f"x2: {count} roi patches of 16 x 16"
    assert [line.label for line in first.lines] == ["A", "C", "Bicubic"]
    assert [(line.label, line.x, line.y) for line in second.lines] == [
        ("B", [104.0], [31.0]), ("Bicubic", [0.0, 104.0], [30.0, 30.0]),
    ]  # fmt: skip


def test_the_caption_names_what_began_as_interpolation():
    began = FakeNetwork("b", starts=(Past("c", 100, 1.0, "interpolation"),))
    assert caption({"A": FakeNetwork("a"), "B": began}).endswith("near bicubic interpolation: B.")
    assert "interpolate" not in caption({"A": FakeNetwork("a")})
    shipped = FakeNetwork("s", starts=(Past("shipped meta-srgan", None, None),))
    assert "not counted" in caption({"S": shipped})


def test_curves_hold_networks_against_bicubic():
    panel = curve_panel("x2", {"A": FakeNetwork("a"), "B": FakeNetwork("b", lines=history(3))})
    by_label = {line.label: line for line in panel.lines}
    assert (by_label["A"].x, by_label["A"].y) == ([2.0, 6.0], [25.0, 25.0])
    assert by_label["B"].y == [25.0, 27.0]
    assert by_label["Bicubic"].reference
    assert by_label["Bicubic"].y == [24.0, 24.0]
    assert curve_panel("x2", {"A": FakeNetwork("a", lines=[])}).lines == ()
    once = FakeNetwork("a", lines=history()[:2])
    dot, bicubic = curve_panel("x2", {"A": once}).lines
    assert (dot.x, dot.y) == ([2.0], [25.0])
    assert (bicubic.x, bicubic.y) == ([0.0, 2.0], [24.0, 24.0])
