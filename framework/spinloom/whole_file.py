"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from spinloom.errors import OutputError


def write_whole(path: str | Path, content: bytes, way_out: str = "Free some space or name another place.") -> None:
    """Put `content` where `path` is in one step; `OutputError`, which ends with `way_out`, leaves what was there."""
    path = Path(path)
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written to {path.parent}: {error.strerror or error}. {way_out}"
        ) from error
