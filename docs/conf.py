"""Sphinx configuration. Everything here works without a network."""

import re
import sys
from importlib import metadata
from pathlib import Path

import attrs
import django
from django.conf import settings

sys.path.insert(0, str(Path(__file__).parent / "_tools"))

project = "openrouter-pricing"
copyright = "the openrouter-pricing authors"  # Sphinx asks for it under this name
release = version = metadata.version("openrouter-pricing")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
extensions += ["metrics_list", "settings_list"]
exclude_patterns = ["_build", "examples"]
myst_heading_anchors = 2

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True  # the default of from_env() is the whole environment
napoleon_numpy_docstring = False
napoleon_use_rtype = False

# The models of the Django app can be read within a project alone.
settings.configure(INSTALLED_APPS=["openrouter_pricing.django"])
django.setup()

# No intersphinx, which needs a network: what belongs to others is named and not linked.
nitpicky = True
_BUILT_IN = "bool bytes dict float frozenset int list object str tuple KeyError TypeError ValueError"
_STANDARD = "Any Callable Decimal Iterable Iterator Literal Mapping Sequence datetime"
_FRAMEWORKS = "Flask HttpResponse URLPattern"
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|datetime|decimal|django|enum|flask|opentelemetry|pa|prometheus_client|types|typing)\..*"),
    (r"py:.*", r".*\._Frame"),
    (r"py:.*", "|".join([*_BUILT_IN.split(), *_STANDARD.split(), *_FRAMEWORKS.split()])),
]

html_theme = "furo"
html_title = f"openrouter-pricing {release}"
html_baseurl = "https://openrouter-pricing.readthedocs.io/en/latest/"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]

# What is copied are the commands: no prompts, and nothing of the answers.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False


#: Names of ours that a signature need not teach, wherever they are defined, and what is shown for them.
_SHOWN = {
    r"\bAuth\b": "Callable[[Any], bool]",
    r"\bListener\b": "Callable[[CatalogChange], object]",
    r"\bSink\b": "Callable[[dict[str, Any]], object]",
    r"\(price: _Price\)": "",
    r"(?:\w+\.)*_?money\.Number\b": "Decimal | int | str | float",
    r"\b(?:\w+\.)*PriceSource\b": "str",
    r"= _utcnow\b": "= ...",
}


def _signature(app, what, name, obj, options, signature, answer):
    """Show the fields of attrs classes as they are declared, and nothing for a protocol, which nobody calls."""
    if signature is None:
        return None
    if getattr(obj, "_is_protocol", False):
        signature = ""
    elif attrs.has(obj):
        fields = [field for field in attrs.fields(obj) if field.init and not field.name.startswith("_")]
        star = "*, " if fields[0].kw_only else ""
        signature = f"({star}{', '.join(map(_parameter, fields))})"
    for pattern, shown in _SHOWN.items():
        signature = re.sub(pattern, shown, signature)
    return signature, answer


def _parameter(field):
    if field.default is attrs.NOTHING:
        return f"{field.name}: {field.type}"
    default = "..." if isinstance(field.default, attrs.Factory) or callable(field.default) else repr(field.default)
    return f"{field.name}: {field.type} = {default}"


def setup(app):
    """Called by Sphinx."""
    written = {}

    def keep(app, what, name, obj, options, lines):
        written[name] = list(lines)

    def restore(app, what, name, obj, options, lines):
        # napoleon, which runs between the two, reads "USD: what is left" as an attribute of the type USD.
        if what in ("attribute", "property"):
            lines[:] = written[name]
        # It reads "as for :meth:`cost`" under "Raises" as the name of an error.
        lines[:] = [re.sub(r"^:raises (as for .+?):?$", r":raises: \1", line) for line in lines]

    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", restore, priority=600)
