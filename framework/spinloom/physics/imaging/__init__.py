"""Bloch equations on grids of isochromats: what an imaging sequence measures of a phantom."""
