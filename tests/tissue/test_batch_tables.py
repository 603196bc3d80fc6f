"""Tables of tissues from CSV and Parquet, and the sentence that each bad one gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spinloom.errors import TissueError
from spinloom.tissue.addresses import with_value
from spinloom.tissue.batches import plan_batch
from spinloom.tissue.files import load_mapping
from spinloom.tissue.tables import read_table

POOLS = load_mapping("wm_3t_7pool")

GOOD = {"t1": [1.0, 1.2, 1.4], "cest_pool.amide.k": [30.0, 50.0, 70.0], "b0_inhom": [0.0, 0.1, -0.1]}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three tissues as CSV, as a spreadsheet with a byte-order mark writes it."""
    rows = "\n".join(",".join(map(str, row)) for row in zip(*GOOD.values(), strict=True))
    path = tmp_path / "tissues.csv"
    path.write_text("\ufeff" + ",".join(GOOD) + "\r\n" + rows + "\n", encoding="utf-8")
    return path


def test_a_row_is_a_tissue_and_the_rest_holds_for_all(table: Path) -> None:
    batch = plan_batch({**POOLS, "table": str(table)}, "wm").build()
    assert batch.tissue.water.t1.tolist() == GOOD["t1"]
    assert batch.tissue.exchanging[0].k.tolist() == GOOD["cest_pool.amide.k"]
    assert batch.tissue.b0_shift_ppm.tolist() == GOOD["b0_inhom"]
    assert batch.tissue.water.t2.tolist() == [0.04] * 3
    assert [parameter.address for parameter in batch.parameters] == ["water_pool.t1", "cest_pool.amide.k", "b0_inhom"]


def test_parquet_says_the_same_as_csv(table: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({**GOOD, "b0": [3, 3, 7]}), tmp_path / "tissues.parquet")
    columns = read_table(tmp_path / "tissues.parquet", POOLS)
    assert columns.pop("b0").tolist() == [3, 3, 7]
    for address, values in read_table(table, POOLS).items():
        np.testing.assert_array_equal(columns[address], values)


def test_a_column_under_an_alias_takes_the_place_of_the_tissues_own_name(tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("r1\n0.5\n2\n")
    tissue = plan_batch({**POOLS, "table": tmp_path / "rates.csv"}, "wm").build().tissue
    assert tissue.water.t1.tolist() == [2, 0.5]


def test_rows_multiply_with_ranges(table: Path) -> None:
    mapping = with_value({**POOLS, "table": table}, "rel_b1", "choice(0.9, 1.1)")
    batch = plan_batch(mapping, "wm").build()
    assert batch.tissue.water.t1.tolist() == [1.0, 1.0, 1.2, 1.2, 1.4, 1.4]
    assert batch.tissue.rel_b1.tolist() == [0.9, 1.1] * 3


BAD_TABLES = {
    "a row that misses a column": ("t1,t2\n1,0.04\n1\n", ["row 2", "the column 't2' is missing"]),
    "a row with an extra cell": ("t1,t2\n1,0.04,7\n", ["row 1", "3 cells for 2 columns", "extra cells"]),
    "an extra column": ("t1,patient\n1,7\n", ["extra column 'patient'", "Known: "]),
    "a misspelt column": ("cest_pool.amid.k\n50\n", ["'cest_pool.amid.k'", "Did you mean 'cest_pool.amide.k'?"]),
    "a pool that the tissue has not": ("cest_pool.glutamate.k\n50\n", ["'cest_pool.glutamate.k'"]),
    "a quantity twice": ("t1,water_pool.t1\n1,1\n", ["twice", "'t1' and 'water_pool.t1'"]),
    "a quantity under name and alias": ("t1,r1\n1,1\n", ["twice", "'t1' and 'r1'"]),
    "a word": ("t1,t2\n1,0.04\n1.2,long\n", ["row 2, column 't2' holds 'long'"]),
    "an empty cell": ("t1,t2\n1,\n", ["row 1, column 't2' holds ''"]),
    "a number that is not finite": ("t1\n1\n1\nnan\n", ["row 3, column 't1' holds nan", "finite"]),
    "infinity": ("t1\ninf\n", ["row 1, column 't1' holds inf"]),
    "no row": ("t1,t2\n", ["has no row"]),
    "nothing": ("", ["is empty", "names the columns"]),
    "numbers without names": ("1.0,0.04\n", ["extra column '1.0'"]),
    "bytes that are no text": (b"t1\n\xff\xfe\n", ["not CSV in UTF-8"]),
    "an impossible value": ("t1\n1\n-1\n", ["'water_pool.t1[1]' is -1.0", "above zero"]),
}


@pytest.mark.parametrize(("content", "expected"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_bad_table_names_file_place_and_way_out(content: str | bytes, expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TissueError) as refusal:
        plan_batch({**POOLS, "table": path}, "wm").build()
    assert all(words in str(refusal.value) for words in expected), refusal.value


def test_bad_parquet_is_refused_by_column_row_or_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    pq.write_table(pa.table({"t1": ["1", "2"]}), path)
    with pytest.raises(TissueError, match="column 't1' is of type string, but every column must hold numbers"):
        read_table(path, POOLS)
    pq.write_table(pa.table({"t1": [1.0, None]}), path)
    with pytest.raises(TissueError, match="row 2, column 't1' holds nan"):
        read_table(path, POOLS)
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(TissueError, match="is not readable as Parquet"):
        read_table(path, POOLS)


def test_a_table_that_is_not_there_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TissueError, match=r"no.csv' is no file; check tissue.table"):
        read_table(tmp_path / "no.csv", POOLS)
    with pytest.raises(TissueError, match=r"ends in '.xlsx'. Known: .csv, .parquet"):
        read_table(tmp_path / "no.xlsx", POOLS)


def test_a_number_in_the_table_and_as_a_range_is_refused(table: Path) -> None:
    mapping = with_value({**POOLS, "table": table}, "water_pool.t1", "choice(1, 2)")
    with pytest.raises(TissueError, match=r"'water_pool.t1' is a column of the table and 'choice\(1, 2\)' as well"):
        plan_batch(mapping, "wm")
