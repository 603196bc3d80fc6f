"""Configuration that Hydra finds behind `pkg://spinloom_bloch.conf`."""
