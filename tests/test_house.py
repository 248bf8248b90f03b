"""What a linter cannot say of the house."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

import openrouter_pricing

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(openrouter_pricing.__file__).parent
#: Where modules are tested that have no name of their own.
UNNAMED = {
    "__init__": "test_face",
    "__main__": "cli/test_main",
    "backends/__init__": "backends/test_open_backend",
    "cli/__init__": "cli/test_main",
    "dashboard/__init__": "dashboard/test_app",
    "data/__init__": "contract/test_bundled",
    "history/__init__": "history/test_door",
    "openwebui/__init__": "openwebui/test_module",
}


def test_what_is_installed_is_tested() -> None:
    """The checkout does not stand before what is installed."""
    assert PACKAGE.resolve() != ROOT / "openrouter_pricing", "do: pip install '.[cli,test]' && python -m pytest"


def test_every_room_has_a_test_file() -> None:
    """``_<wing>/<room>.py`` is tested by ``tests/<wing>/test_<room>.py``."""
    rooms = [path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py") if path.stat().st_size]
    tests = [UNNAMED.get(str(room)) or str(room.with_name(f"test_{room.name.lstrip('_')}")) for room in rooms]
    files = {f"tests/{name.lstrip('_')}.py" for name in tests}
    missing = sorted(file for file in files if not (ROOT / file).is_file())
    assert [] == missing, f"missing: {', '.join(missing)}"


def test_every_folder_is_packaged() -> None:
    """setup.cfg names the folders that hold an ``__init__.py``, and no other: a wheel leaves out what is not named."""
    found = [file.parent.relative_to(ROOT) for file in (ROOT / "openrouter_pricing").rglob("__init__.py")]
    if not found:
        pytest.skip("the source folders are gone")
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    named = setup["options"]["packages"].split()
    assert sorted(named) == sorted(["openrouter_pricing.backends", *(".".join(folder.parts) for folder in found)])


def test_every_public_name_has_a_home_and_a_page() -> None:
    """``__all__``, where its names live, and the API reference agree."""
    reference = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. auto(?:class|exception|function):: (\w+)$", reference, re.MULTILINE)
    homes = [name for names in openrouter_pricing._HOMES.values() for name in names]
    assert openrouter_pricing.__all__ == sorted(documented)
    assert openrouter_pricing.__all__ == sorted(homes)
