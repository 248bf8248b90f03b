"""Make the bundled price history from a recording of OpenRouter's lists, twice a day.

    python tools/history_from_recordings.py price-history.jsonl.xz openrouter_pricing/data/history.gz

The recording holds a line for each change of one model's ``pricing`` object, oldest first, ``null`` where a model is
listed no more. It writes the history and, beside it, ``history.json``. The same recording gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from openrouter_pricing import Rates
from openrouter_pricing._history.packing import pack


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the history and where it comes from."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recording", type=Path, help="the recording, .jsonl.xz")
    parser.add_argument("history", type=Path, help="where the history goes, .gz")
    options = parser.parse_args(arguments)
    text = options.recording.read_bytes()
    changes = []
    for line in lzma.decompress(text).decode().splitlines():
        entry = json.loads(line)
        pricing = entry["pricing"]
        if pricing is not None:
            Rates.from_dict(pricing)  # which says what cannot be read
        changes.append((datetime.fromisoformat(entry["observed_at"].replace("Z", "+00:00")), entry["id"], pricing))
    packed = pack(changes)
    provenance = {
        "source": "GET https://openrouter.ai/api/v1/models, recorded twice a day by jvrck/openrouterlist",
        "url": "https://github.com/jvrck/openrouterlist",
        "licence": "MIT",
        "since": changes[0][0].isoformat(),
        "until": changes[-1][0].isoformat(),
        "changes": len(changes),
        "models": len({model_id for _, model_id, _ in changes}),
        "recording_digest": hashlib.sha256(text).hexdigest(),
        "digest": hashlib.sha256(packed).hexdigest(),
        "regenerate": [
            "python tools/history_from_recordings.py price-history.jsonl.xz openrouter_pricing/data/history.gz"
        ],
    }
    options.history.write_bytes(packed)
    provenance_file = options.history.with_suffix(".json")
    provenance_file.write_text(json.dumps(provenance, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
