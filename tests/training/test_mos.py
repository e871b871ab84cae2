"""``metasr-mos``: a whole study from folders to the table, with scripted raters."""

from __future__ import annotations

import csv
import sys

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from metasr_training import mos
from napari_metasr.quality.rating import OPENED_FILE, SCRIPTED, RatingSheet, open_key, read_study

METHODS = ("bilinear", "gan", "truth")
SLICES = tuple(f"patient-{n}" for n in range(12))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["metasr-mos", *map(str, arguments)])
    return mos.main()


@pytest.fixture
def folders(tmp_path, rng):
    """Twelve slices of three methods, as PNG of 8 and 16 bits, WebP and NIfTI."""
    root = tmp_path / "images"
    for method in METHODS:
        (root / method).mkdir(parents=True)
        for name in SLICES:
            pixels = rng.integers(0, 255, (12, 10))
            path = root / method / name
            if method == "bilinear":
                Image.fromarray(pixels.astype(np.uint8)).save(f"{path}.png")
            elif method == "gan":
                Image.fromarray(pixels.astype(np.uint8)).convert("RGB").save(
                    f"{path}.webp", lossless=True
                )
            else:
                Image.fromarray(pixels.astype(np.uint16)).save(f"{path}.png")
    return root


@pytest.fixture
def study(folders, tmp_path, monkeypatch):
    output = tmp_path / "study"
    assert run(monkeypatch, "prepare", "--input", folders, "--output", output, "--seed", 5) == 0
    return read_study(output)


def rate(study, rater, opinion, *, share=1.0, scripted=False):
    """Rate like somebody who knows: ``opinion`` gives grade and flags of a method's n-th image."""
    key = open_key(study)
    (study.folder / OPENED_FILE).unlink()
    seen = dict.fromkeys(METHODS, 0)
    with RatingSheet(study, rater, scripted=scripted) as sheet:
        for name in study.names[: round(share * len(study.names))]:
            method = key.images[name].method
            sheet.write(name, *opinion(method, seen[method]))
            seen[method] += 1


def ann(method, n):
    return {"bilinear": (1, "S"), "gan": (2 + n % 2, "UN"), "truth": (4, "")}[method]


def bob(method, n):
    """A grade milder where he can be."""
    grade, flags = ann(method, n)
    return min(grade + 1, 4), flags


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_whole_study(study, monkeypatch, capsys):
    rate(study, "Ann", ann)
    rate(study, "Bob", bob)
    assert run(monkeypatch, "score", study.folder) == 0
    printed = capsys.readouterr().out
    scores = study.folder / "scores"
    assert (scores / "mos.md").read_text(encoding="utf-8") in printed
    assert "Note" not in printed
    assert "script" not in printed

    # 24 ratings a method; Ann gives 1, Bob 2: mean 1.5, standard deviation 0.5, and so on
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    assert lines[0] == (
        "| method | MOS | Non-diagnostic | Poor | Fair | Good | Great | S | A | U | N | ratings |"
    )
    assert lines[2] == "| bilinear | 1.50 ± 0.500 | 0 | 12 | 12 | 0 | 0 | 24 | 0 | 0 | 0 | 24 |"
    assert lines[3] == "| gan | 3.00 ± 0.707 | 0 | 0 | 6 | 12 | 6 | 0 | 0 | 24 | 24 | 24 |"
    assert lines[4] == "| truth | 4.00 ± 0.000 | 0 | 0 | 0 | 0 | 24 | 0 | 0 | 0 | 0 | 24 |"
    mos_rows = rows(scores / "mos.csv")
    assert [(row["raters"], row["method"]) for row in mos_rows] == [
        (group, method) for group in ("all", "rater ann", "rater bob") for method in METHODS
    ]
    assert float(mos_rows[4]["mos"]) == 2.5

    # 24 of 36 are one grade apart
    (pair,) = rows(scores / "agreement.csv")
    assert (pair["first"], pair["second"], pair["images"]) == ("ann", "bob", "36")
    assert float(pair["same_grade"]) == pytest.approx(12 / 36)
    first, second = {1: 12, 2: 6, 3: 6, 4: 12}, {2: 12, 3: 6, 4: 18}
    expected = sum(n * m * (i - j) ** 2 for i, n in first.items() for j, m in second.items()) / 36
    assert float(pair["weighted_kappa"]) == pytest.approx(1 - 24 / expected)
    # sums of squares: 82 between images, 8 between raters, 4 left
    icc = (82 - 4) / 35 / (82 / 35 + 4 / 35 + 2 * (8 - 4 / 35) / 36)
    assert f"ICC(2,1) of the 2 raters on the 36 images that all of them rated: {icc:.2f}" in printed

    # twelve slices, all in one direction: 2 of 2^12 changes of sign, times three tests
    tests = {(row["first"], row["second"]): row for row in rows(scores / "tests.csv")}
    assert set(tests) == {("bilinear", "gan"), ("bilinear", "truth"), ("gan", "truth")}
    for (first_method, _), row in tests.items():
        assert (row["slices"], row["differing"]) == ("12", "12")
        assert float(row["p"]) == pytest.approx(2 / 2**12)
        assert float(row["p_holm"]) == pytest.approx(6 / 2**12)
        assert float(row["difference"]) < 0, first_method
    assert len(rows(scores / "ratings.csv")) == 72


