"""Configuration of the toy plugin."""
