"""Work that is cancelled, left by an earlier run, or used by another process."""

from __future__ import annotations

from fakes.upscale_dock import LEFT, OUTPUT, PARTS, begin, run
from fakes.widgets import settle

from napari_metasr.upscaling.workspace import Workspace
from napari_metasr.widgets.upscaling import messages as words
from napari_metasr.widgets.upscaling.settings import Setting


def test_cancelled_work_is_kept_and_can_be_gone_on_with(qtbot, dock, viewer, work, path):
    begin(qtbot, dock, work, 2)
    qtbot.mouseClick(dock.cancel, LEFT)
    assert dock.status.text() == words.STOPPING
    work.go()
    settle(qtbot, dock)
    assert work.ended.is_set()
    assert len(viewer.layers) == 1
    assert "what is done is kept" in dock.status.text()
    assert dock.progress.value() > 0
    assert f"{dock.progress.value() / 10:.0f}%" in dock.status.text()
    assert not dock.resume.isHidden()
    assert dock.start.text() == "Start over"
    done = len(work.done)
    assert done < PARTS
    run(qtbot, dock, "resume")
    assert work.jobs[-1].resume
    assert work.done == [1, 2, 3, 4]
    assert len(viewer.layers) == 2
    assert dock.resume.isHidden()
    assert not list(path.parent.glob(".*"))


def test_cancelled_work_can_be_begun_anew(qtbot, dock, work):
    begin(qtbot, dock, work, 2)
    qtbot.mouseClick(dock.cancel, LEFT)
    work.go()
    settle(qtbot, dock)
    work.done.clear()
    run(qtbot, dock)
    assert work.done == [1, 2, 3, 4]


def test_cancelled_work_can_be_discarded(qtbot, dock, viewer, work, path):
    begin(qtbot, dock, work, 1)
    qtbot.mouseClick(dock.cancel, LEFT)
    work.go()
    settle(qtbot, dock)
    qtbot.mouseClick(dock.discard, LEFT)
    assert dock.status.text() == words.DISCARDED
    assert dock.discard.isHidden()
    assert dock.start.text() == "Start"
    assert [each.name for each in path.parent.iterdir()] == ["head.nii.gz"]


def test_unfinished_work_of_another_time_is_offered(qtbot, make_dock, viewer, work, path):
    first = make_dock(viewer)
    begin(qtbot, first, work, 1)
    first.coordinator.close()
    work.go()
    assert work.ended.wait(10)
    second = make_dock(viewer)
    assert not second.resume.isHidden()
    run(qtbot, second, "resume")
    assert path.with_name(OUTPUT).exists()


def test_what_another_process_works_on_is_not_discarded(qtbot, dock, work, path, notes):
    workspace = Workspace(path.with_name(OUTPUT))
    with workspace.opened("a plan", resume=False):
        dock.settings_changed.emit(Setting.TARGET)
        qtbot.mouseClick(dock.discard, LEFT)
    assert notes[-1] == f"Upscale volume: {words.IN_USE}"
    assert workspace.is_begun


def test_closing_stops_the_work_and_keeps_it(qtbot, dock, viewer, work, path):
    begin(qtbot, dock, work, 1)
    dock.close()
    work.go()
    assert work.ended.wait(10)
    qtbot.wait(50)
    assert len(viewer.layers) == 1
    assert work.done[-1] < PARTS
    names = sorted(each.name for each in path.parent.iterdir())
    assert names == [f".{OUTPUT}.unfinished", "head.nii.gz"]
