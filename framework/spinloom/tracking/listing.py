"""Finding runs: by a condition in an order, by their sweep, or by an id or its beginning.

Nothing is written: a store or an experiment that does not exist is told of and not made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spinloom.errors import ConfigurationError, TrackingError, known_names
from spinloom.tracking.batches import storable_name
from spinloom.tracking.failure import telling
from spinloom.tracking.opening import open_for_reading
from spinloom.tracking.runs import PARENT
from spinloom.tracking.settings import TrackingSettings
from spinloom.tracking.tracked_run import TrackedRun, tracked_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 1000

_ATTRIBUTES = {"started": "start_time", "ended": "end_time", "name": "run_name", "status": "status"}
"""What runs are sorted by beside metrics and parameters, and MLflow's word for it."""


@dataclass(frozen=True)
class Order:
    """By what runs are sorted; those that lack it come last.

    by: `started`, `ended`, `name`, `status`, the name of a metric, or `params.NAME`
    """

    by: str = "started"
    descending: bool = True

    @property
    def metric(self) -> str | None:
        """The metric to sort by, if it is one."""
        return None if self.by in _ATTRIBUTES or self.parameter else self.by

    @property
    def parameter(self) -> str | None:
        """The parameter to sort by, if it is one."""
        return self.by.removeprefix("params.") if self.by.startswith("params.") else None

    @property
    def clause(self) -> str:
        """The order in MLflow's language."""
        key = f"attributes.{_ATTRIBUTES.get(self.by)}"
        if self.parameter:
            key = f"params.`{storable_name(self.parameter)}`"
        elif self.metric:
            key = f"metrics.`{storable_name(self.metric)}`"
        return f"{key} {'DESC' if self.descending else 'ASC'}"


def find_runs(settings: TrackingSettings, condition: str, order: Order, limit: int) -> list[TrackedRun]:
    """At most `limit` runs of the experiment that meet `condition`, in MLflow's language of searches.

    Raises `TrackingError` for a store or an experiment that is not there, `ConfigurationError` for a condition that
    MLflow does not understand.
    """
    client, experiments = open_for_reading(settings)
    if settings.experiment not in experiments:
        raise TrackingError(
            f"The tracking store {settings.shown_uri} has no experiment '{settings.experiment}'. "
            f"{known_names(settings.experiment, experiments)}"
        )
    with telling(settings):
        return _search(client, [experiments[settings.experiment]], condition, order, limit)


def find_children(settings: TrackingSettings, run_id: str, limit: int = 10_000) -> list[TrackedRun]:
    """The runs of the sweep or search `run_id`, earliest first."""
    client, experiments = open_for_reading(settings)
    with telling(settings):
        condition = f"tags.`{PARENT}` = '{run_id}'"
        return _search(client, [*experiments.values()], condition, Order(descending=False), limit)


def find_run(settings: TrackingSettings, beginning: str) -> TrackedRun:
    """The run of any experiment whose id is, or begins with, `beginning`.

    Raises `TrackingError` where there is none, where there are several, and where the store is not there.
    """
    client, experiments = open_for_reading(settings)
    found: list[TrackedRun] = []
    if re.fullmatch("[0-9a-zA-Z]+", beginning):
        with telling(settings):
            found = _search(client, [*experiments.values()], f"attributes.run_id LIKE '{beginning}%'", Order(), 6)
    if not found:
        raise TrackingError(
            f"The tracking store {settings.shown_uri} has no run whose id begins with '{beginning}'; `spinloom runs` "
            "lists the ids."
        )
    if len(found) > 1:
        listing = ", ".join(f"{run.run_id} ('{run.name}')" for run in found[:5])
        raise TrackingError(f"Several runs have an id that begins with '{beginning}': {listing}; give more of it.")
    return found[0]


def _search(
    client: MlflowClient, experiments: Sequence[str], condition: str, order: Order, limit: int
) -> list[TrackedRun]:
    from mlflow.exceptions import MlflowException

    found: list[Any] = []
    token: str | None = None
    while len(found) < limit and (token or not found):
        size = min(_PAGE, limit - len(found))
        try:
            page = client.search_runs(
                [*experiments], condition, max_results=size, order_by=[order.clause], page_token=token
            )
        except MlflowException as error:
            if error.error_code != "INVALID_PARAMETER_VALUE":
                raise
            raise ConfigurationError(
                f"MLflow cannot search for '{condition}' sorted by '{order.by}': {str(error).splitlines()[0]}. "
                "Write conditions such as \"metrics.loss < 0.1 and params.seed = '0'\", names with other characters "
                "in backticks."
            ) from error
        found += page
        token = page.token
        if not page:
            break
    return [tracked_run(run) for run in found]
