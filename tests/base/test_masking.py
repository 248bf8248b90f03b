"""Masking: secrets are hidden, in work that grows with the length alone."""

from __future__ import annotations

import copy
import pickle

import pytest

from openrouter_pricing._base import masking
from openrouter_pricing._base.masking import Hidden, mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to http://user:pa/ss@host/x and redis://:pw@host", "to http://***@host/x and redis://***@host"),
        ("('http://user:pw@host', 9)", "***@host', 9)"),
        ("http://a@b@c http://host/?key=pw", "http://***@c http://host/?***"),
        ("user:pw@host", "***@host"),
        ("x@http://user:pw@host", "***@host"),
        ("nothing, really", "nothing, really"),
    ],
)
def test_mask(text: str, shown: str) -> None:
    """Of each word with an @ the scheme and what follows the last @ are left; of a query nothing."""
    assert shown == mask(text)


def test_mask_looks_at_each_word_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a word without an @ is, no pattern starts anew at each of its letters."""
    looked: list[int] = []
    without_user = masking._without_user
    monkeypatch.setattr(masking, "_without_user", lambda word: looked.append(len(word[0])) or without_user(word))
    mask(f"{'a' * 600_000} {'b://' * 1000}")
    assert [600_000, 4000] == looked


def test_a_long_text_is_cut_between_words() -> None:
    """What is left of a long text ends with a whole word, so that no half of a URL shows its password."""
    assert f"{'word ' * 399}word …" == mask("word " * 400 + "http://user:pw@host")
    assert f"{'word ' * 398}word …" == mask("word " * 399 + "http://user:pw@host " + "word " * 10)
    assert " …" == mask("a" * 3000)


def test_a_hidden_text_is_the_text() -> None:
    """It compares, formats and travels as what it is, and shows as what it is not."""
    key = Hidden("secret", "'***'")
    for one in (key, copy.copy(key), copy.deepcopy(key), pickle.loads(pickle.dumps(key))):
        assert ("secret", "secret", "'***'") == (one, f"{one}", repr(one))
        assert hash("secret") == hash(one)
