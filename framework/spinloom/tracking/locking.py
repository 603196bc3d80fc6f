"""One process at a time opens a database, and a database that is down is noticed at once.

The first use of a database runs all of MLflow's migrations, and several processes that do so together leave it
broken.  A file lock guards an SQLite file, an advisory lock a PostgreSQL database, from any machine; a server looks
after its own database.  Nothing guards other databases: let one process use them first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from spinloom.tracking.settings import TrackingSettings

_WAIT = 120
"""Longest wait for another process to create a database [s]."""

_CONNECT_WAIT = 8
"""Longest wait for a database server to answer [s]."""

_ADVISORY_LOCK = 5_170_231_847
"""The number that PostgreSQL knows our lock by; any would do, as long as nobody else takes it."""


def opening_lock(settings: TrackingSettings) -> AbstractContextManager[None]:
    """The lock to hold while the store is opened."""
    if settings.database_file is not None:
        return _file_lock(settings.database_file)
    return nullcontext() if settings.is_server else _database_lock(settings.store_uri)


@contextmanager
def _file_lock(database: Path) -> Iterator[None]:
    """Lock an SQLite file and see to its WAL mode, in which readers and a writer do not wait for each other."""
    from filelock import FileLock

    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.lock", timeout=_WAIT):
        connection = sqlite3.connect(database, timeout=_WAIT)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        finally:
            connection.close()
        yield


@contextmanager
def _database_lock(uri: str) -> Iterator[None]:
    """Connect, and lock the database if it is PostgreSQL; the lock ends with the connection, however that ends.

    MLflow alone would try a database that is down ten times, for more than a minute.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    wait = {} if uri.startswith("mssql") else {"connect_timeout": _CONNECT_WAIT}
    engine = create_engine(uri, poolclass=NullPool, connect_args=wait, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_ADVISORY_LOCK})")
        yield
