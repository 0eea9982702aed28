import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vle_bench.atomic import (
    alone,
    make_folder,
    replacing,
    temporary_name,
    write_bytes,
    write_if_changed,
    write_text,
    write_together,
)
from vle_bench.errors import DataProblem, MachineProblem


def write_half_then(error: BaseException, path: Path) -> None:
    with replacing(path) as stream:
        stream.write(b"half")
        raise error


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "a" / "b.txt"
    with pytest.raises(ValueError, match="stop"):
        write_half_then(ValueError("stop"), path)
    assert list(path.parent.iterdir()) == []
    write_text(path, "ü")
    assert path.read_bytes() == "ü".encode()


def test_what_a_killed_run_left_of_a_file_goes_with_the_next(tmp_path: Path):
    temporary_name(tmp_path / "page.html").write_bytes(b"half, and longer than the whole")
    write_bytes(tmp_path / "page.html", b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"page.html": b"whole"}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_what_a_killed_process_left_of_a_shared_file_goes_and_nothing_else(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    dead, host = done.stdout.strip(), socket.gethostname()
    stay = [
        f".a.npz.{host}-{os.getppid()}.tmp",  # it writes at this moment
        f".a.npz.elsewhere-{dead}.tmp",
        f".a.npz.{host}-x.tmp",
        f".b.npz.{host}-{dead}.tmp",
        f".a.npz.{host}-{'9' * 30}.tmp",
    ]
    for name in (*stay, f".a.npz.{host}-{dead}.tmp"):
        (tmp_path / name).write_bytes(b"half")
    write_bytes(tmp_path / "a.npz", b"whole", shared=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted((*stay, "a.npz"))


def test_an_old_file_survives_a_failed_rewrite(tmp_path: Path):
    path = tmp_path / "b.txt"
    write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt):
        write_half_then(KeyboardInterrupt(), path)
    assert path.read_bytes() == b"old"
    assert not temporary_name(path).exists()


def test_equal_bytes_leave_the_file_and_its_time_alone(tmp_path: Path):
    path = tmp_path / "b.txt"
    assert write_if_changed(path, b"same")
    before = path.stat().st_mtime_ns
    assert not write_if_changed(path, b"same")
    assert path.stat().st_mtime_ns == before
    assert write_if_changed(path, b"diff")
    assert path.read_bytes() == b"diff"


def test_a_regular_file_in_the_way_is_the_machines_refusal(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MachineProblem, match="a regular file stands in its way"):
        make_folder(tmp_path / "file" / "below")
    with pytest.raises(MachineProblem):
        write_bytes(tmp_path / "file" / "below" / "out.json", b"x")


def test_a_link_to_nothing_in_the_way_is_named_with_its_end(tmp_path: Path):
    (tmp_path / "shards").symlink_to("/no/such/disk")
    for place in ("shards", "shards/coco/train"):
        with pytest.raises(MachineProblem, match=r"shards is a link to /no/such/disk, which is no"):
            make_folder(tmp_path / place)


def test_a_missing_source_inside_the_block_is_missing_data(tmp_path: Path):
    with pytest.raises(DataProblem), replacing(tmp_path / "out") as stream:
        stream.write((tmp_path / "absent").read_bytes())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path):
    (tmp_path / "table.md").mkdir()
    with pytest.raises(MachineProblem, match=r"table\.md: a folder stands where a file belongs"):
        write_bytes(tmp_path / "table.md", b"x")
    assert not temporary_name(tmp_path / "table.md").exists()


@pytest.mark.parametrize("blocked", ["first", "second"])
def test_files_that_belong_together_change_together_or_not_at_all(tmp_path: Path, blocked: str):
    files = {tmp_path / "first": b"new", tmp_path / "second": b"new"}
    for path in files:
        write_bytes(path, b"old")
    temporary_name(tmp_path / blocked).mkdir()
    with pytest.raises(MachineProblem, match=blocked):
        write_together(files)
    assert [path.read_bytes() for path in files] == [b"old", b"old"]
    temporary_name(tmp_path / blocked).rmdir()
    write_together(files)
    assert [path.read_bytes() for path in files] == [b"new", b"new"]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("sizes", [(9, 9999), (9999, 9)])
def test_where_one_of_several_files_does_not_fit_none_is_written(tmp_path: Path, sizes):
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from vle_bench.atomic import write_together\n"
        "from vle_bench.errors import MachineProblem\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "first, second = map(int, sys.argv[2:])\n"
        "folder = Path(sys.argv[1])\n"
        "try:\n"
        "    write_together({folder / 'a': bytes(first), folder / 'b': bytes(second)})\n"
        "except MachineProblem as problem:\n"
        "    sys.exit(str(problem))\n"
    )
    (tmp_path / "b").write_bytes(b"old")
    sizes = [str(size) for size in sizes]
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), *sizes], capture_output=True, text=True
    )
    assert "File too large" in run.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"b": b"old"}


def test_who_waits_for_another_run_says_so(tmp_path: Path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    told = []

    def say(text: str) -> None:
        told.append(text)
        os.close(other)  # the other run ends

    monkeypatch.setattr("vle_bench.console.say", say)
    with alone(tmp_path):
        assert told == [f"{tmp_path}: another run is writing there. Waiting for it to end."]
    with alone(tmp_path):
        assert len(told) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_bytes(pipe, b"a table")
    assert reader.communicate(timeout=60)[0] == b"a table"
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs names of open files")
def test_the_name_of_an_open_file_is_written_to(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from vle_bench.atomic import write_bytes;"
        "write_bytes(Path(f'/dev/fd/{sys.stdout.fileno()}'), b'a table')"
    )
    with (tmp_path / "out").open("wb") as out:
        inode = os.fstat(out.fileno()).st_ino
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True)
    assert (tmp_path / "out").read_bytes() == b"a table"
    assert (tmp_path / "out").stat().st_ino == inode
