"""The window's loop: its tasks end with their owners, its errors are heard, it ends when asked."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from pod_desktop.ui import bugs
from pod_desktop.ui.loop import WindowLoop


def test_it_runs_until_asked_to_stop_and_then_closes_up(qapp: QApplication) -> None:
    loop = WindowLoop(qapp)
    done: list[str] = []

    async def flow() -> None:
        await asyncio.sleep(0.01)
        done.append("flow")
        loop.stop()

    async def closed() -> None:
        done.append("closed")

    owner = QObject()
    QTimer.singleShot(0, lambda: loop.spawn(flow(), owner, "flow"))
    loop.run(closed)
    assert done == ["flow", "closed"]


def test_an_error_in_a_task_is_reported(qapp: QApplication) -> None:
    loop = WindowLoop(qapp)
    heard: list[str] = []
    bugs.bugs().seen.connect(lambda line, _whole: heard.append(line))

    async def flow() -> None:
        QTimer.singleShot(20, loop.stop)
        raise LookupError("nobody expected this")

    owner = QObject()
    QTimer.singleShot(0, lambda: loop.spawn(flow(), owner, "flow"))
    loop.run()
    assert heard == ["LookupError: nobody expected this"]


def test_the_tasks_of_an_owner_end_with_it(qtbot: QtBot, qapp: QApplication) -> None:
    loop = WindowLoop(qapp)
    ended: list[str] = []

    async def flow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            loop.stop()
            raise

    owner = QObject()
    QTimer.singleShot(0, lambda: loop.spawn(flow(), owner, "flow"))
    QTimer.singleShot(20, owner.deleteLater)
    loop.run()
    assert ended == ["cancelled"]


def test_a_termination_signal_ends_it(qapp: QApplication) -> None:
    loop = WindowLoop(qapp)
    QTimer.singleShot(20, lambda: os.kill(os.getpid(), signal.SIGTERM))
    late: list[str] = []
    guard = QTimer()
    guard.setSingleShot(True)
    guard.timeout.connect(lambda: (late.append("late"), loop.stop()))
    guard.start(5_000)
    loop.run()
    guard.stop()
    assert late == []
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_an_async_generator_left_open_is_closed(qapp: QApplication) -> None:
    loop = WindowLoop(qapp)
    closed: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("closed")

    async def flow() -> None:
        async for _number in numbers():
            break
        loop.stop()

    owner = QObject()
    QTimer.singleShot(0, lambda: loop.spawn(flow(), owner, "flow"))
    loop.run()
    assert closed == ["closed"]
