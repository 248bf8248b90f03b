"""The bundled snapshot: what is in it, and where it is from."""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.util
import json
import logging
import pkgutil
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openrouter_pricing import Catalog, CatalogUnavailableError, Pricing, Settings, data
from openrouter_pricing.data import load_bundled

CONVERTER = Path(__file__).resolve().parents[2] / "tools" / "snapshot_from_genai_prices.py"


def packaged(name: str) -> bytes:
    """A file of the installed package's data."""
    content = pkgutil.get_data("openrouter_pricing.data", name)
    assert content is not None
    return content


@pytest.fixture(scope="module")
def bundled() -> Catalog:
    """The snapshot, loaded."""
    return load_bundled()


@pytest.fixture(scope="module")
def provenance() -> dict[str, Any]:
    """Where it is from."""
    read: dict[str, Any] = json.loads(packaged("provenance.json"))
    return read


@pytest.fixture
def converted(provenance: dict[str, Any]) -> None:
    """Skip where the snapshot was recorded from the live API instead: that one lists more."""
    if "genai-prices" not in provenance["source"]:
        pytest.skip("the snapshot is not from genai-prices")


@pytest.fixture
def converter(converted: None, provenance: dict[str, Any]) -> Any:
    """The converter's module, where it and the release that it reads are at hand."""
    pytest.importorskip("genai_prices", reason="needs the extra bench")
    if importlib.metadata.version("genai-prices") != provenance["version"]:
        pytest.skip(f"genai-prices {provenance['version']} is not installed")
    if not CONVERTER.exists():
        pytest.skip("the converter is not at hand")
    spec = importlib.util.spec_from_file_location("snapshot_from_genai_prices", CONVERTER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_what_its_provenance_says(bundled: Catalog, provenance: dict[str, Any]) -> None:
    """Date, number of models and digest agree with provenance.json, and no row was lost on the way."""
    assert datetime.fromisoformat(provenance["as_of"]) == bundled.as_of
    assert provenance["models"] == len(bundled) == len(bundled.find())
    assert provenance["digest"] == bundled.digest
    assert bundled.skipped == 0


def test_it_answers_the_first_question(bundled: Catalog) -> None:
    """The README's question has an exact answer without any network."""
    with Pricing(Settings(), catalog=bundled) as pricing:
        assert Decimal("0.00045") == pricing.cost("openai/gpt-4o-mini", 1000, 500).raw


def test_every_threshold_changes_a_price(bundled: Catalog) -> None:
    """There are rows with token thresholds, and each of them prices differently just above a threshold than at it."""
    tiered = [model for model in bundled.find() if model.rates.overrides]
    assert tiered
    with Pricing(Settings(), catalog=bundled) as pricing:
        for model in tiered:
            thresholds = [int(entry.min_prompt_tokens or 0) for entry in model.rates.overrides]
            assert sorted(set(thresholds)) == thresholds
            for threshold in thresholds:
                at, above = (pricing.cost(model.id, tokens, 0).lines[0] for tokens in (threshold, threshold + 1))
                assert (at.item, above.item) == ("prompt", "prompt")
                assert at.unit_price != above.unit_price, model.id


@pytest.mark.usefixtures("converted")
def test_no_price_is_unknown(bundled: Catalog) -> None:
    """No row is variable, and every row without a price says in its id that it is free."""
    assert [model.id for model in bundled.find() if model.rates.variable] == []
    assert [model.id for model in bundled.find() if not model.rates.paid and not model.id.endswith(":free")] == []


@pytest.mark.usefixtures("converted")
def test_every_price_is_plain(bundled: Catalog) -> None:
    """Each price is written without exponent and trailing zeros, under a key that is known, and no row holds prose."""
    for model in bundled.find():
        assert {"id", "name", "context_length", "pricing"} >= model.raw.keys()
        assert model.rates.extra == {}
        listed = dict(model.raw["pricing"])
        for prices in [listed, *listed.pop("overrides", [])]:
            for key, price in prices.items():
                if key != "min_prompt_tokens":
                    whole, _, decimals = price.partition(".")
                    assert whole.isdecimal(), price
                    assert decimals.rstrip("0") == decimals, price


def test_it_is_small() -> None:
    """The file stays below 200 KB."""
    assert len(packaged("snapshot.gz")) < 200_000


def test_loading_it_warns_once(bundled: Catalog, caplog: pytest.LogCaptureFixture) -> None:
    """Loading it logs exactly one warning, which carries its date."""
    with caplog.at_level(logging.DEBUG):
        load_bundled()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(bundled.as_of.date()) in record.getMessage()


def test_it_can_be_made_again(tmp_path: Path, provenance: dict[str, Any], converter: Any) -> None:
    """The converter makes the same catalogue and the same provenance from the release that they name."""
    converter.main([str(tmp_path / "snapshot.gz")])
    again = gzip.decompress((tmp_path / "snapshot.gz").read_bytes())
    assert gzip.decompress(packaged("snapshot.gz")) == again
    assert provenance == json.loads((tmp_path / "provenance.json").read_bytes())


def test_what_cannot_be_converted_is_refused(converter: Any) -> None:
    """A kind of price that OpenRouter's form cannot hold stops the conversion."""
    types = pytest.importorskip("genai_prices.types", reason="needs the extra bench")
    rule = types.ClauseEquals("a/b")
    plain = types.ModelPrice(input_mtok=Decimal(1))
    night = types.TimeOfDateConstraint(time(22), time(6))
    audio = types.ModelPrice(input_mtok=Decimal(1), input_audio_mtok=Decimal(2))
    for fields in (
        {"prices": audio},
        {"prices": [types.ConditionalPrice(prices=plain), types.ConditionalPrice(night, prices=plain)]},
        {"prices": plain, "price_variants": [types.PriceVariant({"service_tier": "flex"}, plain)]},
        {"prices": types.ModelPrice(input_mtok=Decimal(-1))},
    ):
        with pytest.raises(ValueError, match=r"no OpenRouter key|is no price"):
            converter.row(types.ModelInfo("a/b", rule, **fields))
    expected = {"id": "a/b", "pricing": {"prompt": "0.000001"}}
    assert expected == converter.row(types.ModelInfo("a/b", rule, prices=plain))


class Loader:
    """Gives the one file, or has none."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data

    def get_data(self, path: str) -> bytes:
        """The file."""
        if self.data is None:
            raise FileNotFoundError(path)
        return self.data


@pytest.mark.parametrize("content", [None, b"", b"garbage", gzip.compress(b"garbage", mtime=0)], ids=range(4))
def test_a_broken_installation_says_so(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    """A snapshot that is missing or damaged is an error of ours that says what to do."""
    monkeypatch.setattr(data, "_kept", [])
    monkeypatch.setattr(data.__spec__, "loader", Loader(content))
    Pricing(Settings(backend="null://"))  # which does not need it yet
    with pytest.raises(CatalogUnavailableError, match="install the package anew"):
        load_bundled()
