"""The directive ``settings-table``: every option as the ``Settings`` class states it, so that it is typed once."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from openrouter_pricing import Settings
from openrouter_pricing.settings import variable


class SettingsTable(Directive):
    """A table of name, environment variable, default and meaning."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """The table, parsed from Markdown, as the meanings are written in it."""
        lines = ["| option | environment variable | default | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{field.name}` | `{variable(field.name)}` | {_default(field.default)} | {field.metadata['doc']} |"
            for field in attrs.fields(Settings)
        ]
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source="settings"), self.content_offset, container)
        return container.children


def _default(value: object) -> str:
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("settings-table", SettingsTable)
    return {"parallel_read_safe": True}
