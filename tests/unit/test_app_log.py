"""Where the service logs: all of it to a file, and to a terminal what is written for people."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from pod_desktop import app


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    before, level = list(logger.handlers), logger.level
    yield logger
    for handler in set(logger.handlers) - set(before):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(level)


def test_what_libraries_say_goes_to_the_file_only(
    root: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app._log_to(tmp_path / "pod-desktop.log", loud=True)
    logging.getLogger("asyncio").warning("socket.send() raised exception.")
    logging.getLogger("pod_desktop.services.collect").warning("The disk is nearly full.")
    assert capsys.readouterr().err == "The disk is nearly full.\n"
    written = (tmp_path / "pod-desktop.log").read_text()
    assert "socket.send() raised exception." in written and "The disk is nearly full." in written
