"""A search for the best values of a space, trial by trial, on a study of Optuna's.

Trials come one after the other.  Each is drawn by a sampler of its own, whose seed is the search's and the trial's
number, so that a search that was killed proposes what an undisturbed one would have proposed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spinloom.learning.search_space import Between, Choice, Space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OpenTrial


@dataclass(frozen=True)
class Settled:
    """A trial that has ended.

    number: counted from 0
    values: by key
    outcome: `done`, `pruned` because most were better at the same epoch, or `failed`
    value: the least that it reached, None where it reached nothing
    epochs: after which a value was known
    facts: what was kept with it, such as the id of its run
    """

    number: int
    values: Mapping[str, Any]
    outcome: Literal["done", "pruned", "failed"]
    value: float | None
    epochs: int
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Guide:
    """How trials are drawn and when they end early.

    seed: of the draws
    startup: trials that are drawn at random before those that have been guide the search
    pruning: `trials` that must be done before any is ended early, and `epochs` that every trial may have; None lets
        every trial run to its end
    """

    seed: int
    startup: int
    pruning: Mapping[str, int] | None


class Search:
    """A search for the least value over a space; `search_folder.open_search` opens one."""

    def __init__(self, study: Study, space: Space, guide: Guide) -> None:
        self._study, self._space, self._guide = study, space, guide
        self._trial: OpenTrial | None = None

    @property
    def settled(self) -> tuple[Settled, ...]:
        """Trials that have ended, in the order of their numbers."""
        return tuple(self._settled(number, trial) for number, trial in enumerate(self._ended()))

    @property
    def notes(self) -> dict[str, Any]:
        """What was noted of the search."""
        return dict(self._study.user_attrs)

    def note(self, key: str, value: Any) -> None:
        """Keep a value that JSON knows with the search."""
        self._study.set_user_attr(key, value)

    def propose(self) -> tuple[int, dict[str, Any]]:
        """Number and values of the next trial, which is the one that was interrupted where there is one."""
        from optuna.samplers import TPESampler

        number = len(self._ended())
        seed = int(np.random.SeedSequence([self._guide.seed, number]).generate_state(1)[0])
        self._study.sampler = TPESampler(seed=seed, n_startup_trials=self._guide.startup)
        self._trial = self._study.ask()
        return number, {key: _suggested(self._trial, key, choices) for key, choices in self._space.items()}

    def report(self, epoch: int, value: float) -> bool:
        """Tell what the trial reached after an epoch; whether it is to end early."""
        assert self._trial is not None
        self._trial.report(value, epoch)
        return self._trial.should_prune()

    def keep(self, key: str, value: Any) -> None:
        """Keep a fact that JSON knows with the trial."""
        assert self._trial is not None
        self._trial.set_user_attr(key, value)

    def settle(self, outcome: Literal["done", "pruned", "failed"], value: float | None = None) -> Settled:
        """End the trial: done with its value, pruned, or failed."""
        from optuna.trial import TrialState

        assert self._trial is not None
        states = {"done": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        self._trial.set_user_attr("outcome", outcome)
        self._study.tell(self._trial, value if outcome == "done" else None, state=states[outcome])
        self._trial = None
        return self.settled[-1]

    def take_up(self) -> None:
        """Put trials that were interrupted first in the queue, with their values."""
        from optuna.trial import TrialState

        waiting = [trial.system_attrs.get("fixed_params") for trial in self._in_state(TrialState.WAITING)]
        for trial in self._in_state(TrialState.RUNNING):
            if trial.params not in waiting:
                self._study.enqueue_trial(trial.params)
            self._study.tell(trial.number, state=TrialState.FAIL)

    def _ended(self) -> list[FrozenTrial]:
        """Trials that ended by themselves, without those that were interrupted and taken up again."""
        from optuna.trial import TrialState

        ended = self._in_state(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        return [trial for trial in ended if "outcome" in trial.user_attrs]

    def _in_state(self, *states: Any) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)

    def _settled(self, number: int, trial: FrozenTrial) -> Settled:
        reached = [value for value in trial.intermediate_values.values() if math.isfinite(value)]
        least = trial.value if trial.user_attrs["outcome"] == "done" else min(reached, default=None)
        values = {key: _decoded(self._space[key], trial.params[key]) for key in self._space if key in trial.params}
        facts = {key: value for key, value in trial.user_attrs.items() if key != "outcome"}
        return Settled(number, values, trial.user_attrs["outcome"], least, len(trial.intermediate_values), facts)


def _suggested(trial: OpenTrial, key: str, choices: Between | Choice) -> Any:
    if isinstance(choices, Choice):
        return _decoded(choices, trial.suggest_categorical(key, [json.dumps(value) for value in choices.values]))
    if choices.whole:
        return trial.suggest_int(key, int(choices.low), int(choices.high))
    return trial.suggest_float(key, choices.low, choices.high, log=choices.logarithmic)


def _decoded(choices: Between | Choice, value: Any) -> Any:
    """A choice as it was written; Optuna keeps it as JSON."""
    return json.loads(value) if isinstance(choices, Choice) else value
