"""What users rely on in every simulator, as a class to subclass: `simulator = "mine"` is enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from spinloom.interfaces import Requirements, Subject
from spinloom.registry import plugins
from spinloom.sequence.timeline import Timeline
from spinloom.sequence_sources import read_sequence
from spinloom.testing.deviation import Deviation, skip
from spinloom.testing.effects import check_numbers_count
from spinloom.testing.experiments import Experiment, Result, saturation_and_readouts
from spinloom.testing.fresh_process import seed_everything
from spinloom.testing.gradients import check_gradients
from spinloom.testing.invariances import check_batch, check_coils, check_devices, check_dtypes
from spinloom.testing.laws import check_equilibrium, check_free_induction, check_linearity
from spinloom.testing.once import once_a_class
from spinloom.testing.plugin_contract import PluginContract
from spinloom.testing.refusals import check_declaration, check_refusals
from spinloom.testing.repeating import check_seed, check_spawned
from spinloom.testing.result_checks import check_result
from spinloom.testing.subjects import fitting_subject
from spinloom.tissue.files import read_tissue
from spinloom.tissue.phantom import Phantom


class SimulatorContract(PluginContract):
    """A simulator keeps what its class promises.

    simulator: its registered name
    sequence: a short one that it plays: a name, a path, a family such as `epi(matrix=8)`, or a timeline; without one,
        a saturation with two readouts for tissues and `epi(matrix=8)` for phantoms
    subject: name of a tissue, a tissue or a phantom; without one, small ones that fit its requirements
    without_effect: numbers of the subject, of `t1`, `t2`, `b0` and `b1`, that do not matter to this sequence
    equilibrium: whether magnetisation stays at rest without RF
    differentiable: True where it claims gradients, False where it claims none, None to check those that come
    tolerance: largest difference between float32 and float64, relative to the largest number of the signal
    """

    kind = "simulator"
    group = "simulator"
    simulator: str
    sequence: str | Path | Timeline | None = None
    subject: str | Subject | None = None
    without_effect: frozenset[str] | set[str] = frozenset()
    equilibrium: bool = True
    differentiable: bool | None = None
    tolerance: float = 1e-3

    def experiment(self) -> Experiment:
        """What the contract plays."""
        return _experiment(type(self))

    def test_it_declares_what_it_needs_and_refuses_what_lacks_it(self) -> None:
        """Requirements are all that it needs: without a part there is a sentence, never a traceback."""
        check_declaration(self.simulator, getattr(plugins().simulator(self.simulator), "requirements", _NONE))
        check_refusals(self.experiment())

    def test_shapes_and_units_are_those_of_a_result(self) -> None:
        """Samples, times and measurements are those of the file, in SI, magnetisation in units of M0."""
        played = self.experiment()
        check_result(self.simulator, played.timeline, played.subject, _reference(type(self)))

    def test_precision_is_what_was_asked_for(self) -> None:
        """float32 gives float32, and the numbers of float64 to its precision."""
        check_dtypes(self.experiment(), _reference(type(self)), self.tolerance)

    def test_devices_agree(self) -> None:
        """Results lie on the device that was asked for, with the same numbers."""
        check_devices(self.experiment(), _reference(type(self)), self.tolerance)

    def test_a_batch_is_its_members(self) -> None:
        """A tissue is what it is alone, whatever stands beside it; so is a coil."""
        check = check_coils if isinstance(self.experiment().subject, Phantom) else check_batch
        check(self.experiment(), _reference(type(self)))

    def test_without_rf_equilibrium_stays(self) -> None:
        """Nothing comes from nothing."""
        if not self.equilibrium:
            skip("it does not claim to start from equilibrium")
        check_equilibrium(self.experiment())

    def test_it_is_linear_in_the_magnetisation_to_begin_with(self) -> None:
        """The Bloch equations are linear."""
        check_linearity(self.experiment(), _reference(type(self)))

    def test_numbers_of_the_subject_count(self) -> None:
        """Relaxation times, field and B1 change the signal."""
        check_numbers_count(self.experiment(), _reference(type(self)), self.without_effect)

    def test_a_free_induction_decay_obeys_the_conventions(self) -> None:
        """Signs, units and frames on the one experiment that everybody can solve."""
        if not self.equilibrium or not check_free_induction(self.experiment()):
            skip("it refuses a plain free induction decay, or does not claim to start from equilibrium")

    def test_a_seed_is_a_result(self) -> None:
        """The same seed gives the same bits."""
        check_seed(self.experiment())

    def test_gradients_are_those_of_finite_differences(self) -> None:
        """A gradient that comes is right; one that is claimed comes."""
        if self.differentiable is False:
            skip("it claims no gradients")
        if not check_gradients(self.experiment(), bool(self.differentiable)):
            skip("its signal carries no gradient, and none is claimed")

    def test_a_spawned_worker_plays_the_same(self) -> None:
        """Sweeps and loaders of data start new processes."""
        check_spawned(self.experiment(), _reference(type(self)))


_NONE = Requirements()
"""Stands for a class that builds its requirements in `__init__`."""


@once_a_class
def _experiment(contract: type[Any]) -> Experiment:
    self: SimulatorContract = contract()
    try:
        options = {key: value for key, value in self.composed().items() if key not in ("dtype", "device")}
    except Deviation:  # is what another check reports
        options = dict(self.options)
    subject = self.subject
    if subject is None:
        subject = fitting_subject(getattr(plugins().simulator(self.simulator), "requirements", _NONE))
    elif isinstance(subject, str):
        subject = read_tissue(subject)
    if not isinstance(subject, Phantom) and subject.batch_shape == ():
        subject = subject.flatten()
    return Experiment(self.simulator, _timeline(self.sequence, subject), subject, options)


def _timeline(sequence: str | Path | Timeline | None, subject: Subject) -> Timeline:
    if sequence is None and not isinstance(subject, Phantom):
        return saturation_and_readouts()
    found = sequence if isinstance(sequence, Timeline) else read_sequence(sequence or "epi(matrix=8, esp_ms=0.4)")
    return replace(found, source="the contract's sequence") if sequence is None else found


@once_a_class
def _reference(contract: type[Any]) -> Result:
    """What the simulator says in float64 on the CPU."""
    seed_everything(0)
    return _experiment(contract).play()
