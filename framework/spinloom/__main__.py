"""`python -m spinloom` is the command `spinloom`."""

from __future__ import annotations

from spinloom.cli import main

main()
