"""Sequences that Spinloom ships: scripts and files of saturation experiments, and families of imaging sequences."""
