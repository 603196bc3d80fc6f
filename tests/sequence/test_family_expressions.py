"""Expressions such as `fse(esp_ms=9)`: reading, writing, quoting, and that a sequence may be one everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spinloom
from spinloom.errors import PluginError, SequenceError
from spinloom.registry import plugins
from spinloom.sequence.expression import parse_expression, quote_expressions, write_expression

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**12), 10**12)
words = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(
    lambda word: word not in ("true", "false", "none") and parse_expression(f"f(a={word})") is not None
)
values = numbers | st.booleans() | st.none() | st.lists(numbers, min_size=2, max_size=4).map(tuple)


@given(st.dictionaries(st.sampled_from(["esp_ms", "etl", "rf", "shift_x"]), values))
def test_what_is_written_is_read_again_with_every_digit(parameters: dict) -> None:
    assert parse_expression(write_expression("fse", parameters)) == ("fse", parameters)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("fse()", {}),
        (" fse( esp_ms = 9 , rf=sinc ) ", {"esp_ms": 9, "rf": "sinc"}),
        ("fse(rf='sinc', order=\"centric\")", {"rf": "sinc", "order": "centric"}),
        ("fse(a=True, b=none, c=-1.5e-3, d=+2)", {"a": True, "b": None, "c": -1.5e-3, "d": 2}),
        ("fse(a=(1, -2), b=[3])", {"a": (1, -2), "b": (3,)}),
    ],
)
def test_values_are_numbers_words_and_numbers_in_parentheses(text: str, parameters: dict) -> None:
    assert parse_expression(text) == ("fse", parameters)


@pytest.mark.parametrize("text", ["fse", "fse.seq", "folder/fse(1)/a.seq", "", "(a=1)", "fse(a=1", "fse(a=1) b"])
def test_names_and_paths_are_no_expressions(text: str) -> None:
    assert parse_expression(text) is None


@pytest.mark.parametrize(
    "text",
    ["fse(1)", "fse(a=)", "fse(a=1, a=2)", "fse(**a)", "fse(a=1+1)", "fse(a=b())", "fse(a=(1, b))", "fse(a) and b(c)"],
)
def test_what_looks_like_an_expression_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(SequenceError, match="is no family with parameters; write it as family"):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("fse(a=1)", "'fse(a=1)'"),
        ("epi(a=1),epi(a=(1, 2)),name", "'epi(a=1)','epi(a=(1, 2))',name"),
        ("choice(epi(a=1),name)", "choice('epi(a=1)',name)"),
        ("'epi(a=1)'", "'epi(a=1)'"),
        ("epi(rf='sinc')", r"'epi(rf=\'sinc\')'"),
        ("folder/name.seq", "folder/name.seq"),
        ("epi(a=1", "'epi(a=1'"),
    ],
)
def test_calls_are_quoted_but_for_those_that_another_grammar_keeps(text: str, quoted: str) -> None:
    assert quote_expressions(text, keep={"choice"}) == quoted


def test_a_sequence_is_read_from_an_expression_under_its_own_name() -> None:
    timeline = spinloom.read_sequence("epi(matrix=16, te_ms=20.5)")
    assert Path(timeline.source).stem == "epi(matrix=16, te_ms=20.5)"
    assert timeline.adc_samples == 256


def test_an_expression_may_be_longer_than_a_name_of_a_file_may_be() -> None:
    stated = spinloom.read_sequence("moled()").definitions["Family"]
    assert len(stated) > 255
    assert spinloom.read_sequence(stated).definitions["Family"] == stated


def test_a_file_of_that_very_name_is_read_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spinloom.write_sequence("epi", "fse()", matrix=16, te_ms=20)
    assert spinloom.read_sequence("fse()").definitions["Name"] == "epi"


def test_a_family_without_parentheses_is_told_from_an_unknown_name() -> None:
    with pytest.raises(SequenceError, match=r"'fse' is a family of sequences; 'fse\(\)' plays its defaults"):
        spinloom.read_sequence("fse")
    with pytest.raises(SequenceError, match="There is no sequence 'fsse'"):
        spinloom.read_sequence("fsse")
    with pytest.raises(PluginError, match=r"Family 'fsse' is unknown\. Did you mean 'fse'\?"):
        spinloom.read_sequence("fsse()")


PLUGIN = """
from spinloom.hookspecs import hookimpl
SPINLOOM_API = "1.0"

@hookimpl
def spinloom_sequence_families():
    return {families}
"""
FAMILY = """
def rest(*, length_ms: float = 1.0):
    import pypulseq
    sequence = pypulseq.Sequence()
    sequence.add_block(pypulseq.make_delay(length_ms * 1e-3))
    return sequence
"""


@pytest.fixture
def fresh_plugins():
    """The registry of the process, loaded anew for the test and again after it."""
    plugins.cache_clear()
    yield
    plugins.cache_clear()


def test_a_plugin_adds_a_family(install_plugin, fresh_plugins) -> None:
    install_plugin("resting", PLUGIN.format(families="{'rest': 'plugin_module_resting_own:rest'}") + FAMILY)
    assert spinloom.read_sequence("rest(length_ms=3)").duration == pytest.approx(3e-3)
    assert "rest" in spinloom.sequence_families()
    assert plugins().record("resting").kinds == ("sequence",)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("no_such_module:rest", "Importing 'no_such_module:rest' raised ModuleNotFoundError"),
        ("math:pi", "is 'math:pi', which is not a function"),
        ("math:gcd", "Family 'rest' of plugin 'resting' cannot be used. Its parameter 'integers' is not keyword-only"),
    ],
    ids=["missing module", "no function", "no family"],
)
def test_a_family_that_cannot_be_used_says_why_and_leaves_the_others(
    path: str, reason: str, install_plugin, fresh_plugins, caplog: pytest.LogCaptureFixture
) -> None:
    install_plugin("resting", PLUGIN.format(families={"rest": path}))
    with pytest.raises(PluginError) as refused:
        spinloom.read_sequence("rest()")
    assert reason in str(refused.value)
    families = set(spinloom.sequence_families())
    assert families >= {"epi", "fse", "moled"}
    assert "rest" not in families
    assert reason in caplog.text


def test_the_second_plugin_with_a_familys_name_is_left_out(install_plugin, fresh_plugins) -> None:
    install_plugin("other", PLUGIN.format(families="{'fse': 'math:gcd'}"))
    record = plugins().record("other")
    assert record.reason.startswith("Its sequence family 'fse' has the name of one of plugin 'fse'")
    assert spinloom.read_sequence("fse()").definitions["Name"] == "fse"


@pytest.mark.parametrize("answer", ["['fse']", "{'fse': 'spinloom'}", "{'f()': 'm:f'}"])
def test_an_answer_that_is_no_table_of_functions_breaks_its_plugin(answer: str, install_plugin, fresh_plugins) -> None:
    install_plugin("resting", PLUGIN.format(families=answer))
    record = plugins().record("resting")
    assert record.status == "broken"
    assert "spinloom_sequence_families" in record.reason
