"""An API whose calls are billed."""

from __future__ import annotations

import json
import os
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from openai import OpenAI

from openrouter_pricing import PricingError, UnknownModelError
from openrouter_pricing.django import pricing

from .models import Charge, Customer


def estimate(request: HttpRequest) -> JsonResponse:
    """What a call would cost."""
    asked = request.GET
    try:
        cost = pricing.cost(
            asked.get("model", ""),
            int(asked.get("prompt", 0)),
            int(asked.get("completion", 0)),
        )
    except UnknownModelError as error:
        near = list(error.suggestions)
        return JsonResponse({"error": str(error), "suggestions": near}, status=404)
    except PricingError as error:
        return JsonResponse({"error": str(error)}, status=422)
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse(cost.to_dict())


@csrf_exempt  # a key lets in, and no cookie does
@require_POST
def ask(request: HttpRequest) -> JsonResponse:
    """Ask a model, and charge the customer whose key was sent."""
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    customer = Customer.objects.filter(key=key).first()
    if customer is None:
        return JsonResponse({"error": "who is there?"}, status=401)
    response = call(json.loads(request.body)["text"])
    cost = pricing.cost_of(response)
    charge, _ = Charge.objects.get_or_create(
        response_id=response.id,
        defaults={
            "customer": customer,
            "total": round(cost.total, 12),
            "receipt": cost.to_dict(),
        },
    )
    said = response.choices[0].message.content
    return JsonResponse({"said": said, "charged": f"{charge.total:f}"})


def call(text: str) -> Any:
    """What a model says."""
    url = os.environ.get("OPENROUTER_URL", "https://openrouter.ai/api/v1")
    with OpenAI(base_url=url, api_key=os.environ["OPENROUTER_API_KEY"]) as client:
        said = [{"role": "user", "content": text}]
        return client.chat.completions.create(model="openai/gpt-4o-mini", messages=said)
