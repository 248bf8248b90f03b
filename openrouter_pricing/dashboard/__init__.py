"""The dashboard: prices, models, changes and health as pages of a WSGI app; the extra ``dashboard``."""

from __future__ import annotations

from .app import create_app

__all__ = ["create_app"]
