"""Ending a TCP connection the hard way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from typing import Final

# struct linger: two shorts on Windows, two ints elsewhere.
_LINGER_NOW: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


def reset(transport: asyncio.BaseTransport) -> None:
    """Drop the connection with RST instead of FIN; what was not sent yet is lost."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOW)
    assert isinstance(transport, asyncio.WriteTransport)
    transport.abort()
