"""Configuration that Hydra finds behind `pkg://spinloom_epi.conf`."""
