"""One plugin a module, each wrong in the way that its name says."""
