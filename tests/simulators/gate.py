"""An RTSP server's password check: Digest authentication (RFC 2617) in front of another server.

go2rtc does not ask clients on loopback for its password, and no off-the-shelf proxy does, hence
this one. It runs by itself: `python gate.py SETTINGS.json` with "host", "port", "upstream" (a
port), "user" and "password". Requests are answered 401 until one carries the right digest; that
one and all that follow on its connection pass through unread.
"""

import asyncio
import contextlib
import hashlib
import hmac
import json
from pathlib import Path
import re
import secrets
import sys
from typing import Any, Final
from urllib.request import parse_http_list, parse_keqv_list

REALM: Final = "doorbell"
SEQUENCE: Final = re.compile(rb"^CSeq: *(\d+)", re.IGNORECASE | re.MULTILINE)
DIGEST: Final = re.compile(rb"^Authorization: *Digest +(.*?)\r?$", re.IGNORECASE | re.MULTILINE)


class Gate:
    """The check and where those who pass are led."""

    def __init__(self, *, host: str, upstream: int, user: str, password: str) -> None:
        """Lead to port UPSTREAM of HOST."""
        self._host = host
        self._upstream = upstream
        self._user = user
        self._secret = _md5(f"{user}:{REALM}:{password}")
        self._nonce = secrets.token_hex(16)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            while not self._admits(head):
                writer.write(self._refusal(head))
                head = await reader.readuntil(b"\r\n\r\n")
            await self._join(head, reader, writer)
        writer.close()

    def _admits(self, head: bytes) -> bool:
        found = DIGEST.search(head)
        if found is None:
            return False
        told = parse_keqv_list(parse_http_list(found[1].decode()))
        method = head.split(b" ", 1)[0].decode()
        request = _md5(f"{method}:{told.get('uri')}")
        expected = _md5(f"{self._secret}:{self._nonce}:{request}")
        return told.get("username") == self._user and hmac.compare_digest(
            expected, str(told.get("response"))
        )

    def _refusal(self, head: bytes) -> bytes:
        found = SEQUENCE.search(head)
        sequence = found[1].decode() if found else "0"
        asks = f'Digest realm="{REALM}", nonce="{self._nonce}"'
        lines = ("RTSP/1.0 401 Unauthorized", f"CSeq: {sequence}", f"WWW-Authenticate: {asks}")
        return "\r\n".join((*lines, "", "")).encode()

    async def _join(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there_reader, there_writer = await asyncio.open_connection(self._host, self._upstream)
        there_writer.write(head)
        await asyncio.gather(_pour(reader, there_writer), _pour(there_reader, writer))


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
    sink.close()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


async def main(host: str, port: int, **told: Any) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Gate(host=host, **told).serve, host, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(**json.loads(Path(sys.argv[1]).read_text())))
