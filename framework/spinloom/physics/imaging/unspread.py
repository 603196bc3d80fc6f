"""T2' that nothing can show: a voxel of one isochromat has nobody to dephase with."""

from __future__ import annotations

from spinloom.errors import RequirementError
from spinloom.tissue.phantom import Phantom


def refuse_unspread_t2_prime(phantom: Phantom) -> None:
    """Raise `RequirementError` where `phantom` has T2' that is not yet a spread of its field over the spins."""
    if phantom.t2_prime is None or bool(phantom.t2_prime[phantom.m0 > 0].isinf().all()):
        return
    raise RequirementError(
        f"Phantom '{phantom.name}' has T2' and one spin a voxel, which alone cannot dephase; add phantom.spins=4 (in "
        "Python resample it), so that the spins of a voxel share its T2', or leave the map out."
    )
