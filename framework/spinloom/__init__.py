"""Spinloom: simulation and learning for MR, driven by Pulseq sequence files."""

__version__ = "0.1.0"
