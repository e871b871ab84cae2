"""Work off the GUI thread: what is told, what is not, and what is left."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import warnings
import weakref

import pytest
from qtpy.QtCore import QThreadPool

from napari_metasr.normalisation import MissingPixelsWarning
from napari_metasr.widgets.panels.worker import FailedError, Task, once, reason


class Heavy:
    """Something that must not be kept."""


@pytest.fixture(params=[True, False], ids=["announced", "unannounced"])
def task(request):
    task = Task(announced=request.param)
    yield task
    task.close()


@pytest.fixture
def told(task):
    """All that the task says, in order."""
    said = []
    for name in ("step", "warned", "failed", "finished"):
        getattr(task, name).connect(lambda what, name=name: said.append((name, what)))
    return said


def end(qtbot, task):
    qtbot.waitUntil(lambda: not task.is_running, timeout=20_000)


def held(gate, reached, references):
    """Hold something heavy over a step that can be held up."""
    heavy = Heavy()
    references.append(weakref.ref(heavy))
    yield "first"
    reached.set()
    gate.wait(20)
    yield "second"
    yield "third"


def test_a_task_does_not_wait_for_another_one_on_a_machine_with_one_core(qtbot, task):
    """A long one would stop every dock; Qt itself runs as many at a time as there are cores."""
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    pool.setMaxThreadCount(1)
    gate, long = threading.Event(), Task()
    try:
        long.start(once, gate.wait, 60)
        task.start(once, sorted, "ba")
        end(qtbot, task)
        assert long.is_running
        gate.set()
        end(qtbot, long)
    finally:
        gate.set()
        pool.setMaxThreadCount(before)


def test_steps_and_the_end_are_told_in_the_gui_thread(qtbot, task, told):
    threads = []
    task.step.connect(lambda _: threads.append(threading.current_thread()))
    task.start(once, sorted, "ba")
    end(qtbot, task)
    assert told == [("step", ["a", "b"]), ("finished", False)]
    assert threads == [threading.main_thread()]


def test_a_cancelled_task_tells_only_its_end_and_holds_nothing(qtbot, task, told):
    gate, reached, references = threading.Event(), threading.Event(), []
    task.start(held, gate, reached, references)
    qtbot.waitUntil(lambda: reached.is_set() and bool(told), timeout=20_000)
    task.cancel()
    gate.set()
    end(qtbot, task)
    gc.collect()
    assert told == [("step", "first"), ("finished", True)]
    assert references[0]() is None


def test_a_closed_task_tells_nothing_and_can_start_again(qtbot, task, told):
    gate, reached, references = threading.Event(), threading.Event(), []
    task.start(held, gate, reached, references)
    qtbot.waitUntil(lambda: reached.is_set() and bool(told), timeout=20_000)
    task.close()
    task.start(once, len, "abc")
    gate.set()
    end(qtbot, task)
    qtbot.waitUntil(lambda: references[0]() is None, timeout=20_000)
    qtbot.wait(50)
    assert told == [("step", "first"), ("step", 3), ("finished", False)]


def test_two_generators_at_once_are_refused(qtbot, task):
    gate, reached = threading.Event(), threading.Event()
    task.start(held, gate, reached, [])
    with pytest.raises(RuntimeError, match="running already"):
        task.start(once, len, "abc")
    gate.set()
    end(qtbot, task)


@pytest.mark.parametrize(
    ("error", "text"),
    [(RuntimeError("CUDA error"), "CUDA error"), (MemoryError(), "there is not enough memory")],
)
def test_an_error_that_a_worker_takes_for_its_own_end_is_told(qtbot, task, told, error, text):
    def fails():
        yield "first"
        raise error

    task.start(fails)
    end(qtbot, task)
    (_, (name, failure), finished) = told
    assert (name, str(failure)) == ("failed", text)
    assert isinstance(failure, FailedError)
    assert finished == ("finished", False)


def test_an_error_is_told_as_it_is(qtbot, task, told):
    task.start(once, int, "x")
    end(qtbot, task)
    assert [name for name, _ in told] == ["failed", "finished"]
    assert isinstance(told[0][1], ValueError)


def test_warnings_for_the_user_are_told_and_those_of_libraries_are_not(qtbot, task, told):
    def warns():
        warnings.warn("plain", stacklevel=1)
        warnings.warn("pixels", MissingPixelsWarning, stacklevel=1)
        warnings.warn("library", DeprecationWarning, stacklevel=1)
        yield None

    task.start(warns)
    end(qtbot, task)
    assert [what for name, what in told if name == "warned"] == ["plain", "pixels"]


ENDS_MEANWHILE = """
import sys, time
from qtpy.QtWidgets import QApplication
from napari_metasr.widgets.panels.worker import Task

def work():
    yield "first"
    while not QApplication.closingDown():
        time.sleep(0.01)
    time.sleep(0.3)
    if sys.argv[1] == "fails":
        raise OSError("the folder is gone")
    yield "second"

app = QApplication([])
task = Task(announced=False)
task.step.connect(lambda _: app.exit())
task.start(work)
app.exec()
if sys.argv[2] == "closed":
    task.close()
"""


@pytest.mark.parametrize("work", ["fails", "goes on"])
@pytest.mark.parametrize("task", ["closed", "open"])
def test_napari_ends_in_order_whatever_becomes_of_the_work_that_runs(work, task):
    ended = subprocess.run(
        [sys.executable, "-c", ENDS_MEANWHILE, work, task],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FailedError("no room on the device"), "no room on the device"),
        (PermissionError(13, "Permission denied", "a/b.png"), "a/b.png: Permission denied"),
        (ValueError("expected two lines,\nfound one"), "expected two lines, found one"),
        (MemoryError(), "not enough memory: try a smaller region or scale"),
        (TypeError("unhashable"), "TypeError: unhashable"),
    ],
)  # fmt: skip
def test_why_work_failed_is_told_in_one_line(error, told):
    assert reason(error) == told
