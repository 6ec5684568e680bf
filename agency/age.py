"""The age file format v1 with X25519 recipients (age-encryption.org/v1): keys and decryption.

The identity is kept in age's own text form, so `age -d -i FILE` opens what we can open.
"""

from base64 import b64decode
import binascii
from collections.abc import Buffer, Iterator
import io
from typing import BinaryIO, Final, Self

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import bech32
from .errors import AgencyError

CHUNK: Final = 64 * 1024
TAG: Final = 16
MAX_HEADER: Final = 64 * 1024
KEY: Final = 32
_INTRO: Final = b"age-encryption.org/v1\n"
_MAC: Final = b"--- "
_COLUMNS: Final = 64
_X25519: Final = b"age-encryption.org/v1/X25519"
_FILE_KEY: Final = 16
_STANZA_WORDS: Final = 3


class Identity:
    """A private X25519 key that opens files."""

    def __init__(self, key: X25519PrivateKey) -> None:
        """Take the key."""
        self._key = key
        self._public = key.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> Self:
        """Make a new one."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identity file: comments and one `AGE-SECRET-KEY-1` line. Raises AgencyError."""
        lines = [line for line in text.split() if line.startswith("AGE-SECRET-KEY-1")]
        if len(lines) != 1:
            raise AgencyError("the age identity file holds no single AGE-SECRET-KEY-1 line")
        prefix, raw = bech32.decode(lines[0])
        if prefix != "age-secret-key-" or len(raw) != KEY:
            raise AgencyError("the age identity is malformed")
        return cls(X25519PrivateKey.from_private_bytes(raw))

    @property
    def recipient(self) -> str:
        """Return the public half as `age1…`."""
        return bech32.encode("age", self._public)

    def text(self) -> str:
        """Return the line `AGE-SECRET-KEY-1…`."""
        return bech32.encode("age-secret-key-", self._key.private_bytes_raw()).upper()

    def unwrap(self, share: bytes, body: bytes) -> bytes | None:
        """Return the file key of an X25519 stanza, or None if it is for somebody else."""
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError as error:
            raise AgencyError("the age header holds a worthless key share") from error
        wrap = ChaCha20Poly1305(_derive(shared, share + self._public, _X25519))
        try:
            return wrap.decrypt(bytes(12), body, None)
        except InvalidTag:
            return None


def decrypt(source: BinaryIO, identity: Identity) -> Iterator[bytes]:
    """Yield the plain text of SOURCE in chunks of at most 64 KiB, each authenticated.

    Raises AgencyError for a file that is damaged, cut short, or meant for another identity. What
    was yielded before that is genuine, but the file as a whole is not.
    """
    nonce_key = _read_header(source, identity)
    nonce = source.read(16)
    payload = ChaCha20Poly1305(_derive(nonce_key, nonce, b"payload"))
    number = 0
    block = source.read(CHUNK + TAG)
    while True:
        following = source.read(CHUNK + TAG)
        last = not following
        try:
            plain = payload.decrypt(number.to_bytes(11) + bytes([last]), block, None)
        except InvalidTag as error:
            raise AgencyError(f"the package is damaged or cut short (chunk {number})") from error
        if last and not plain and number:
            raise AgencyError("the package ends in an empty chunk, which age forbids")
        yield plain
        if last:
            return
        number, block = number + 1, following


class Reader(io.RawIOBase):
    """The plain text of an age file as a file to read from start to end."""

    def __init__(self, source: BinaryIO, identity: Identity) -> None:
        """Read the header of SOURCE lazily, at the first read."""
        super().__init__()
        self._chunks = decrypt(source, identity)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Say that this is for reading."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill BUFFER as far as one chunk goes; 0 at the end."""
        room = memoryview(buffer).cast("B")
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY, salt, info).derive(secret)


def _decode(text: bytes) -> bytes:
    try:
        data = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise AgencyError("malformed base64 in the age header") from error
    if binascii.b2a_base64(data, newline=False).rstrip(b"=") != text:
        raise AgencyError("malformed base64 in the age header")
    return data


def _read_header(source: BinaryIO, identity: Identity) -> bytes:
    """Return the file key after its header's MAC has been checked."""
    if _line(source) != _INTRO:
        raise AgencyError("this is no age file (version 1, binary)")
    header = bytearray(_INTRO)
    key: bytes | None = None
    while (line := _line(source)).startswith(b"-> "):
        header += line
        words = line[3:-1].split(b" ")
        body = bytearray()
        full = True
        while full:
            part = _line(source)
            header += part
            body += part[:-1]
            full = len(part) - 1 == _COLUMNS
            if len(header) > MAX_HEADER:
                raise AgencyError("the age header is too long")
        key = _open_stanza(words, _decode(bytes(body)), identity) or key
    if not line.startswith(_MAC):
        raise AgencyError("the age header is malformed")
    if key is None:
        raise AgencyError("the package is not encrypted to this agency's identity")
    _check_mac(key, bytes(header) + _MAC.rstrip(), _decode(line[len(_MAC) : -1]))
    return key


def _line(source: BinaryIO) -> bytes:
    line = source.readline(MAX_HEADER)
    if not line.endswith(b"\n"):
        raise AgencyError("this is no age file, or its header is cut short")
    return line


def _open_stanza(words: list[bytes], body: bytes, identity: Identity) -> bytes | None:
    if words[0] != b"X25519":
        return None
    if len(words) != _STANZA_WORDS - 1 or len(body) != _FILE_KEY + TAG:
        raise AgencyError("the age header holds a malformed X25519 stanza")
    share = _decode(words[1])
    if len(share) != KEY:
        raise AgencyError("the age header holds a malformed X25519 stanza")
    return identity.unwrap(share, body)


def _check_mac(key: bytes, header: bytes, mac: bytes) -> None:
    code = hmac.HMAC(_derive(key, b"", b"header"), hashes.SHA256())
    code.update(header)
    try:
        code.verify(mac)
    except InvalidSignature as error:
        raise AgencyError("the age header was changed on its way") from error
