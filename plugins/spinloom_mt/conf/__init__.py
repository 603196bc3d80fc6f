"""Configuration of the MT plugin."""
