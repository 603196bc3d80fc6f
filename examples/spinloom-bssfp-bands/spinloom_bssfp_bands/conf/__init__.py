"""Configuration that the plugin adds to Hydra's."""
