"""How a value lies in a store that other programs use too: large ones compressed, and none taken for what it is not."""

from __future__ import annotations

import zlib

KEPT = 30 * 86400  # seconds that a value without a ttl is kept; each fetch stores anew what it finds unchanged
LARGE = 64 * 1024  # bytes; what is larger is compressed
_MOST = 64 * 1024 * 1024  # bytes of a value; a small one that unpacks into more is nobody's price list
#: A value that begins with a NUL is marked: compressed, or as it is. All others stand as they are.
_PACKED, _PLAIN = b"\x00z", b"\x00="


def pack(value: bytes) -> bytes:
    """A value as it is kept.

    Raises:
        TypeError: it is no bytes.
        ValueError: it is too large.
    """
    if not isinstance(value, bytes):
        raise TypeError(f"a backend keeps bytes under str keys, not {type(value).__name__}")
    if len(value) > _MOST:
        raise ValueError(f"a value of more than {_MOST} bytes is not kept")
    if len(value) > LARGE:
        return _PACKED + zlib.compress(value)
    return _PLAIN + value if value.startswith(b"\x00") else value


def unpack(data: bytes) -> bytes:
    """The value that was kept.

    Raises:
        ValueError: it is none of ours.
    """
    if not data.startswith(b"\x00"):
        return data
    if data.startswith(_PLAIN):
        return data[len(_PLAIN) :]
    stream = zlib.decompressobj()
    try:
        value = stream.decompress(data[len(_PACKED) :], _MOST) if data.startswith(_PACKED) else b""
    except zlib.error:
        value = b""
    if not stream.eof:
        raise ValueError("a value in the store that is none of ours is not read")
    return value
