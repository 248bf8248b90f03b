"""What importing and constructing cost, and what they leave alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import openrouter_pricing

AUDIT = """
import sys
seen = []

def hook(event, args):
    if event.startswith(("socket.", "subprocess.", "os.fork", "sqlite3.")) or event == "_thread.start_new_thread":
        seen.append(event)
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"{event} {args[0]}")
    elif event in ("os.mkdir", "os.remove", "os.rename"):
        seen.append(event)

sys.dont_write_bytecode = True
sys.addaudithook(hook)
import openrouter_pricing
from openrouter_pricing import Pricing, Settings
pricing = Pricing(Settings(backend=sys.argv[1], warm=True))
repr(pricing), pricing.stats()
pricing.close()
print(seen)
"""


def run(code: str, *args: str) -> str:
    """What a fresh interpreter prints."""
    # From a folder beside the checkout's packages: what is installed answers, not what lies here.
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=False, cwd=here)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("backend", ["disk://", "memory://", "null://"])
def test_nothing_happens_on_import_and_construction(backend: str) -> None:
    """No socket, no thread, no process, no database and no written file, before the first question."""
    assert run(AUDIT, backend) == "[]\n"


def test_heavy_modules_are_not_imported_with_pricing() -> None:
    """Importing the facade, and answering from a pinned catalogue, loads none of the heavy modules, and few of ours."""
    code = (
        "import sys\n"
        "from openrouter_pricing import Pricing\n"
        "first = set(sys.modules)\n"
        "from openrouter_pricing import Catalog\n"
        "catalog = Catalog.from_models([{'id': 'a/b', 'pricing': {'prompt': '1', 'completion': '1'}}])\n"
        "Pricing(catalog=catalog).cost('a/b', 1)\n"
        "heavy = {'requests', 'urllib3', 'stamina', 'diskcache', 'tenacity', 'platformdirs', 'click', 'rich'}\n"
        "print(sorted(first & heavy), sorted(set(sys.modules) & heavy))\n"
        "print(*sorted(name[18:] for name in first if name.startswith('openrouter_pricing')))\n"
    )
    assert run(code) == (
        "[] []\n ._base ._base.money ._freshness ._freshness.lifetime ._history ._history.listing .errors .pricing\n"
    )


def test_a_warm_disk_needs_no_http() -> None:
    """A process that answers from the disk never loads the HTTP stack."""
    code = (
        "import sys\n"
        "from openrouter_pricing import Pricing, Settings\n"
        "with Pricing(Settings(backend='memory://', offline=True)) as pricing:\n"
        "    pricing.cost('openai/gpt-4o-mini', 1)\n"
        "print('requests' in sys.modules, 'stamina' in sys.modules)\n"
    )
    assert run(code) == "False False\n"


def test_every_public_name_is_there() -> None:
    """All of ``__all__`` can be imported, is sorted, and nothing else is promised."""
    assert openrouter_pricing.__all__ == sorted(openrouter_pricing.__all__)
    assert dir(openrouter_pricing) == openrouter_pricing.__all__
    for name in openrouter_pricing.__all__:
        assert getattr(openrouter_pricing, name).__name__ == name
    assert openrouter_pricing.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="nonsense"):
        openrouter_pricing.nonsense  # noqa: B018
