"""Configuration that Hydra finds behind `pkg://spinloom_moled.conf`."""
