"""Applications of Flask and Django with prices of their own, and a dashboard under a prefix."""

from __future__ import annotations

import json
from pathlib import Path

#: What an application says of the process that it runs in. A worker takes its time, so that another has the next turn.
TOLD = """
import json, os, threading, time

def told(pricing):
    time.sleep(0.02)
    cost = pricing.cost("openai/gpt-4o-mini", 1)
    names = [thread.name for thread in threading.enumerate() if thread.is_alive()]
    return json.dumps({
        "pid": os.getpid(), "raw": str(cost.raw), "source": cost.source, "markup": str(cost.markup_rate),
        "warmers": names.count("openrouter-pricing-warmer"), "errors": pricing.stats().backend_errors,
    })
"""

#: Two applications in one process.
FLASK = """
import os
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from openrouter_pricing.flask import FlaskPricing, current_pricing
from told import told

prices = FlaskPricing()
prices.mount_dashboard("/prices", auth="host")
prices.mount_dashboard("/by-token", auth="a-token-of-ours", hosts=["127.0.0.1"])

def make(markup):
    app = Flask("shop")
    app.config["OPENROUTER_PRICING_MARKUP_RATE"] = markup
    prices.init_app(app)
    app.add_url_rule("/", "told", lambda: told(current_pricing))
    return app

shop, other = make("2"), make("3")
if os.environ.get("ASK_EARLY"):
    with shop.app_context():
        current_pricing.cost("openai/gpt-4o-mini", 1)
app = DispatcherMiddleware(shop, {"/other": other})
"""

SETTINGS = """
SECRET_KEY = "a-key-of-the-tests"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "openrouter_pricing.django"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3", "OPTIONS": {"timeout": 20}}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cached"}}
USE_TZ = True
"""
URLS = """
from django.http import HttpResponse
from django.urls import include, path
from openrouter_pricing.django import pricing
from openrouter_pricing.django.views import dashboard_urls
from told import told

urlpatterns = [
    path("", lambda request: HttpResponse(told(pricing))),
    path("prices/", include(dashboard_urls(auth="host"))),
    path("by-token/", include(dashboard_urls(auth="a-token-of-ours"))),
]
"""
WSGI = """
import os
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
app = get_wsgi_application()
if os.environ.get("ASK_EARLY"):
    from openrouter_pricing.django import pricing
    pricing.cost("openai/gpt-4o-mini", 1)
"""
MANAGE = """
import os, sys
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""

FRAMEWORKS = ("Flask", "Django")


def lay(folder: Path, framework: str, /, settings: str = "", **options: object) -> Path:
    """Write an application, as ``app`` in the module ``app``; of Django a project with a ``manage.py``.

    Args:
        folder: where.
        framework: one of :data:`FRAMEWORKS`.
        settings: more lines of a project's settings.
        **options: of the prices of a project.
    """
    files = {"told.py": TOLD, "app.py": FLASK if framework == "Flask" else WSGI}
    if framework == "Django":
        given = json.dumps({"MARKUP_RATE": "2", **options})
        lines = f"{SETTINGS}\nimport json\nOPENROUTER_PRICING = json.loads({given!r})\n{settings}"
        files |= {"settings.py": lines, "urls.py": URLS, "manage.py": MANAGE}
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
