"""Raises an exception while it is imported, and prints before it does."""

print("about to raise")
raise RuntimeError("no coils in this scanner")
