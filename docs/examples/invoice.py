"""An application that shows its users what a call costs them."""

from openrouter_pricing import Pricing, UnknownModelError


def invoice_line(
    pricing: Pricing, model: str, prompt_tokens: int, completion_tokens: int
) -> str:
    """One line of an invoice."""
    try:
        cost = pricing.cost(model, prompt_tokens, completion_tokens)
    except UnknownModelError:
        return f"{model}: price on request"
    return f"{cost.model_id}: {cost.total:.6f} USD"
