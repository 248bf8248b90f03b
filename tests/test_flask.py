"""The Flask extension, in real applications."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, abort, render_template_string, request
from flask.json.provider import DefaultJSONProvider, JSONProvider
from flask.testing import FlaskClient
from support.upstream import Upstream, row
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as Browser

from openrouter_pricing import Pricing, SettingsError, UnknownModelError
from openrouter_pricing.dashboard.app import Dashboard
from openrouter_pricing.flask import FlaskPricing, current_pricing

PREFIX = "OPENROUTER_PRICING_"
MODEL = "openai/gpt-4o-mini"


def make(upstream: Upstream | None = None, **options: Any) -> Flask:
    """An application with options of its own and no prices yet."""
    app = Flask("shop")
    app.config.update({f"{PREFIX}{name}": value for name, value in options.items()})
    app.config.setdefault(f"{PREFIX}BACKEND", "memory://")
    if upstream is not None:
        app.config[f"{PREFIX}BASE_URL"] = upstream.url
    return app


@pytest.fixture
def app(upstream: Upstream) -> Iterator[Flask]:
    """An application with prices."""
    app = make(upstream)
    FlaskPricing(app)
    yield app
    app.extensions["openrouter_pricing"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of it."""
    return app.test_client()


def test_a_view_asks_for_a_cost(app: Flask, client: FlaskClient) -> None:
    """``current_pricing`` is the application's; a cost is written as JSON, money as strings."""

    @app.get("/cost")
    def cost() -> dict[str, Any]:
        cost = current_pricing.cost(MODEL, 1000, 500)
        return {"cost": cost, "spent": cost + cost}

    answer = client.get("/cost").get_json()
    said = answer["cost"]
    assert {"raw": "0.00090000", "total": "0.001170000", "count": 2} == answer["spent"]
    assert ("0.000585000", "live") == (said["total"], said["source"])
    with app.app_context():
        assert isinstance(current_pricing, Pricing)
        assert said == json.loads(json.dumps(current_pricing.cost(MODEL, 1000, 500).to_dict()))


def test_two_applications_have_two_prices() -> None:
    """One extension serves both, and each has the options of its own."""
    with_two, with_three = (make(MARKUP_RATE=rate, OFFLINE=True) for rate in (2, "3"))
    prices = FlaskPricing()
    for app in (with_two, with_three):
        prices.init_app(app)
    told = []
    for app in (with_two, with_three):
        with app.app_context():
            told.append(current_pricing.cost(MODEL, 1000).markup_rate)
        app.extensions["openrouter_pricing"].close()
    assert told == [2, 3]
    assert not [value for value in vars(prices).values() if isinstance(value, (Flask, Pricing))]


def test_one_application_is_given_prices_once(app: Flask) -> None:
    """Giving it some twice is an error, whichever extension does it."""
    kept = app.extensions["openrouter_pricing"]
    for again in (FlaskPricing, FlaskPricing().init_app):
        with pytest.raises(RuntimeError, match="has its prices already"):
            again(app)
    assert app.extensions["openrouter_pricing"] is kept


def test_the_configuration_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not say comes from the environment; falsy values are values."""
    for name, value in (("MARKUP_RATE", "7"), ("OFFLINE", "true"), ("WARM", "true"), ("WARN", "misspelt")):
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    app = make(MARKUP_RATE=0, WARM=False, WEBHOOK_SECRET="whsec_x")
    app.config["OPENROUTER_API_KEY"] = "sk-or-v1-hush"
    FlaskPricing(app)
    settings = app.extensions["openrouter_pricing"]._settings
    assert (0, True, False) == (settings.markup_rate, settings.offline, settings.warm)
    assert settings.api_key == "sk-or-v1-hush"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"MARKUP_RAET": 2},
            r"OPENROUTER_PRICING_MARKUP_RAET is no option; did you mean OPENROUTER_PRICING_MARKUP_RATE",
        ),
        ({"MARKUP_RATE": "much"}, "OPENROUTER_PRICING_MARKUP_RATE: cannot read 'much'"),
        ({"BACKEND": "carrier-pigeon://"}, "carrier-pigeon://"),
        ({"BACKEND": "redis://me:hush@host?decode_responses=1"}, "not decode_responses"),
    ],
)
def test_options_are_read_at_once(options: dict[str, Any], said: str) -> None:
    """What cannot be read is told where the application is made, without a secret, and leaves it as it was."""
    app = make(**options)
    with pytest.raises(SettingsError, match=said) as caught:
        FlaskPricing(app)
    assert "hush" not in str(caught.value)
    assert "openrouter_pricing" not in app.extensions


def test_a_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the environment too, unless the configuration says otherwise."""
    monkeypatch.setenv(f"{PREFIX}ATTEMPTS", "often")
    with pytest.raises(SettingsError, match="OPENROUTER_PRICING_ATTEMPTS: cannot read 'often'"):
        FlaskPricing(make())
    FlaskPricing(make(ATTEMPTS=1))


