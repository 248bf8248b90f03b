"""The pages: what each of them shows, as templates take it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Request

from .._base.masking import mask
from .._prices.words import MEAN, THRESHOLDS
from . import feed, listing
from .details import details
from .figures import path_of, usd
from .queries import Query
from .refusals import Refusal
from .state import State

if TYPE_CHECKING:
    from ..history import Notifier
    from ..pricing import Pricing

_GLANCE = 6  # changes on the overview
_SAFE = "/:~@"  # of a path, as ids have them


class Pages:
    """Renders pages.

    Args:
        pricing: whose prices are shown.
        notifier: whose deliveries are shown, where there is one.
        version: of the style sheet.
    """

    def __init__(self, pricing: Pricing, notifier: Notifier | None, version: str) -> None:
        self._pricing = pricing
        self._notifier = notifier
        self._listing = listing.Listing()
        self._feed = feed.Feed()
        self._templates = Environment(
            loader=PackageLoader(__package__ or ""),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._templates.filters |= {"usd": usd, "instant": _instant, "path": path_of}
        self._templates.globals |= {"version": version}

    def root(self, request: Request) -> str:
        """What stands before each of our paths."""
        return quote(request.root_path.rstrip("/"), safe=_SAFE)

    def overview(self, request: Request, token: str) -> str:
        """How the prices are, and what changed."""
        state = State.of(self._pricing)
        outcome = Query(request.args).choice("refresh", ("done", "failed"))
        known = feed.reach(self._pricing)
        week = [] if known is None else self._feed.find(self._pricing, known, feed.Asked("", "", "7d", None))
        return self._render(
            request,
            "overview.html",
            state=state,
            rate=self._pricing._settings.markup_rate,
            outcome=outcome,
            token=token,
            reach=known,
            changed=len(week),
            glance=[feed.item(change) for change in week[:_GLANCE]],
            notices=_notices(self._notifier),
        )

    def models(self, request: Request) -> str:
        """The list."""
        state, query, root = State.of(self._pricing), Query(request.args), self.root(request)
        asked = listing.Asked.read(query)
        found = [] if state.held is None else self._listing.find(self._pricing, state.held, asked, root)
        return self._render(
            request,
            "models.html",
            state=state,
            asked=asked,
            found=found,
            providers=self._listing.providers(state.catalog, root),
            categories=listing.CATEGORIES,
            thresholds={category.value: words for category, words in THRESHOLDS.items()},
            mean=MEAN,
            marked_up=listing.marked_up(found),
            form={name: query.text(name) for name in ("in", "out", "cached", "calls")},
            sorted_by=self._sorts(asked, query),
        )

    def model(self, request: Request, name: str) -> str:
        """One model: what it costs, did cost, and whoever serves it asks."""
        state = State.of(self._pricing)
        asks = Query(request.args).choice("providers", ("ask",)) == "ask"
        shown = details(self._pricing, state, name, asks=asks)
        return self._render(request, "model.html", state=state, **shown)

    def changes(self, request: Request) -> str:
        """The feed."""
        asked, known = feed.Asked.read(Query(request.args)), feed.reach(self._pricing)
        found = [] if known is None else self._feed.find(self._pricing, known, asked)
        window = None if known is None else asked.window(known)
        return self._render(
            request,
            "changes.html",
            state=State.of(self._pricing),
            asked=asked,
            reach=known,
            window=window,
            older=""
            if known is None or window is None or window.since <= known.since
            else _older(request, window.since),
            found=len(found),
            most=feed.MOST,
            days=feed.days(found[: feed.MOST]),
            spans=feed.SPANS,
            kinds=feed.KINDS,
        )

    def refusal(self, request: Request, refusal: Refusal) -> str:
        """What is shown instead of a page; it says nothing of any price."""
        return self._render(request, "refusal.html", state=None, refusal=refusal)

    def _render(self, request: Request, template: str, **shown: Any) -> str:
        page = template.partition(".")[0]
        return self._templates.get_template(template).render(root=self.root(request), page=page, **shown)

    def _sorts(self, asked: listing.Asked, query: Query) -> dict[str, tuple[str, str]]:
        """For each heading where its link leads, and how it is sorted now, as ``aria-sort`` says it."""
        kept = {name: query.text(name) for name in ("q", "provider", "category", "in", "out", "cached", "calls")}
        links = {}
        for sort in listing.SORTS:
            is_now = sort == asked.sort
            first = "desc" if sort == "context" else "asc"
            order = first if not is_now else "asc" if asked.order == "desc" else "desc"
            chosen = {**kept, "sort": sort, "order": "" if order == first else order}
            now = "" if not is_now else "descending" if asked.order == "desc" else "ascending"
            links[sort] = urlencode({name: value for name, value in chosen.items() if value}), now
        return links


def _instant(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _older(request: Request, until: datetime) -> str:
    kept = {name: request.args.get(name, "") for name in ("model", "kind", "since")}
    return urlencode({**{name: value for name, value in kept.items() if value}, "until": f"{until:%Y-%m-%dT%H:%M:%SZ}"})


def _notices(notifier: Notifier | None) -> list[tuple[str, str]]:
    """How deliveries went in this process."""
    if notifier is None:
        return []
    stats = notifier.stats()
    counts = {
        "Delivered": stats.delivered,
        "Failed attempts": stats.failed,
        "Given up": stats.given_up,
        "Waiting": stats.pending,
    }
    found = [(name, f"{count:,}") for name, count in counts.items()]
    found += [("Receivers that want no more", ", ".join(stats.disabled))] if stats.disabled else []
    return found + ([("Last error of a delivery", mask(stats.last_error))] if stats.last_error else [])
