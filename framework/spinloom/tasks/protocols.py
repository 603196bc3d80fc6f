"""The sequences that a configuration asks for: one, or as many as are drawn from the parameters of a family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spinloom.errors import ConfigurationError
from spinloom.sequence.expression import parse_expression, write_expression
from spinloom.sequence_sources import draw_parameters


def protocols(config: Mapping[str, Any]) -> list[str]:
    """The one of `sequence`, or draws of its family's parameters as `protocols` says."""
    wanted = config.get("protocols")
    if wanted is None:
        return [config["sequence"]]
    call = parse_expression(config["sequence"])
    if call is None:
        raise ConfigurationError(
            f"sequence is {config['sequence']!r}, which is no family; protocols are drawn from a family with "
            "parameters, such as sequence='cest_train()'."
        )
    name, fixed = call
    drawn = draw_parameters(name, _ranges(wanted["draw"]), seed=config["seed"], count=wanted["count"])
    return [write_expression(name, {**fixed, **parameters}) for parameters in drawn]


def _ranges(draw: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges by parameter: two numbers are the ends of a range, anything else a list of choices."""
    return {
        name: (value[0], value[1]) if len(value) == 2 and all(isinstance(end, int | float) for end in value) else value
        for name, value in draw.items()
    }