def test_without_an_application() -> None:
    """``current_pricing`` says what is missing."""
    with pytest.raises(RuntimeError, match="application context"):
        current_pricing.catalog()
    with Flask("bare").app_context(), pytest.raises(RuntimeError, match="init_app"):
        current_pricing.catalog()


def test_a_request_ends_nothing(app: Flask, client: FlaskClient) -> None:
    """Prices outlive requests and contexts; they are closed when the application is gone."""

    @app.get("/")
    def source() -> str:
        return str(current_pricing.cost(MODEL, 1).source)

    pricing = app.extensions["openrouter_pricing"]
    assert [client.get("/").text for _ in range(3)] == ["live"] * 3
    assert app.teardown_appcontext_funcs == []
    assert pricing.stats().requests == 1


def test_an_application_that_is_gone_closes_its_prices(upstream: Upstream) -> None:
    """Nothing of the extension keeps it alive."""
    app = make(upstream)
    extension = FlaskPricing(app)
    pricing = app.extensions["openrouter_pricing"]
    pricing.start_warmer()
    gone = weakref.ref(app)
    del app
    gc.collect()
    assert gone() is None
    assert not pricing.stats().warmer_alive
    assert list(extension._apps) == []


def test_filters(app: Flask) -> None:
    """Templates show amounts and prices plainly."""
    with app.test_request_context():
        shown = render_template_string(
            "{{ cost|usd }}, {{ cost.raw|usd }}, {{ model.rates.prompt|per_million }}, {{ none|usd }}",
            cost=current_pricing.cost(MODEL, 1000, 500),
            model=current_pricing.model(MODEL),
            none=None,
        )
    assert shown == "0.000585 USD, 0.00045 USD, 0.15, -"


def test_other_values_are_written_as_before(upstream: Upstream) -> None:
    """The application's own provider still writes what it knows, and refuses what it does not."""

    class Provider(DefaultJSONProvider):
        @staticmethod
        def default(value: Any) -> Any:
            return "mine" if isinstance(value, Flask) else DefaultJSONProvider.default(value)

    app = make(upstream)
    app.json = Provider(app)
    FlaskPricing(app)
    assert app.json.dumps(app) == '"mine"'
    with pytest.raises(TypeError, match="not JSON serializable"):
        app.json.dumps(object())


