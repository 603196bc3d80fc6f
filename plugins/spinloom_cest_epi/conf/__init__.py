"""Configuration that Hydra finds behind `pkg://spinloom_cest_epi.conf`."""
