"""Vocabulary files, look-ups, and the joining of two label spaces."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vle_bench.catalog.labels import coco_classes
from vle_bench.errors import DataProblem
from vle_bench.labels.names import object_name
from vle_bench.labels.vocabulary import (
    ClassVocabulary,
    coco_vocabulary,
    joined,
    read_synonyms,
    read_vocabulary,
    vocabulary_bytes,
)

settled = settings(deadline=None, derandomize=True)
"""The same examples on every machine, however busy it is."""


def written(folder: Path, content: bytes) -> Path:
    path = folder / "vocab.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_newline_at_the_end_makes_no_class(tmp_path: Path, end: bytes) -> None:
    found = read_vocabulary(written(tmp_path, b"stop sign,stopsign\ndog" + end))
    assert found.classes == (("stop sign", "stopsign"), ("dog",))


def test_spaces_capitals_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    found = read_vocabulary(written(tmp_path, "\ufeffTV, Television\r\ndog".encode()))
    assert found.classes == (("tv", "television"), ("dog",))


def test_a_line_separator_inside_a_name_shifts_no_label(tmp_path: Path) -> None:
    found = read_vocabulary(written(tmp_path, "ice\u2028cream\ndog".encode()))
    assert found.label_of("dog") == 1


def test_wrong_lines_are_named_together(tmp_path: Path) -> None:
    path = written(tmp_path, b"dog\n\ncat,,kitty\ncat,dog\n")
    with pytest.raises(DataProblem) as caught:
        read_vocabulary(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}:2: expected names separated by commas, found ''."
    assert lines[1].startswith(f"{path}:3: expected names")
    assert f"{path}:4: 'cat' stands on line 3 already." in lines
    assert f"{path}:4: 'dog' stands on line 1 already." in lines
    assert "the number of a line is its label" in lines[-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "the file is empty"), (b"caf\xe9", "no UTF-8")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataProblem, match=message):
        read_vocabulary(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="a class vocabulary expected, found nothing there"):
        read_vocabulary(tmp_path / "none.txt")


names = st.text(alphabet="abcdefg", min_size=1, max_size=4)


@settled
@given(st.lists(names, unique=True, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_what_is_written_is_read_back(tmp_path_factory, words, chance) -> None:
    classes: list[list[str]] = []
    for word in words:
        if classes and chance.random() < 0.4:
            classes[-1].append(word)
        else:
            classes.append([word])
    vocabulary = ClassVocabulary.of(classes)
    path = tmp_path_factory.mktemp("v") / "vocab.txt"
    path.write_bytes(vocabulary_bytes(vocabulary))
    assert read_vocabulary(path).classes == vocabulary.classes
    assert not path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([["a"], []], "class 1 has no name"),
        ([["a", ""]], "class 0 has no name"),
        ([["a"], ["b", "a"]], "'a' is class 0 and class 1"),
    ],
)
def test_classes_that_cannot_be_told_apart_are_refused(classes, message) -> None:
    with pytest.raises(ValueError, match=message):
        ClassVocabulary.of(classes)


def test_an_exact_name_comes_before_another_spelling() -> None:
    both = ClassVocabulary.of([["bath tub"], ["bathtub"]])
    assert [both.label_of(raw) for raw in ("bathtub", "bath tub", "Bath-Tub")] == [1, 0, 0]


def test_a_class_with_an_adjective_in_its_name_is_found_before_the_adjective_goes() -> None:
    vocabulary = ClassVocabulary.of([["board"], ["white board"], ["brown bear"]])
    assert vocabulary.label_of("white board") == 1
    assert vocabulary.label_of("whiteboard") == 1
    assert vocabulary.label_of("black board") == 0


def test_cocos_labels_are_its_gapless_indexes() -> None:
    vocabulary = coco_vocabulary()
    for entry in coco_classes().classes:
        assert vocabulary.label_of(entry.name) == entry.index
        assert vocabulary.name(entry.index) == entry.name
        assert vocabulary.label_of(entry.name.replace(" ", "")) == entry.index


def test_joining_keeps_the_first_labels_and_appends_the_rest() -> None:
    genome = ClassVocabulary.of(
        [["man"], ["sofa", "settee"], ["giraffes"], ["hydrant"], ["cell phone"], ["t-shirt"]]
    )
    both = joined(coco_vocabulary(), genome)
    assert len(both) == 80 + 3
    assert [both.name(label) for label in range(80, 83)] == ["man", "giraffes", "t-shirt"]
    assert both.label_of("settee") == both.label_of("couch") == 57
    assert both.label_of("fire hydrant") == both.label_of("hydrant") == 10


def test_another_spelling_is_the_same_class_also_where_no_table_has_it() -> None:
    second = ClassVocabulary.of([["stop-sign"], ["diningtable"]])
    both = joined(coco_vocabulary(), second)
    assert len(both) == 80
    assert both.classes[11] == ("stop sign", "stop-sign")


def test_the_first_name_that_is_known_decides_between_two_classes() -> None:
    both = joined(ClassVocabulary.of([["bat"], ["club"]]), ClassVocabulary.of([["club", "bat"]]))
    assert both.classes == (("bat",), ("club",))


def test_two_classes_of_the_second_may_be_one_of_the_first() -> None:
    second = ClassVocabulary.of([["sofa"], ["dog"], ["couch", "divan"]])
    both = joined(coco_vocabulary(), second)
    assert len(both) == 80
    assert both.classes[57] == ("couch", "sofa", "divan")


def test_joining_with_itself_changes_nothing() -> None:
    assert joined(coco_vocabulary(), coco_vocabulary()).classes == coco_vocabulary().classes


def test_synonyms_may_repeat_and_leave_lines_empty(tmp_path: Path) -> None:
    path = written(tmp_path, b"tv,Television\n\ntelly,tv\n,\n")
    assert read_synonyms(path) == (("tv", "television"), ("telly", "tv"))


def test_the_sixteen_hundred_classes_of_bottom_up_attention(reference: Path) -> None:
    folder = reference / "data/peteanderson80+bottom-up-attention"
    for name, count in (("objects", 1600), ("attributes", 400)):
        path = folder / f"{name}_vocab.txt"
        vocabulary = read_vocabulary(path)
        assert len(vocabulary) == count
        if name == "objects":
            assert vocabulary_bytes(vocabulary) == path.read_bytes()
            assert vocabulary.label_of("Stopsign.") == vocabulary.label_of("stop sign") == 16
            assert vocabulary.label_of("giraffe") != vocabulary.label_of("giraffes")
            plain = [one for one in vocabulary.by_name if object_name(one).name == one]
            assert len(plain) / len(vocabulary.by_name) > 0.98, "their names are cleaned as ours"


def test_cocos_classes_among_the_sixteen_hundred(reference: Path) -> None:
    path = reference / "data/peteanderson80+bottom-up-attention/objects_vocab.txt"
    genome = read_vocabulary(path)
    both = joined(coco_vocabulary(), genome)
    shared = 80 + len(genome) - len(both)
    assert 70 <= shared <= 100
    assert both.label_of("man") >= 80
    assert both.label_of("sofa") == 57
    for label in range(80, len(both)):
        assert genome.label_of(both.name(label)) is not None


def test_a_spawned_worker_gets_the_very_vocabulary() -> None:
    both = joined(coco_vocabulary(), ClassVocabulary.of([["television", "telly"], ["man"]]))
    for again in (pickle.loads(pickle.dumps(both)), copy.deepcopy(both)):
        assert again == both
        assert [again.label_of(raw) for raw in ("Telly.", "tall man", "?")] == [62, 80, None]
