"""What a row sells, where that is not text tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._base import money

_TEXT = {"text", "embeddings"}
_BESIDE_TEXT = {"audio", "video", "music"}  # sold by the piece where the row lists no price of text
_SPEECH = {"speech", "audio", "tts"}
_TRANSCRIPTION = {"transcription", "stt"}


def fillers(
    model_id: str, inputs: tuple[str, ...], outputs: tuple[str, ...], pricing: Mapping[str, Any]
) -> tuple[tuple[str, ...], str | None]:
    """The price keys of a row that hold no price per token, and the reason; nothing of either for most rows.

    Three kinds of rows say something else than USD per token under ``prompt`` and ``completion``:

    * speech: USD per second of audio, or per character of text
      (https://openrouter.ai/docs/guides/overview/multimodal/stt, https://openrouter.ai/docs/guides/overview/multimodal/tts);
    * videos, songs, images and rankings at 0/0: a filler, as they are sold by the piece; a ``:free`` row means its 0
      (https://openrouter.ai/docs/api/api-reference/models/get-models);
    * embeddings: nothing that would be counted as completion comes out of them, so the 0 there is a filler.

    Args:
        model_id: the row.
        inputs, outputs: its modalities.
        pricing: as it came.

    Raises:
        ValueError, TypeError: one of the two prices cannot be read.
    """
    made = set(outputs)
    heard = inputs == ("audio",) and made == {"text"} and _is_zero(pricing, "completion")
    if (made <= _TRANSCRIPTION or heard) and not _free(model_id, pricing):
        return _BOTH, "the model transcribes audio: it is priced by the second, not by the token"
    if made <= _SPEECH and not _free(model_id, pricing):
        return _BOTH, "the model gives speech or sound: it is priced by the character or the piece, not by the token"
    if made & _TEXT and not made & _BESIDE_TEXT:
        return ("completion",) if "text" not in made and _is_zero(pricing, "completion") else (), None
    if _is_zero(pricing, "prompt") and _is_zero(pricing, "completion"):
        if model_id.endswith(":free"):
            return (), None
        return _BOTH, f"the model gives {', '.join(outputs)[:80]}, and the list does not say what that costs"
    return ("completion",) if "text" not in made and _is_zero(pricing, "completion") else (), None


_BOTH = ("prompt", "completion")


def _free(model_id: str, pricing: Mapping[str, Any]) -> bool:
    return model_id.endswith(":free") and all(_is_zero(pricing, key) for key in _BOTH)


def _is_zero(pricing: Mapping[str, Any], key: str) -> bool:
    value = pricing.get(key)
    return value is None or not money.read(value, key)
