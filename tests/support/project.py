"""A small Django project of this process, set up once: whatever needs Django imports this first."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import django
from django.conf import settings

#: Where its database and its file cache are; no two processes share it.
FOLDER = Path(tempfile.mkdtemp(prefix=f"openrouter-pricing-{os.getpid()}-"))

_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
)
_PROCESSORS = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)

settings.configure(
    SECRET_KEY="a-key-of-the-tests",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF="support.project_urls",
    USE_TZ=True,
    STATIC_URL="static/",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django.contrib.staticfiles",
        "openrouter_pricing.django",
    ],
    MIDDLEWARE=list(_MIDDLEWARE),
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": list(_PROCESSORS)},
        }
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "db.sqlite3")}},
    CACHES={
        "default": {"BACKEND": _MEMORY},
        "database": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cached"},
        "files": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(FOLDER / "cache")},
        "nothing": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    },
)
django.setup()
