"""The views of a Django project that say what calls cost."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import path

from openrouter_pricing import Pricing, PricingError, UnknownModelError

pricing = Pricing()  # one for the whole project; nothing happens until it is asked


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
        return JsonResponse(
            {"error": str(error), "suggestions": list(error.suggestions)}, status=404
        )
    except PricingError as error:
        return JsonResponse({"error": str(error)}, status=422)
    except ValueError as error:
        return JsonResponse({"error": str(error)}, status=400)
    return JsonResponse(cost.to_dict())


urlpatterns = [path("estimate", estimate)]
