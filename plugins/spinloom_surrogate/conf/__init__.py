"""Configuration of the CEST plugin."""
