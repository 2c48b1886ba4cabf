"""Write the table of fields into resources/help/search.md anew: `.venv/bin/python tests/house/search_page.py`."""

from __future__ import annotations

from pathlib import Path

from pod_desktop.query import FIELDS

PAGE = Path(__file__).resolve().parents[2] / "resources" / "help" / "search.md"
TITLE = "## Fields\n"


def main() -> None:
    head = PAGE.read_text(encoding="utf-8").partition(TITLE)[0]
    rows = [f"| `{field.name}` | {field.help} |" for field in FIELDS.values()]
    PAGE.write_text(
        head + TITLE + "\n| field | what it is |\n|---|---|\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
