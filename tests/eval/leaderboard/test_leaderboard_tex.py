"""The LaTeX form: whole, escaped, and compiled where a TeX is at hand."""

from __future__ import annotations

import re
import shutil
import string
import subprocess
from pathlib import Path

import msgspec
import pytest

from vle_bench.eval.leaderboard.board import Group, groups_of
from vle_bench.eval.leaderboard.notes import group_notes
from vle_bench.eval.leaderboard.render import markdown
from vle_bench.eval.leaderboard.tex import escaped, tex

EVERY_SIGN = string.punctuation
COMMANDS = re.compile(r"\\(?:[A-Za-z]+|.)")
STRANGERS = (r"\input{/etc/passwd}", "[x] 1%", "*star", "a--b---c", EVERY_SIGN, "tab\tbell\x07")


def body_rows(text: str) -> list[str]:
    """The lines of data: behind the repeated head, before the end."""
    inside = text.split("\\endfoot\n")[1].split("\\end{longtable}")[0]
    lines = [line for line in inside.splitlines() if not line.startswith(r"\multicolumn")]
    return [line.removesuffix("*") for line in lines if line.endswith((r" \\", r" \\*"))]


def compiled(folder: Path, text: str) -> str:
    """What pdflatex says of a table on A4 with margins of an inch."""
    (folder / "board.tex").write_text(text, encoding="utf-8")
    preamble = r"\documentclass{article}\usepackage{booktabs,longtable,array}"
    preamble += r"\setlength{\textwidth}{453pt}\setlength{\oddsidemargin}{0pt}"
    page = preamble + r"\begin{document}\input{board}\end{document}"
    (folder / "page.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    for _ in range(3):  # longtable asks for its widths to settle
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "page.pdf").stat().st_size > 1000
    return done.stdout


def test_tex_every_row_has_the_columns_of_the_head(make_document):
    groups = groups_of([make_document(name) for name in STRANGERS])
    text = tex(groups)
    columns = re.search(r"\\begin\{longtable\}\{.*\\linewidth\}(\w+)@\{\}\}", text)
    assert columns
    rows = body_rows(text)
    assert len(rows) == len(groups[0].rows)
    for row in rows:
        assert len(re.findall(r"(?<!\\)&", row)) == len(columns[1])
        assert not row.startswith(("[", "*"))


def test_tex_environments_and_braces_close_in_order(make_document):
    text = tex(groups_of([make_document(name) for name in STRANGERS]))
    text = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert opened == []
    assert text.count(r"\begingroup") == text.count(r"\endgroup") == 1
    plain = COMMANDS.sub("", text)
    depth = 0
    for sign in plain:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("sign", EVERY_SIGN + "\n\x00\x7f")
def test_tex_no_sign_of_a_name_stays_a_command(sign):
    left = COMMANDS.sub("", escaped(sign * 3)).replace("{}", "")
    assert not set(left) & set("\\{}$&#%_^~\n\x00\x7f")


def test_tex_marks_what_is_not_verified_and_answers_every_mark(make_document):
    groups = groups_of([make_document()])
    (notes, text) = (group_notes(groups[0]), tex(groups))
    recalled = [row for row in groups[0].rows if row.verified == "no"]
    assert recalled
    for row in recalled:
        assert re.search(re.escape(escaped(row.model)) + r"\\textsuperscript\{u,?\d*\}", text)
    below = text.split(r"\end{longtable}")[1]
    marks = {mark for found in re.findall(r"textsuperscript\{([^}]*)\}", body_rows_text(text))
             for mark in found.split(",")}  # fmt: skip
    assert marks
    for mark in marks:
        assert f"\\textsuperscript{{{mark}}}\\," in below
    assert len(re.findall(r"^\{\}\[\d+\]", below, re.MULTILINE)) == len(notes.sources)


def body_rows_text(text: str) -> str:
    return "\n".join(body_rows(text))


def test_tex_leaves_out_as_many_rows_as_markdown(make_document):
    groups = groups_of([make_document()])
    said = re.compile(r"(\d+) more published rows")
    counts = {said.search(form(groups, most=5))[1] for form in (tex, markdown)}
    assert len(counts) == 1
    assert len(body_rows(tex(groups, most=0))) == sum(row.comparable for row in groups[0].rows)


def test_tex_names_the_sample_world_in_its_caption(make_document):
    assert "sample world, not real data" in tex(groups_of([make_document(sample=True)]))


def test_markdown_shows_a_name_as_it_stands(make_document):
    text = markdown(groups_of([make_document("*a* <img src=x> [b](c) `d` _e_ f_g")]), most=0)
    assert "&#42;a&#42; &lt;img src=x> &#91;b&#93;(c) &#96;d&#96; &#95;e&#95; f_g" in text


def test_tex_says_below_each_row_of_ours_how_sure_it_is(make_document):
    groups = groups_of([make_document("mine")])
    (row,) = (row for row in groups[0].rows if row.ours)
    measured = row.measured[groups[0].main]
    lines = tex(groups).splitlines()
    at = next(number for number, line in enumerate(lines) if r"\textbf{mine}" in line)
    assert lines[at].endswith(r"\\*")  # no page ends between the two
    assert (
        f"95 \\% interval {measured.low:.2f} to {measured.high:.2f}, n = {measured.n:,}"
        in lines[at + 1]
    )


def test_tex_has_a_column_of_words_only_where_neither_caption_nor_reason_says_it(make_document):
    (group,) = groups_of([make_document("mine")])
    assert any(row.split != group.split for row in group.rows)
    assert any(row.setting != group.setting and row.comparable for row in group.rows)
    assert head_of(group)[-2:] == ["Setting", "Source"]
    assert "Split" not in head_of(group)
    alike = [msgspec.structs.replace(row, setting=group.setting) for row in group.rows]
    assert "Setting" not in head_of(msgspec.structs.replace(group, rows=tuple(alike)))
    odd = msgspec.structs.replace(alike[-1], split="nowhere", why="", comparable=True)
    found = head_of(msgspec.structs.replace(group, rows=(*alike, odd)))
    assert found[-2:] == ["Split", "Source"]


def head_of(group: Group) -> list[str]:
    line = tex([group]).split("\\toprule\n")[1].splitlines()[0]
    return line.removesuffix(r" \\").split(" & ")


needs_tex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")


@needs_tex
def test_tex_compiles_with_every_sign_in_a_name(make_document, tmp_path: Path):
    compiled(tmp_path, tex(groups_of([make_document(name) for name in STRANGERS])))


@needs_tex
def test_tex_fits_between_the_margins(make_document, tmp_path: Path):
    name = "a model of a name that is as long as those of papers, finetuned at 384 pixels"
    said = compiled(tmp_path, tex(groups_of([make_document(name)])))
    assert "Overfull" not in said
