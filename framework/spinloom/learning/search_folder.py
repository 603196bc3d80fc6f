"""The folder of a search: its journal, which outlives any interruption and is one process's at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinloom.errors import ConfigurationError, OutputError
from spinloom.learning.search import Guide, Search
from spinloom.learning.search_space import Space

if TYPE_CHECKING:
    from optuna import Study

JOURNAL = "search.journal"
_NAME = "search"


@contextmanager
def open_search(folder: Path, space: Space, guide: Guide, identity: Mapping[str, Any]) -> Iterator[Search]:
    """The search in `folder`, begun there or gone on with, which one process has for itself.

    identity: what makes this search, plain containers

    Raises `OutputError` where another process has it, where it was begun with another identity, and where its journal
    cannot be read.
    """
    from filelock import FileLock, Timeout

    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ConfigurationError("A search needs Optuna: pip install 'spinloom[tune]'.") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise OutputError(f"Another process searches in {folder}; wait for it, or name another output.") from error
    try:
        yield _opened(folder / JOURNAL, space, guide, identity)
    finally:
        lock.release()


def _opened(journal: Path, space: Space, guide: Guide, identity: Mapping[str, Any]) -> Search:
    import optuna
    from optuna.pruners import MedianPruner, NopPruner
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    _mend(journal)
    pruner: Any = NopPruner()
    if guide.pruning is not None:
        pruner = MedianPruner(n_startup_trials=guide.pruning["trials"], n_warmup_steps=guide.pruning["epochs"])
    try:
        storage = JournalStorage(JournalFileBackend(str(journal)))
        study = optuna.create_study(storage=storage, study_name=_NAME, load_if_exists=True, pruner=pruner)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise OutputError(f"{journal} cannot be read: {error}. Delete {journal.parent} to search anew.") from error
    _require_same(study, journal.parent, identity)
    search = Search(study, space, guide)
    search.take_up()
    return search


def _mend(journal: Path) -> None:
    """Take away what a process that was killed left: half a line, and Optuna's own lock."""
    for lock in journal.parent.glob(f"{journal.name}.lock*"):
        lock.unlink()
    if journal.is_file():
        text = journal.read_bytes()
        if not text.endswith(b"\n"):
            with journal.open("r+b") as file:
                file.truncate(text.rfind(b"\n") + 1)


def _require_same(study: Study, folder: Path, identity: Mapping[str, Any]) -> None:
    now = json.loads(json.dumps(identity, default=str))
    before = study.user_attrs.get("identity")
    if before is None:
        study.set_user_attr("identity", now)
        return
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            raise OutputError(
                f"{folder} holds a search that was begun with other values: its {key} was {before.get(key)} and is "
                f"{now.get(key)} now. Name another output, or delete that folder."
            )
