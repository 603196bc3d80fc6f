"""Memory of one image kept for the next: the system takes freed memory back, and new pages cost more than using them.

glibc returns what is freed at the top of its heap once that is twice as large as the largest block that was ever freed
(mallopt(3), M_TRIM_THRESHOLD), up to 32 MiB.  An image asks for some 10 MB in blocks of up to 3; a single larger block,
freed before it is touched, lets the next image have the same pages.  Other allocators are not changed by it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST = 31 * 2**20
"""Bytes of a block that still counts."""


@cache
def keep_freed_memory() -> None:
    """From now on the process keeps up to 62 MiB of freed memory."""
    np.empty(LARGEST, dtype=np.uint8)
