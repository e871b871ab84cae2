"""Commands whose output nothing reads any more, as after ``| head``: no error, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from napari_metasr.cli.exit_codes import READER_GONE
from napari_metasr.cli.standard_output import ending_with_its_reader


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such pipes")
@pytest.mark.parametrize(
    ("module", "arguments", "codes"),
    [
        ("napari_metasr.cli", ["models"], {READER_GONE}),
        ("napari_metasr.cli", ["cohort", "--help"], {READER_GONE}),
        ("metasr_training.train", ["--help"], {0, READER_GONE}),
        ("metasr_training.mos", ["score", "--help"], {0, READER_GONE}),
    ],
)
def test_a_command_ends_in_silence(module, arguments, codes):
    reader, writer = os.pipe()
    os.close(reader)
    program = f"import sys; from {module} import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode in codes


def test_what_is_read_is_written_whole(capsys):
    def main(arguments=None):
        print(*arguments)
        return 3

    assert ending_with_its_reader(main)(["a", "b"]) == 3
    assert capsys.readouterr().out == "a b\n"


def test_work_is_cleared_away_when_the_reader_goes(tmp_path):
    """What is done in the end is done, and errors are not taken for those of files."""
    read, write = os.pipe()
    os.close(read)
    left = tmp_path / "left"

    def main(arguments=None):
        try:
            left.touch()
            print("x" * 100_000)
        except OSError:
            return 2
        finally:
            left.unlink()
        return 0

    before = sys.stdout
    with os.fdopen(write, "w") as stream:
        sys.stdout = stream
        try:
            with pytest.raises(SystemExit) as stopped:
                ending_with_its_reader(main)()
        finally:
            sys.stdout = before
    assert stopped.value.code == READER_GONE
    assert not left.exists()
