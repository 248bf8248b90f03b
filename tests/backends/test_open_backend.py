"""A backend is named by a URL, a stranger's too."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from openrouter_pricing.backends.disk import DiskBackend
from openrouter_pricing.backends.memory import MemoryBackend
from openrouter_pricing.backends.null import NullBackend
from support.upstream import Upstream

from openrouter_pricing import Pricing, Settings, SettingsError, open_backend


@pytest.mark.parametrize(
    ("url", "kind"),
    [("memory://", MemoryBackend), ("null://", NullBackend), ("disk://", DiskBackend), ("DISK:///x", DiskBackend)],
)
def test_open_backend(url: str, kind: type) -> None:
    """A built-in backend is named by its scheme, in any case."""
    assert type(open_backend(url)) is kind


@pytest.mark.parametrize(
    "url", ["redis-like://x", "disk://relative", "disk:///x?y=1", "memory://x", "null://x", "nothing", ""]
)
def test_open_backend_refuses(url: str) -> None:
    """A URL that names no backend, or that its scheme cannot read, is a settings error that says what is accepted."""
    with pytest.raises(SettingsError, match="backend"):
        open_backend(url)


def test_open_backend_hides_passwords() -> None:
    """A password in a backend URL does not reach the message."""
    with pytest.raises(SettingsError) as caught:
        open_backend("nosuch://user:hunter2@host/0")
    assert "hunter2" not in str(caught.value)
    assert "memory://" in str(caught.value)


def test_unknown_scheme_is_refused_at_construction() -> None:
    """A typing error in the backend's scheme is told when the object is made, not on some later day."""
    with pytest.raises(SettingsError, match="nosuch"):
        Pricing(Settings(backend="nosuch://x"))


STRANGER_CODE = """
STORE = {}

class Backend:
    def __init__(self, url): self.url = url
    def get(self, key): return STORE.get(key)
    def set(self, key, value, *, ttl=None): STORE[key] = value
    def add(self, key, value, *, ttl): return STORE.setdefault(key, value) is value
    def delete(self, key): STORE.pop(key, None)
    def close(self): pass

def open_stranger(url):
    if url.endswith("bad"):
        raise ValueError("stranger:// and a name")
    return Backend(url)
"""
STRANGER_USE = """
import sys
from openrouter_pricing import Pricing, Settings, SettingsError, open_backend
import stranger
assert open_backend("stranger://x").url == "stranger://x"
try:
    open_backend("stranger://bad")
except SettingsError as error:
    assert "stranger:// and a name" in str(error)
with Pricing(Settings(backend="stranger://x", base_url=sys.argv[1])) as pricing:
    source = pricing.cost("openai/gpt-4o-mini", 1000, 500).source
print(source, len(stranger.STORE))
"""


def test_a_strangers_backend_is_found(tmp_path: Path, upstream: Upstream) -> None:
    """A package that registers a scheme in the entry-point group is used like a built-in one."""
    wheel = tmp_path / "stranger-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("stranger.py", STRANGER_CODE)
        archive.writestr("stranger-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: stranger\nVersion: 1\n")
        archive.writestr("stranger-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            "stranger-1.dist-info/entry_points.txt",
            "[openrouter_pricing.backends]\naaa = stranger:other\nstranger = stranger:open_stranger\n",
        )
        archive.writestr("stranger-1.dist-info/RECORD", "")
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, cwd=tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", STRANGER_USE, upstream.url],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == "live 2\n", done.stderr
