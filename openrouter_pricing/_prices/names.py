"""What names mean: ids, canonical slugs, and either with a routing suffix or a preset."""

from __future__ import annotations

from collections.abc import Callable, Container

#: Suffixes that choose a route and not a price: the base row prices them.
#: https://openrouter.ai/docs/guides/routing/model-variants
_ROUTING = (":nitro", ":floor", ":exacto", ":online")
#: What follows is a preset's name, which changes parameters and not the price.
#: https://openrouter.ai/docs/guides/features/presets
_PRESET = "@preset/"
_LONGEST = 1_000  # characters of a name with its suffixes; an id has 300 at most


def resolve(name: str, ids: Container[str], slug: Callable[[str], str | None]) -> str | None:
    """The listed id that a name means: that id, then a canonical slug, then either under a suffix; None for neither.

    Args:
        name: what was asked for.
        ids: what is listed.
        slug: the listed id of a canonical slug, if it has one.
    """
    if len(name) > _LONGEST:
        return None
    while name not in ids:
        if meant := slug(name):
            return meant
        if _PRESET in name:
            name = name.partition(_PRESET)[0]
        elif name.endswith(_ROUTING):
            name = name.rpartition(":")[0]
        else:
            return None
    return name


def note_slug(slugs: dict[str, str], slug: str | None, model_id: str) -> None:
    """A slug shared by a row and its ``:free`` and ``:batch`` rows means the row without suffix."""
    if not slug or slug == model_id:
        return
    known = slugs.get(slug)
    if known is None or (":" not in model_id and (not known or ":" in known)):
        slugs[slug] = model_id
    elif ":" in known:
        slugs[slug] = ""  # shared by suffixed rows alone: which is meant cannot be known
