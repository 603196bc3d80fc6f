"""Strict YAML: every kind of damaged file is refused with its name, its line and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinloom.errors import TissueError
from spinloom.tissue.yaml_text import MAX_BYTES, read_yaml


def refusal(path: Path) -> str:
    with pytest.raises(TissueError) as caught:
        read_yaml(path, f"Tissue file '{path}'")
    message = str(caught.value)
    assert str(path) in message
    return message


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "brain.yaml"


def test_scalars_stay_text_and_nothing_is_none(file: Path) -> None:
    file.write_text("a: 62e-3\nb: {c: 010, d: True}\ne:\nf: [1, ~, '']\n")
    assert read_yaml(file, "") == {"a": "62e-3", "b": {"c": "010", "d": "True"}, "e": None, "f": ["1", None, ""]}


def test_a_byte_order_mark_is_passed_over(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfb0: 3\n")
    assert read_yaml(file, "") == {"b0": "3"}


def test_a_missing_file_is_named(file: Path) -> None:
    assert "cannot be read: No such file" in refusal(file)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_told_what_it_must_hold(file: Path, text: str) -> None:
    file.write_text(text)
    assert "is empty, but must hold keys with values such as 'b0: 3'" in refusal(file)


@pytest.mark.parametrize("text", ["just words", "- a\n- b\n", "3.0"])
def test_yaml_that_is_no_mapping_is_shown_and_told_what_it_must_hold(file: Path, text: str) -> None:
    file.write_text(text)
    assert "holds" in refusal(file)
    assert "must hold keys with values" in refusal(file)


@pytest.mark.parametrize("content", [b"\x00\x01\x02PK", "b0: 3\n".encode("utf-16")])
def test_a_binary_file_is_called_binary(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert any(words in refusal(file) for words in ("NUL byte", "not UTF-8"))
    assert "UTF-8" in refusal(file)


def test_a_byte_that_is_not_utf8_is_named_with_its_line(file: Path) -> None:
    file.write_bytes("b0: 3\n# 2 µT\n".encode("latin-1"))
    message = refusal(file)
    assert "line 2, holds the byte 0xb5, which is not UTF-8" in message
    assert "save the file as UTF-8" in message


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("b0: 3\n}\n", 2, "expected <block end>, but found '}'", id="stray brace"),
        pytest.param("b0: 3\nwater_pool: {f: 1,\n", 2, "but found '<stream end>'", id="cut off"),
        pytest.param("b0: 3\n\tgamma: 2\n", 2, r"found character '\t'", id="tabulator"),
        pytest.param("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands here for the second time", id="key twice"),
        pytest.param("w: {f: 1, f: 2}\n", 1, "the key 'f' stands here for the second time", id="key twice inside"),
        pytest.param("a: &x 1\nb: *x\n", 1, "anchors and aliases are not read", id="anchor"),
        pytest.param("a: 1\nb: *x\n", 2, "anchors and aliases are not read", id="alias"),
        pytest.param("a: !!python/object/apply:os.getcwd []\n", 1, "tags are not read", id="python tag"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "expected a single document", id="two documents"),
        pytest.param("a: 1\nb: \x01\n", 2, "is not allowed", id="control character"),
        pytest.param("a: 1\n? [b]\n: 2\n", 2, "a key must be a word", id="list as key"),
        pytest.param('"a\\nb": 2\n', 1, "a key must be a word", id="line break in a key"),
        pytest.param("[" * 100_000, 1, "more than 10 levels are not read", id="deep nesting"),
    ],
)
def test_malformed_yaml_is_refused_with_line_and_reason(file: Path, text: str, line: int, reason: str) -> None:
    file.write_text(text)
    message = refusal(file)
    assert f"line {line}: " in message
    assert reason in message
    assert "Correct it there" in message


@pytest.mark.parametrize("text", ['a: "\\UFFFFFFFF"\n', f"%YAML 1.{'9' * 5000}\n---\na: 1\n"])
def test_impossible_numbers_of_the_syntax_itself_are_refused(file: Path, text: str) -> None:
    file.write_text(text)
    assert "impossible number; correct or remove it" in refusal(file)


def test_a_bomb_of_aliases_is_refused_before_it_unfolds(file: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    file.write_text("\n".join(["l0: &l0 [lol]", *levels]))
    assert "anchors and aliases are not read" in refusal(file)


def test_a_file_that_no_pool_model_comes_near_in_size_is_refused(file: Path) -> None:
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "larger than 1,000,000 bytes" in refusal(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal(tmp_path)
