"""RF shims weigh the channels of a transmit array; whoever knows one transmit field alone refuses them by name."""

from __future__ import annotations

import numpy as np

from spinloom.errors import SequenceError
from spinloom.sequence.events import RfShim
from spinloom.sequence.timeline import Timeline


def refuse_rf_shims(timeline: Timeline) -> None:
    """Raise `SequenceError` where a block of `timeline` weighs the channels of a transmit array."""
    shimmed = [any(isinstance(item, RfShim) for item in items) for items in timeline.extensions]
    blocks = np.flatnonzero(np.append(shimmed, False).astype(bool)[timeline.block_extension])
    if blocks.size:
        raise SequenceError(
            f"{timeline.source}: block {blocks[0] + 1} in playing order has an RF shim (extension RF_SHIMS), which "
            "weighs the channels of a transmit array; simulators here know one transmit field. Write the sequence "
            "without RF shims."
        )
