"""What is installed is tested: ``python -m pytest`` puts the checkout before it, whose ``backends/`` lies apart."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).resolve().parent

sys.path[:] = [place for place in sys.path if Path(place).resolve() != _HERE]
if find_spec("openrouter_pricing") is None:
    raise SystemExit("openrouter-pricing is not installed here; do: pip install '.[cli,test]'")
