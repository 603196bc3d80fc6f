"""Configuration that Hydra finds behind `pkg://spinloom_trajectory_mlp.conf`."""
