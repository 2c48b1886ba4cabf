"""What DuckDB is asked, run by a Python that has it: `python duck.py convert|ask ...`. Nothing of ours is imported.

duck.py version
duck.py convert NDJSON PARQUET       prints seconds
duck.py ask SQL [ROWS]               prints seconds and rows (with ROWS) or the one number that SQL gives
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Any

SAMPLE = 20_000
"""Records that the structure of the Parquet file is taken from."""


def connect(folder: Path) -> Any:
    connection = importlib.import_module("duckdb").connect()
    connection.execute(f"set temp_directory = '{folder}'")
    connection.execute("set memory_limit = '6GB'")
    connection.execute("set enable_progress_bar = false")
    return connection


def convert(ndjson: Path, parquet: Path) -> None:
    """Every record as it is, and beside it all its members as columns, in order of time."""
    connection = connect(parquet.parent)
    lines = f"read_ndjson_objects('{ndjson}', maximum_object_size = 33554432)"
    (structure,) = connection.execute(
        f"select json_group_structure(json) from (select json from {lines} limit {SAMPLE})"
    ).fetchone()
    text = str(structure).replace("'", "''")
    connection.execute(
        f"copy (select json::varchar as raw, unnest(json_transform(json, '{text}')) from {lines})"
        f" to '{parquet}' (format parquet, compression zstd)"
    )


def main() -> None:
    command, *words = sys.argv[1:]
    begun = time.perf_counter()
    if command == "version":
        print(importlib.import_module("duckdb").__version__)
        return
    if command == "convert":
        convert(Path(words[0]), Path(words[1]))
        print(f"{time.perf_counter() - begun:.2f}")
        return
    rows = connect(Path(words[1])).execute(words[0]).fetchall()
    print(rows[0][0] if len(rows) == 1 and isinstance(rows[0][0], int) else len(rows))


if __name__ == "__main__":
    main()
