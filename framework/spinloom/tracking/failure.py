"""What goes wrong in a store, told as a `TrackingError` that names the store and the reason."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from spinloom.errors import TrackingError
from spinloom.tracking.settings import TrackingSettings


@contextmanager
def telling(settings: TrackingSettings) -> Iterator[None]:
    """Turn what MLflow, a database driver or the file system raise into a `TrackingError`."""
    from filelock import Timeout
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ModuleNotFoundError as error:
        raise TrackingError(
            f"The tracking store {settings.shown_uri} needs the driver '{error.name}', which is not installed; "
            f"for PostgreSQL: pip install 'spinloom[postgresql]'."
        ) from error
    except Timeout as error:
        raise TrackingError(
            f"The tracking store {settings.shown_uri} is still locked by another process through {error.lock_file}; "
            f"end that process and try again."
        ) from error
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise TrackingError(f"The tracking store {settings.shown_uri} cannot be used: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    """The telling part of a message: what the system says, or else its first line."""
    text = str(error)
    system = re.search(r"\[Errno -?\d+\] ([^'\"()\[\]]+)|read timeout=|timed out", text)
    if system:
        return (system[1] or "no answer in time").strip()
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:300].rstrip(".")
