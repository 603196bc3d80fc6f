"""Configuration that Hydra finds behind `pkg://spinloom_dynamic_mlp.conf`."""
