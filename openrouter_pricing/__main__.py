"""The command ``openrouter-pricing``, also ``python -m openrouter_pricing``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit status."""
    try:
        try:
            from .cli import run

            return run()
        except ImportError as error:
            if (error.name or "click").partition(".")[0] not in ("click", "msgspec", "rich"):
                raise
            sys.stderr.write(
                f"openrouter-pricing: the command line needs an extra ({error}); "
                "get it with: pip install 'openrouter-pricing[cli]'\n"
            )
            return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
