"""Configuration that Hydra finds behind `pkg://spinloom_fse.conf`."""
