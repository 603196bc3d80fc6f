"""Learning from simulated signals: sets of them, networks that stand in for a simulator, and how they are trained."""
