"""Tables of tissues: a CSV or Parquet file with a column an address, such as `water_pool.t1`, and a row a tissue."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spinloom.errors import TissueError, known_names
from spinloom.tissue.addresses import full_address, numbers_of
from spinloom.tissue.numbers import shown


def read_table(path: str | Path, mapping: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Columns by full address, float64, shape `(rows,)` each.

    mapping: the tissue that the rows vary; it has the pools that columns may name

    Raises `TissueError` that names the file, the column or row, and the way out.
    """
    path = Path(path)
    readers = {".csv": _csv, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise TissueError(f"Table '{path}' ends in '{path.suffix}'. {known_names(path.suffix, readers)}")
    if not path.is_file():
        raise TissueError(f"Table '{path}' is no file; check tissue.table, which counts from the working directory.")
    try:
        names, columns = readers[path.suffix.lower()](path)
    except OSError as error:
        raise TissueError(f"Table '{path}' cannot be read: {error.strerror or error}. Check the file.") from error
    addresses = _addresses(path, names, mapping)
    if not columns or columns[0].size == 0:
        raise TissueError(f"Table '{path}' has no row; give one row a tissue below the names of the columns.")
    for name, column in zip(names, columns, strict=True):
        _refuse_infinite(path, name, column)
    return dict(zip(addresses, columns, strict=True))


def _addresses(path: Path, names: list[str], mapping: Mapping[str, Any]) -> list[str]:
    """The full address of each column; extra columns and quantities that stand twice are refused."""
    known = numbers_of(mapping)
    addresses = [full_address(name) for name in names]
    for position, (name, address) in enumerate(zip(names, addresses, strict=True)):
        if address not in known:
            raise TissueError(
                f"Table '{path}' has the extra column {shown(name)}, which is no number of the tissue; "
                f"leave it out, or name it by a key. {known_names(address, known)}"
            )
        for other in (address, *known[address].others):
            if other in addresses[:position]:
                raise TissueError(
                    f"Table '{path}' gives one quantity twice, in the columns '{names[addresses.index(other)]}' and "
                    f"'{name}'; keep one of them."
                )
    return addresses


def _refuse_infinite(path: Path, name: str, column: np.ndarray) -> None:
    wrong = np.flatnonzero(~np.isfinite(column))
    if wrong.size:
        raise TissueError(
            f"Table '{path}', row {wrong[0] + 1}, column '{name}' holds {column[wrong[0]]}, but every cell must hold a "
            "finite number; fill or leave out the row."
        )


def _csv(path: Path) -> tuple[list[str], list[np.ndarray]]:
    """Names and columns; rows are counted from 1 below the names."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TissueError(f"Table '{path}' is not CSV in UTF-8 ({error}); export it anew.") from error
    if not lines:
        raise TissueError(f"Table '{path}' is empty; its first line names the columns, such as 'water_pool.t1,b0'.")
    names = [name.strip() for name in lines[0]]
    rows = [_row(path, position, names, cells) for position, cells in enumerate(lines[1:], start=1)]
    return names, list(np.array(rows, dtype=np.float64).reshape(len(rows), len(names)).T.copy())


def _row(path: Path, position: int, names: list[str], cells: list[str]) -> list[float]:
    if len(cells) != len(names):
        what = f"the column '{names[len(cells)]}' is missing" if len(cells) < len(names) else "there are extra cells"
        raise TissueError(
            f"Table '{path}', row {position}, has {len(cells)} cells for {len(names)} columns: {what}; "
            "every row needs one number a column, with a comma between."
        )
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        name, cell = next((name, cell) for name, cell in zip(names, cells, strict=True) if not _is_number(cell))
        raise TissueError(
            f"Table '{path}', row {position}, column '{name}' holds {shown(cell)}, but every cell must hold a finite "
            "number such as 0.05 or 62e-3."
        ) from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parquet(path: Path) -> tuple[list[str], list[np.ndarray]]:
    import pyarrow as pa
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise TissueError(f"Table '{path}' is not readable as Parquet ({reason}); export it anew.") from error
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise TissueError(
                f"Table '{path}', column '{name}' is of type {column.type}, but every column must hold numbers; "
                "export it as float64."
            )
        columns.append(column.cast(pa.float64()).to_numpy())
    return list(table.column_names), columns
