"""import: exported records into the store, with every bad line named."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from pod_desktop.cli.formats import dumps
from pod_desktop.cli.options import App, ImportOptions
from pod_desktop.cli.terminal import Out, clear_line, progress, visible, warn

if TYPE_CHECKING:
    from pod_desktop.services.importing import FileReport, ImportProgress


def import_files(options: Namespace, app: App, out: Out) -> int:
    """Import the files; 1 when anything of them was bad, damaged or refused."""
    report = app.run_import(
        ImportOptions(data_dir=options.data_dir, files=tuple(options.files)), _tell_progress
    )
    clear_line()
    if options.json:
        totals = {name: getattr(report, name) for name in ("records", "stored", "duplicates", "bad")}
        out.bytes(dumps({**totals, "files": [_as_object(file) for file in report.files]}) + b"\n")
    else:
        first, *rest = report.words()
        out.line(visible(first))
        for words in rest:
            warn(words)
    return 0 if report.whole else 1


def _tell_progress(told: ImportProgress) -> None:
    name = visible(told.file)[-40:]
    progress(f"{told.number} of {told.files}  {name}  {told.share:.0%}  {told.records:,}")


def _as_object(file: FileReport) -> dict[str, Any]:
    return {
        "file": visible(str(file.path)),
        "records": file.records,
        "stored": file.stored,
        "duplicates": file.duplicates,
        "bad": file.bad,
        "bad_lines": [{"line": bad.line, "why": visible(bad.why)} for bad in file.bad_lines],
        "damage": visible(file.damage),
        "refused": visible(file.refused),
    }
