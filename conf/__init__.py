"""Configuration that Hydra composes; see `docs/configuration.md`."""