def test_a_provider_that_knows_no_defaults(upstream: Upstream) -> None:
    """One that has no place to say how a cost is written is left as it is."""

    class Plain(JSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return json.dumps(obj)

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return json.loads(s)

    app = make(upstream)
    app.json = Plain(app)
    FlaskPricing(app)
    assert not hasattr(app.json, "default")


def test_errors_become_answers(app: Flask, client: FlaskClient) -> None:
    """An error handler of the application sees the errors of the package as they are."""

    @app.errorhandler(UnknownModelError)
    def unknown(error: UnknownModelError) -> tuple[dict[str, Any], int]:
        return {"near": list(error.suggestions)}, 404

    @app.get("/<path:model>")
    def cost(model: str) -> dict[str, Any]:
        return current_pricing.cost(model, 1).to_dict()

    answer = client.get("/openai/gpt4o-mini")
    assert (404, {"near": [MODEL]}) == (answer.status_code, answer.get_json())


@pytest.mark.parametrize("command", ["cost", "models", "doctor", "refresh", "changes"])
def test_every_command_is_there(command: str, app: Flask) -> None:
    """``flask pricing`` has the commands that answer for an application."""
    done = app.test_cli_runner().invoke(args=["pricing", command, "--help"])
    assert done.exit_code == 0
    assert f"pricing {command}" in done.output


def test_a_command_uses_the_options_of_the_application(upstream: Upstream) -> None:
    """It prices as the application does."""
    app = make(upstream, MARKUP_RATE=2)
    FlaskPricing(app)
    done = app.test_cli_runner().invoke(args=["pricing", "cost", MODEL, "1000", "500", "--json"])
    assert done.exit_code == 0, done.output
    assert ("0.00090000", "live") == tuple(json.loads(done.output)[name] for name in ("total", "source"))


@pytest.mark.parametrize("first", [True, False], ids=["mounted first", "mounted later"])
def test_the_dashboard_is_a_part_of_the_application(first: bool, upstream: Upstream) -> None:
    """It is shown in each application of the extension, behind what runs before each request there."""
    app, prices = make(upstream), FlaskPricing()
    steps = [lambda: prices.init_app(app), lambda: prices.mount_dashboard("/staff/prices/", auth="host")]
    for step in reversed(steps) if first else steps:
        step()

    @app.before_request
    def only_staff() -> None:
        if request.headers.get("X-Staff") != "yes":
            abort(403)

    client = app.test_client()
    assert client.get("/staff/prices/").status_code == 403
    staff = {"X-Staff": "yes"}
    page = client.get("/staff/prices/", headers=staff)
    assert (200, True) == (page.status_code, "/staff/prices/models" in page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert client.get("/staff/prices", headers=staff).status_code == 308
    assert client.get("/staff/prices/healthz", headers=staff).get_json()["ok"]
    assert client.get("/staff/prices/models?q=gpt", headers=staff).status_code == 200
    assert client.get("/staff/prices/models/openai/gpt-4o-mini", headers=staff).status_code == 200
    assert client.get("/elsewhere", headers=staff).status_code == 404


def test_the_button_of_the_dashboard(upstream: Upstream) -> None:
    """It fetches, also where the application has read the form already; a form from elsewhere does not."""
    app, prices = make(upstream), FlaskPricing()
    prices.mount_dashboard("/prices", auth="token")
    prices.init_app(app)

    @app.before_request
    def reads_forms() -> None:
        assert request.form is not None

    client = app.test_client()
    assert client.get("/prices/").status_code == 401
    assert client.get("/prices/?token=token").status_code == 303
    page = client.get("/prices/").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    upstream.say(row(), row("acme/new"))
    sent = {"data": {"csrf_token": token}, "headers": {"Origin": "http://localhost"}}
    assert client.post("/prices/refresh", data={"csrf_token": token}).status_code == 403
    done = client.post("/prices/refresh", **sent)
    assert (303, "/prices/?refresh=done") == (done.status_code, done.headers["Location"])
    with app.app_context():
        assert "acme/new" in current_pricing.catalog()


def test_under_a_prefix(upstream: Upstream) -> None:
    """Where the application itself is mounted somewhere, all addresses of the dashboard say so."""
    app, prices = make(upstream), FlaskPricing()
    prices.init_app(app)
    prices.mount_dashboard(auth="token")
    client = Browser(DispatcherMiddleware(Flask("front"), {"/shop": app}))
    assert client.get("/shop/prices").location == "http://localhost/shop/prices/"
    welcome = client.get("/shop/prices/?token=token")
    assert (303, "/shop/prices/") == (welcome.status_code, welcome.location)
    assert "Path=/shop/prices;" in welcome.headers["Set-Cookie"]
    page = client.get("/shop/prices/")
    assert (200, True) == (page.status_code, '"/shop/prices/models' in page.text)
    assert client.get("/prices/").status_code == 404


def test_another_name(upstream: Upstream) -> None:
    """With ``hosts`` a page elsewhere that has its own name point here is refused."""
    app, prices = make(upstream), FlaskPricing()
    prices.init_app(app)
    prices.mount_dashboard(auth="host", hosts=["localhost"])
    client = app.test_client()
    assert client.get("/prices/").status_code == 200
    for host in ("evil.example", "localhost.evil.example", "evil.example:80"):
        assert client.get("/prices/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/prices/..", "/prices/%2e%2e/secret", "/prices//", "/prices/models/%00", "/prices/models/%ff%fe", "/prices/a\\b"],
)
def test_odd_addresses(path: str, app: Flask, client: FlaskClient) -> None:
    """They lead nowhere, and break nothing."""

    @app.get("/secret")
    def secret() -> str:
        return "secret"

    prices = FlaskPricing(make(OFFLINE=True))
    prices._apps.add(app)
    prices.mount_dashboard(auth="host")
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code in (308, 404)
    assert "secret" not in answer.text


def test_the_token_is_kept_nowhere() -> None:
    """Of a token its digest alone is held by the extension and by the application."""
    app, prices = make(OFFLINE=True), FlaskPricing()
    prices.mount_dashboard(auth="a-token-to-hush")
    prices.init_app(app)
    (view,) = (app.view_functions[name] for name in app.view_functions if name.startswith("openrouter_pricing"))
    held = [vars(prices), *(cell.cell_contents for cell in view.__closure__ or ())]
    held += [vars(each) for each in held if isinstance(each, Dashboard)]
    held += [vars(guard) for _, guard in prices._mounts]
    assert "to-hush" not in repr(held)


@pytest.mark.parametrize(
    ("path", "auth", "error"),
    [
        (None, "host", TypeError),
        ("prices", "host", ValueError),
        ("/", "host", ValueError),
        ("/<name>", "host", ValueError),
        ("/prices", "", ValueError),
        ("/prices", None, TypeError),
    ],
)
def test_a_mount_that_is_none(path: Any, auth: Any, error: type[Exception]) -> None:
    """Where it begins and who may see it are checked at once; the second has no default."""
    prices = FlaskPricing()
    with pytest.raises(error):
        prices.mount_dashboard(path, auth=auth)
    with pytest.raises(TypeError, match="auth"):
        prices.mount_dashboard("/prices")  # type: ignore[call-arg]
    assert prices._mounts == []


def test_one_address_is_given_once() -> None:
    """A second dashboard there is an error, also where no application is there yet."""
    prices = FlaskPricing()
    prices.mount_dashboard("/prices", auth="host")
    with pytest.raises(ValueError, match="path /prices shows a dashboard already"):
        prices.mount_dashboard("/prices/", auth="token")
    assert len(prices._mounts) == 1