def test_ratings_of_scripts_are_marked_wherever_they_count(study, monkeypatch, capsys):
    rate(study, "Ann", ann)
    rate(study, "Robot", bob, scripted=True)
    assert run(monkeypatch, "score", study.folder) == 0
    printed = capsys.readouterr().out
    headings = [line for line in printed.splitlines() if line.startswith("#")]
    assert [line.partition(" (")[0] for line in headings if SCRIPTED in line] == [
        "# Mean opinion scores",
        "## robot",
        "## Agreement of raters",
        "## Methods against each other",
    ]
    assert "## ann" in headings
    assert "**Note:** robot is a script: its ratings are no person's opinion." in printed
    scores = study.folder / "scores"
    found = [int(row["scripted"]) for row in rows(scores / "mos.csv")]
    assert found == [12, 12, 12, 0, 0, 0, 12, 12, 12]
    assert {row["scripted"] for row in rows(scores / "agreement.csv")} == {"1"}
    assert {row["scripted"] for row in rows(scores / "tests.csv")} == {"1"}
    by = {(row["rater"], row["scripted"]) for row in rows(scores / "ratings.csv")}
    assert by == {("ann", "0"), ("robot", "1")}


def test_ratings_after_the_opening_and_unfinished_ones_are_reported(study, monkeypatch, capsys):
    rate(study, "Ann", ann)
    assert run(monkeypatch, "score", study.folder) == 0
    assert "Agreement" not in capsys.readouterr().out
    with RatingSheet(study, "Ann") as sheet:
        sheet.write(study.names[0], 0)
    with RatingSheet(study, "Cem") as sheet:
        sheet.write(study.names[0], 0)
    with (study.ratings / "cem.jsonl").open("a") as file:
        file.write('{"study": "')
    RatingSheet(study, "Dan").close()
    output = study.folder.parent / "elsewhere"
    assert run(monkeypatch, "score", study.folder, "--output", output) == 0
    text = (output / "mos.md").read_text(encoding="utf-8")
    assert "1 ratings of ann were given after the key was first opened" in text
    assert "1 ratings of cem were given after" in text
    assert "cem has rated 1 of 36 images" in text
    assert "last line of cem.jsonl is only half written" in text
    assert "dan" not in text
    assert "| ann – cem | 1 | 100% | – |" in text
    both = dict.fromkeys(("bilinear", "gan", "truth"), 12)
    assert {row["method"]: int(row["ratings"]) for row in rows(output / "mos.csv")[3:6]} == both
    late = [row for row in rows(output / "ratings.csv") if row["after_opening"] == "1"]
    assert sorted(row["rater"] for row in late) == ["ann", "cem"]


def test_methods_that_were_not_compared_are_not_tested(study, monkeypatch, capsys):
    """A rater who stopped early: pairs of methods without a common slice do not count as tests."""
    key = open_key(study)
    with RatingSheet(study, "Ann") as sheet:
        for name, origin in key.images.items():
            if origin.method != "truth":
                sheet.write(name, 1 if origin.method == "gan" else 2)
    assert run(monkeypatch, "score", study.folder) == 0
    printed = capsys.readouterr().out
    assert "| bilinear – gan | 12 | 12 | +1.00 | 0.0005 | 0.0005 |" in printed
    assert "| gan – truth | 0 | 0 | – | – | – |" in printed
    assert "corrected for 1 tests" in printed
    assert "| truth | – | 0 | 0 |" in printed


