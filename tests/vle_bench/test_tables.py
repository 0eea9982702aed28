import csv
import io

import pytest

from vle_bench.tables import Column, Table, to_csv, to_markdown, to_text

TABLE = Table(
    (Column("model"), Column("score", number=True)),
    (("a|b", "1.00"), ("模型", "12.50")),
    title="Scores",
    footnotes=("n = 2",),
)


def test_markdown_lines_up_and_escapes_bars():
    assert to_markdown(TABLE) == (
        "### Scores\n"
        "\n"
        "| model | score |\n"
        "|:------|------:|\n"
        "| a\\|b  |  1.00 |\n"
        "| 模型  | 12.50 |\n"
        "\n"
        "- n = 2\n"
    )


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|x", "'+cmd|x"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("-0.5", "-0.5"),
        ("+1,024", "+1,024"),
        ("-", "-"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_compute_is_marked_as_text(text: str, cell: str):
    (_, (found,)) = csv.reader(io.StringIO(to_csv(Table((Column("model"),), ((text,),)))))
    assert found == cell


def test_csv_keeps_content_only():
    assert to_csv(TABLE) == "model,score\na|b,1.00\n模型,12.50\n"


def test_text_sets_numbers_to_the_right():
    assert to_text(TABLE).splitlines() == [
        "Scores",
        "",
        "model  score",
        "-----  -----",
        "a|b     1.00",
        "模型   12.50",
        "",
        "n = 2",
    ]


def test_a_row_of_another_length_is_a_bug():
    with pytest.raises(ValueError, match="a row of 1 cells in a table of 2"):
        Table((Column("a"), Column("b")), (("x",),))


@pytest.mark.parametrize("write", [to_markdown, to_text])
def test_no_name_breaks_its_line_or_moves_the_cursor(write):
    bad = "a\n\n# b\r\x1b[2J\x9b1A\u2028\u202ec"
    table = Table((Column(bad), Column("n")), ((bad, "1"),), title=bad, footnotes=(bad,))
    good = "a # b [2J 1A c"
    plain = Table((Column(good), Column("n")), ((good, "1"),), title=good, footnotes=(good,))
    assert write(table) == write(plain)


def test_other_scripts_and_joined_emoji_stay_as_they_are():
    text = "模型 \U0001f469\u200d\U0001f52c"
    assert text in to_text(Table((Column("a"),), ((text,),)))
