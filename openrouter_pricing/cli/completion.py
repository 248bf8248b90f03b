"""Shell completion: model ids from what is held, without a request and without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from ..errors import PricingError
from ..settings import Settings

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The ids that begin like ``incomplete``; none where nothing can be read."""
    from click.shell_completion import CompletionItem

    from ..pricing import Pricing

    try:
        with Pricing(attrs.evolve(Settings.from_env(), offline=True, warm=False)) as pricing:
            return [CompletionItem(model_id) for model_id in pricing.catalog() if model_id.startswith(incomplete)]
    except PricingError:
        return []
