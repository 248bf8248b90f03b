"""A client of redis-py without a server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class Fake:
    """A client with a dictionary for a server; it fails as it is told to, before or after it did what was asked."""

    def __init__(self, *, decode: bool = False) -> None:
        self.values: dict[str, bytes] = {}
        self.sent: list[tuple[Any, ...]] = []
        self.before: list[Exception | None] = []
        self.after: list[Exception | None] = []
        self.no_scripts = False
        self._decode = decode

    def get_encoder(self) -> Any:
        """How it reads answers."""
        return SimpleNamespace(decode_responses=self._decode)

    def _ask(self, *command: Any) -> None:
        self.sent.append(command)
        if self.before and (error := self.before.pop(0)) is not None:
            raise error

    def _answer(self, answer: Any) -> Any:
        if self.after and (error := self.after.pop(0)) is not None:
            raise error
        return answer

    def get(self, key: str) -> bytes | None:
        """GET."""
        self._ask("get", key)
        return self._answer(self.values.get(key))

    def set(self, key: str, value: bytes, *, px: int, nx: bool = False) -> bool | None:
        """SET."""
        self._ask("set", key, px, nx)
        if nx and key in self.values:
            return self._answer(None)
        self.values[key] = value
        return self._answer(True)

    def delete(self, key: str) -> int:
        """DEL."""
        self._ask("del", key)
        return self._answer(int(self.values.pop(key, None) is not None))

    def eval(self, script: str, count: int, key: str, value: bytes, mark: bytes, nonce: int) -> int:
        """EVAL of the one script that there is."""
        self._ask("eval", key)
        if self.no_scripts:
            from redis.exceptions import NoPermissionError

            raise NoPermissionError("this user has no permissions to run the 'eval' command")
        assert (count, "redis.call('get'" in script) == (1, True)
        held = self.values.get(key, b"")
        same = (held[2 + nonce :] if held.startswith(mark) else held) == value and key in self.values
        return self._answer(int(same and self.values.pop(key) is not None))
