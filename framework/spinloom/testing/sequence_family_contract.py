"""What users rely on in every family of sequences, as a class to subclass: `sequence_family = "mine"` is enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from spinloom.errors import PluginError, SequenceError, SpinloomError
from spinloom.sequence.expression import Value
from spinloom.sequence.families import BuiltSequence, build, draw
from spinloom.sequence.family import Family
from spinloom.sequence_sources import read_sequence, sequence_content, sequence_family
from spinloom.testing.deviation import Deviation, require
from spinloom.testing.family_variants import another_value, played_lines
from spinloom.testing.fresh_process import in_spawned_worker, seed_everything
from spinloom.testing.once import once_a_class
from spinloom.testing.plugin_contract import PluginContract

DRAWS = 2
"""Draws from the published ranges that are built."""


class SequenceFamilyContract(PluginContract):
    """A family keeps what its signature promises.

    sequence_family: its registered name
    parameters: with which the contract builds it, where the defaults take long
    others: values of parameters that may be played instead, by name; without one, a little more or less than now
    without_effect: parameters that do not change the file where `parameters` hold
    """

    kind = "sequence_family"
    sequence_family: str
    parameters: Mapping[str, Any] = {}
    others: ClassVar[Mapping[str, Value]] = {}
    without_effect: frozenset[str] | set[str] = frozenset()

    def family(self) -> Family:
        """The family under test; `Deviation` where its signature does not describe one."""
        try:
            return sequence_family(self.sequence_family)
        except SpinloomError as error:
            raise Deviation(f"{self.label} cannot be built by anyone: {error}") from error

    def test_its_signature_says_everything(self) -> None:
        """Every parameter has a meaning, and its default is one of the values that it may have."""
        family = self.family()
        require(family.summary, f"{self.label} has no docstring: its line in lists of families would be empty.")
        for each in family.parameters:
            require(
                each.meaning.text,
                f"{self.label} does not say what its parameter '{each.name}' means: annotate it with "
                '`Annotated[float, Meaning("... [unit]", low, high)]`, so that help and errors can.',
            )
            bounded = np.isfinite(each.meaning.low) or np.isfinite(each.meaning.high)
            require(
                bounded or each.kind not in (int, float),
                f"{self.label} states neither a least nor a largest value of '{each.name}': a slip of the pen, such as "
                "seconds for milliseconds, would be played.",
            )
            try:
                each.accept(each.default)
            except SequenceError as error:
                raise Deviation(
                    f"{self.label} refuses its own default: {error} Nobody could play it plainly."
                ) from error

    def test_the_same_parameters_are_the_same_bytes(self) -> None:
        """Built twice, from its own expression, and in a spawned process."""
        built = self._built()
        seed_everything(11)
        again = build(self.family(), self.parameters).content
        told = sequence_content(built.expression)
        there = in_spawned_worker(sequence_content, built.expression)
        for content, how in ((again, "a second time"), (told, "from its own expression"), (there, "in a new process")):
            require(
                content == built.content,
                f"{self.label} writes another file when it is built {how}: what a run logs would not be what it "
                "played, and nobody could repeat it.",
            )

    def test_its_file_plays(self) -> None:
        """The host reads what it writes: it samples, lasts, and says what it is."""
        timeline = self._built().timeline()
        require(
            timeline.adc_samples and timeline.duration > 0,
            f"{self.label} writes a file of {timeline.duration:.3g} s with {timeline.adc_samples} samples: nothing "
            "would be measured.",
        )
        beyond = [event.amplitude for event in timeline.rf if not abs(event.amplitude) < 1e5]
        require(
            not beyond and bool(np.all(timeline.block_duration >= 0)),
            f"{self.label} plays RF of {beyond[:1]} Hz nutation: an amplitude in another unit (tesla, microtesla), or "
            "no number at all.",
        )
        unsaid = sum(event.use == "undefined" for event in timeline.rf)
        require(
            not unsaid,
            f"{self.label} does not say what {unsaid} of its pulses are for: simulators of shots refuse such a file. "
            "Give pypulseq `use='excitation'`, 'refocusing', 'saturation' and so on.",
        )

    def test_parameters_out_of_range_are_refused_with_a_sentence(self) -> None:
        """A value beyond the least or largest, an unknown name and a wrong type are told, not played."""
        family = self.family()
        wrong: dict[str, Any] = {"no_such_parameter": 1}
        for each in family.parameters:
            low, high = each.meaning.low, each.meaning.high
            if each.kind in (int, float):
                wrong[each.name] = low - 1 if np.isfinite(low) else high + 1 if np.isfinite(high) else "text"
        for name, value in wrong.items():
            try:
                build(family, {**self.parameters, name: value})
            except PluginError as error:
                raise Deviation(f"{self.label} breaks over {name}={value}: {error}") from error
            except SpinloomError as error:
                require(
                    name in str(error), f"{self.label} refuses {name}={value} with '{error}', which does not name it."
                )
            else:
                raise Deviation(f"{self.label} plays {name}={value} without a word: a slip of the pen becomes data.")

    def test_every_parameter_changes_the_file(self) -> None:
        """A parameter that is turned is played, or refused with a sentence."""
        built = self._built()
        for each in self.family().parameters:
            other = self.others.get(each.name, another_value(each, built.parameters[each.name]))
            if each.name in self.without_effect or other is None:
                continue
            try:
                content = build(self.family(), {**self.parameters, each.name: other}).content
            except PluginError as error:
                raise Deviation(f"{self.label} breaks over {each.name}={other}: {error}") from error
            except SpinloomError:
                continue
            require(
                played_lines(content) != played_lines(built.content),
                f"{self.label} plays the same for {each.name}={other} as for {built.parameters[each.name]}: a sweep "
                "over it would find no effect, and be believed. Play it, or name it in `without_effect`.",
            )

    def test_published_ranges_can_be_drawn(self) -> None:
        """Data sets draw protocols from them."""
        family = self.family()
        try:
            for drawn in draw(family, seed=0, count=DRAWS):
                build(family, {**self.parameters, **drawn})
        except SpinloomError as error:
            raise Deviation(f"{self.label} cannot play what is drawn from its published ranges: {error}") from error

    def _built(self) -> BuiltSequence:
        self.family()
        return _built(type(self))


@once_a_class
def _built(contract: type[Any]) -> BuiltSequence:
    seed_everything(0)
    self: SequenceFamilyContract = contract()
    try:
        built = build(self.family(), self.parameters)
        read_sequence(built.expression)
    except SpinloomError as error:
        raise Deviation(f"{self.label} cannot be built: {error}") from error
    return built
