"""The commit of the code, as git itself tells it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from vle_bench.results import stamp

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git on this system")


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *name, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, in which this code would lie."""
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "feature/x")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "one")
    of(folder, monkeypatch)
    return folder


def of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamp, "__file__", str(folder / "vle_bench" / "results" / "stamp.py"))


def told() -> str:
    return stamp.make_stamp({}).git


def test_a_branch_a_packed_branch_and_a_bare_commit(repository):
    commit = git(repository, "rev-parse", "HEAD")
    assert told() == commit
    git(repository, "pack-refs", "--all")
    assert told() == commit
    git(repository, "checkout", "--quiet", "--detach")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "two")
    assert told() == git(repository, "rev-parse", "HEAD") != commit


def test_a_plain_branch_is_told_without_starting_git(repository, monkeypatch):
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("PATH", "")
    assert told() == commit


def test_a_worktree_has_a_commit_of_its_own(repository, tmp_path, monkeypatch):
    git(repository, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    git(tmp_path / "tree", "commit", "--quiet", "--allow-empty", "--message", "two")
    of(tmp_path / "tree", monkeypatch)
    assert told() == git(tmp_path / "tree", "rev-parse", "HEAD")


def test_no_repository_and_one_without_commits_have_none(tmp_path, monkeypatch):
    of(tmp_path, monkeypatch)
    assert told() == ""
    git(tmp_path, "init", "--quiet")
    assert told() == ""
