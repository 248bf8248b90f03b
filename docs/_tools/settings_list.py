"""The directive ``settings-list``: every option as the ``Settings`` class states it, so that it is typed once."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from openrouter_pricing import Settings
from openrouter_pricing.settings import variable


class SettingsList(Directive):
    """A definition list: the name, what it means, then its default and its environment variable."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """The list, parsed from Markdown, as the meanings are written in it."""
        listed = nodes.definition_list(classes=["settings"])
        for field in attrs.fields(Settings):
            name = nodes.term("", "", nodes.literal("", field.name), ids=[f"settings-{field.name.replace('_', '-')}"])
            lines = [
                field.metadata["doc"],
                "",
                f"default {_default(field.default)}, environment variable `{variable(field.name)}`",
            ]
            meaning = nodes.definition()
            self.state.nested_parse(StringList(lines, source="settings"), self.content_offset, meaning)
            listed += nodes.definition_list_item("", name, meaning)
        return [listed]


def _default(value: object) -> str:
    if value is None:
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("settings-list", SettingsList)
    return {"parallel_read_safe": True}
