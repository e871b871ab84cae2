"""Where a dialog offers to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtWidgets import QFileDialog

from napari_metasr.widgets.panels.dialogs import Dialogs

KINDS = {"Page": (".html",), "PDF": (".pdf",)}


@pytest.fixture
def offered(monkeypatch, tmp_path):
    """What the dialog offered; the user takes the name in a folder of their own."""
    monkeypatch.setattr(Dialogs, "folder", None)
    offered = []

    def ask(parent, title, suggestion, filters, *, options):
        offered.append(Path(suggestion))
        return str(tmp_path / Path(suggestion).name), filters.split(";;")[0]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    return offered


def test_a_name_is_offered_at_home_then_where_the_last_file_went(offered, tmp_path):
    assert Dialogs().path(None, "", "a.html", KINDS) == (tmp_path / "a.html", "Page")
    Dialogs().path(None, "", "b.html", KINDS)  # of another dock
    assert offered == [Path.home() / "a.html", tmp_path / "b.html"]


def test_a_file_beside_its_scan_is_offered_there(offered, tmp_path):
    scan = tmp_path / "scans" / "t1.nii.gz"
    for _ in range(2):
        Dialogs().path(None, "", str(scan.with_name("t1.html")), KINDS)
    assert offered == [scan.with_name("t1.html")] * 2


def test_a_dialog_that_is_cancelled_remembers_nothing(offered, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: ("", ""))
    assert Dialogs().path(None, "", "a.html", KINDS) is None
    assert Dialogs.folder is None