def test_slices_are_chosen_at_random_by_the_seed(folders):
    first = mos.read_folders(folders, slices=5, seed=1)
    assert list(first) == list(mos.read_folders(folders, slices=5, seed=1))
    assert list(first) != list(mos.read_folders(folders, slices=5, seed=2))
    assert len(first) == 5
    assert list(mos.read_folders(folders)) == sorted(SLICES)
    assert set(first[next(iter(first))]) == set(METHODS)


def test_every_kind_of_file_is_read_as_it_looks(tmp_path, rng):
    """A NIfTI slice is turned to radiological convention, as a picture hangs."""
    pixels = rng.integers(0, 255, (12, 10)).astype(np.uint8)
    names = ("png", "webp", "axial", "coronal", "flat")
    paths = {name: tmp_path / name for name in names}
    for path in paths.values():
        path.mkdir()
    Image.fromarray(pixels).save(paths["png"] / "a.png")
    Image.fromarray(pixels).convert("RGB").save(paths["webp"] / "a.webp", lossless=True)
    upright = pixels[::-1, ::-1].T  # x to the right, y to the front or z up
    save = {"axial": upright[:, :, None], "coronal": upright[:, None, :], "flat": upright}
    for name, data in save.items():
        nib.save(nib.Nifti1Image(np.ascontiguousarray(data), np.eye(4)), paths[name] / "a.nii.gz")
    (found,) = mos.read_folders(tmp_path).values()
    for name in names:
        np.testing.assert_array_equal(found[name], pixels, err_msg=name)


def test_without_a_seed_every_study_is_another(folders, tmp_path, monkeypatch):
    ids = set()
    for name in ("one", "two"):
        arguments = ("--input", folders, "--output", tmp_path / name, "--slices", 4)
        assert run(monkeypatch, "prepare", *arguments) == 0
        study = read_study(tmp_path / name)
        assert len(study.names) == 12
        ids.add(study.card.id)
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("spoil", "arguments", "message"),
    [
        (lambda root: None, ["--slices", "13"], "between 1 and 12 slices"),
        (lambda root: None, ["--truth", "gold"], "expected 'gold' among"),
        (lambda root: (root / "gan" / "patient-3.webp").unlink(), [], "1 of 12 slices are missing"),
        (lambda root: (root / "gan" / "notes.txt").touch(), [], "notes.txt: expected gray"),
        (lambda root: (root / "gan" / "patient-3.png").touch(), [], "found patient-3.png too"),
        (lambda root: (root / "truth" / "patient-3.png").write_bytes(b"x"), [], "damaged"),
        (
            lambda root: Image.new("L", (9, 12)).save(root / "truth" / "patient-3.png"),
            [],
            "patient-3: expected all versions in one size",
        ),
        (lambda root: root.rename(root.with_name("gone")), [], "no such folder"),
        (
            lambda root: [sub.rename(root.parent / sub.name) for sub in sorted(root.iterdir())[1:]],
            [],
            "a sub-folder for the truth and for each method, found bilinear",
        ),
    ],
)
def test_bad_input_is_said_in_one_line(
    folders, tmp_path, monkeypatch, capsys, spoil, arguments, message
):
    spoil(folders)
    output = tmp_path / "study"
    assert run(monkeypatch, "prepare", "--input", folders, "--output", output, *arguments) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not output.exists()


def test_a_study_is_not_overwritten_by_accident(study, folders, monkeypatch, capsys):
    arguments = ("prepare", "--input", folders, "--output", study.folder)
    assert run(monkeypatch, *arguments) == 2
    assert "--overwrite replaces it" in capsys.readouterr().err
    assert run(monkeypatch, *arguments, "--overwrite") == 0


def test_the_key_stays_sealed_until_somebody_has_rated(study, monkeypatch, capsys):
    RatingSheet(study, "Ann").close()
    assert run(monkeypatch, "score", study.folder) == 2
    assert "the key stays sealed" in capsys.readouterr().err
    assert not (study.folder / OPENED_FILE).exists()


def test_a_changed_image_stops_scoring_before_the_key_is_opened(study, monkeypatch, capsys):
    rate(study, "Ann", ann)
    Image.new("L", (10, 12)).save(study.folder / "images" / "0007.png")
    assert run(monkeypatch, "score", study.folder) == 2
    assert "0007.png: changed" in capsys.readouterr().err
    assert not (study.folder / OPENED_FILE).exists()
