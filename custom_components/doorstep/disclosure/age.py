"""Encryption to the agency: the age v1 format (age-encryption.org/v1) with X25519 recipients.

Streaming in 64 KiB chunks, constant memory; `age -d` opens the result.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
import os

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import ReleaseError

CHUNK = 64 * 1024
_KEY_LENGTH = 32
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6


def parse_recipient(text: str) -> X25519PublicKey:
    """Read an `age1...` X25519 recipient (Bech32, BIP 173, lower case only).

    ReleaseError keys: `recipient_malformed`; `recipient_unsupported` for other kinds of recipient
    (post-quantum, SSH, plug-ins), which `age` may know and Doorstep doesn't.
    """
    prefix, separator, data = text.rpartition("1")
    if not separator or any(c not in _ALPHABET for c in data):
        raise ReleaseError("recipient_malformed", recipient=text)
    if prefix != "age":
        raise ReleaseError("recipient_unsupported", recipient=text)
    values = [_ALPHABET.index(c) for c in data]
    raw = _to_bytes(values[:-_CHECKSUM_LENGTH]) if _checksum(prefix, values) == 1 else None
    if raw is None or len(raw) != _KEY_LENGTH:
        raise ReleaseError("recipient_malformed", recipient=text)
    return X25519PublicKey.from_public_bytes(raw)


def encrypt(chunks: Iterable[bytes], recipients: Sequence[str]) -> Iterator[bytes]:
    """Encrypt `chunks` so that each of `recipients` can decrypt: the pieces of an age file.

    Recipients are checked before anything is read: see `parse_recipient`, and
    `recipient_missing` when there is none.
    """
    if not recipients:
        raise ReleaseError("recipient_missing")
    file_key = os.urandom(16)
    stanzas = b"".join(_stanza(recipient, file_key) for recipient in recipients)
    return _payload(chunks, file_key, _header(stanzas, file_key))


def _header(stanzas: bytes, file_key: bytes) -> bytes:
    head = b"age-encryption.org/v1\n" + stanzas + b"---"
    mac = hmac.HMAC(_derive(file_key, b"", b"header"), hashes.SHA256())
    mac.update(head)
    return head + b" " + _base64(mac.finalize()) + b"\n"


def _stanza(recipient: str, file_key: bytes) -> bytes:
    """One wrapped file key; its body always fits one line (32 bytes, 43 characters)."""
    public = parse_recipient(recipient)
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    try:
        secret = ephemeral.exchange(public)
    except ValueError as error:  # a point of small order: everybody could decrypt
        raise ReleaseError("recipient_malformed", recipient=recipient) from error
    salt = share + public.public_bytes_raw()
    key = _derive(secret, salt, b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n"


def _payload(chunks: Iterable[bytes], file_key: bytes, header: bytes) -> Iterator[bytes]:
    nonce = os.urandom(16)
    yield header + nonce
    aead = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
    counter, buffer = 0, bytearray()
    for chunk in chunks:
        buffer += chunk
        # a full last chunk is the last: an empty one may follow nothing but an empty file
        whole = max(0, len(buffer) - 1) // CHUNK * CHUNK
        for start in range(0, whole, CHUNK):
            plain = bytes(buffer[start : start + CHUNK])
            yield aead.encrypt(counter.to_bytes(11) + b"\x00", plain, None)
            counter += 1
        del buffer[:whole]
    yield aead.encrypt(counter.to_bytes(11) + b"\x01", bytes(buffer), None)


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), _KEY_LENGTH, salt, info).derive(secret)


def _base64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def _checksum(prefix: str, values: Sequence[int]) -> int:
    """The BIP 173 polynomial; 1 for a valid string."""
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = 1
    for value in (*expanded, *values):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check


def _to_bytes(values: Sequence[int]) -> bytes | None:
    """Regroup 5-bit values as bytes; None when the bits left over are not zero."""
    bits = 0
    for value in values:
        bits = bits << 5 | value
    length, padding = divmod(len(values) * 5, 8)
    if bits & ((1 << padding) - 1):
        return None
    return (bits >> padding).to_bytes(length)
