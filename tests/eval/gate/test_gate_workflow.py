"""The reusable workflow: documented inputs, and a script that does what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "regress.yml"

yaml = pytest.importorskip("yaml")


@pytest.fixture(scope="module")
def workflow() -> dict:
    # YAML 1.1 reads the key `on` as true.
    document = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


def steps(workflow: dict) -> dict[str, dict]:
    return {step["name"]: step for step in workflow["jobs"]["regress"]["steps"] if "name" in step}


def test_every_input_says_what_it_is_and_has_a_default(workflow):
    inputs = workflow["on"]["workflow_call"]["inputs"]
    assert set(inputs) == {"folders", "files", "strict", "package", "python", "junit"}
    for name, one in inputs.items():
        assert one["description"].endswith("."), name
        assert "default" in one, name


def test_inputs_reach_the_shell_as_variables_and_never_as_code(workflow):
    for step in steps(workflow).values():
        assert "${{" not in step["run"]


def test_readme_names_no_input_that_is_not_there(workflow):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, after = readme.partition("/.github/workflows/regress.yml@")
    example = after.partition("```")[0]
    used = {line.partition(":")[0].strip() for line in example.splitlines() if ": " in line}
    assert used
    assert used <= set(workflow["on"]["workflow_call"]["inputs"])


@pytest.mark.parametrize(("strict", "code"), [("true", 1), ("false", 0)])
def test_the_script_checks_the_folders_with_the_options(workflow, tmp_path, strict, code):
    case = shutil.copytree(ROOT / "manifests" / "golden" / "vcr_kinds", tmp_path / "case")
    shutil.copytree(ROOT / "manifests" / "pins", tmp_path / "mine" / "pins")
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {
        "FOLDERS": f"{case.name} mine", "FILES": "case", "STRICT": strict, "JUNIT": "junit.xml",
        "PATH": binaries,
    }  # fmt: skip
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps(workflow)["check"]["run"]],
        cwd=tmp_path, env={**os.environ, **given}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == code, ran.stderr
    assert "not checked: pins/golden-vqa-official" in ran.stderr
    text = (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert 'classname="case" name="case"' in text
    assert 'classname="pin"' in text
