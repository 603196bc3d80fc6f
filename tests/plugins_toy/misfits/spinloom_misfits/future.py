"""Was written for a plugin API that does not exist yet."""

SPINLOOM_API = "2.0"
