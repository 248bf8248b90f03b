"""The question: MODEL... PROMPT COMPLETION, and the options that say what else a call consumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import click

from .._base.counts import read_count
from .._billing.cost import Cost
from .._billing.usage import Usage
from .completion import complete_models
from .options import COUNT, BareHelp, origin_words, read_instant, read_number
from .terminal import note

#: Option, field of ``Usage``, what it is for people, the whole that it is within, and the price key of its own.
_PARTS = (
    ("cached", "cached_tokens", "cached tokens", "prompt", "input_cache_read"),
    ("cache_write", "cache_write_tokens", "cache writes", "prompt", "input_cache_write"),
    ("audio", "audio_tokens", "audio tokens", "prompt", "audio"),
    ("reasoning", "reasoning_tokens", "reasoning tokens", "completion", "internal_reasoning"),
)
_BESIDE = {"images": "images", "searches": "web_searches"}


class Question(NamedTuple):
    """What is asked for.

    Args:
        models: as they were typed.
        usage: what a call consumes.
    """

    models: tuple[str, ...]
    usage: Usage


class QuestionCommand(BareHelp):
    """Says what is wrong with a count below zero, which looks like an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does."""
        given = tuple(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            if name[1:2].isdigit() or name[1:2] == ".":
                typed = next((word for word in given if word.startswith(name)), name)
                raise click.UsageError(f"PROMPT and COMPLETION must not be negative: {typed!r}.", ctx) from error
            raise


def read_words(context: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> tuple[Any, ...]:
    """MODEL... PROMPT COMPLETION as models and two counts.

    Raises:
        click.UsageError: one of them is missing, or is no count; the message names it.
    """
    is_named = bool(words) and not _is_count(words[0])
    rest = words[is_named:]
    given = 0
    while given < min(2, len(rest)) and "/" not in rest[-1 - given]:
        given += 1
    if len(rest) > 1 and _is_count(rest[-2]):
        given = 2  # what follows is a bad count, and no model
    missing = ([] if is_named else ["MODEL"]) + ["PROMPT", "COMPLETION"][given:]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise click.UsageError(f"Missing argument{'s' * (len(missing) > 1)} {names}.", context)
    read = []
    for name, word in (("PROMPT", words[-2]), ("COMPLETION", words[-1])):
        try:
            read.append(COUNT.convert(word, None, context))
        except click.BadParameter as error:
            raise click.BadParameter(error.message, context, param_hint=f"'{name}'") from error
    return words[:-2], *read


def _is_count(word: str) -> bool:
    return isinstance(read_count(word), int)


def words_argument(metavar: str) -> Callable[[Any], Any]:
    """The argument that ``read_words`` reads."""
    return click.argument("words", nargs=-1, metavar=metavar, callback=read_words, shell_complete=complete_models)


def usage_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say what a call consumes, and when, and at which tier it is served."""
    options = (
        click.option("--cached", type=COUNT, default=0, metavar="N", help="Prompt tokens read from a cache."),
        click.option("--cache-write", type=COUNT, default=0, metavar="N", help="Prompt tokens written to a cache."),
        click.option("--audio", type=COUNT, default=0, metavar="N", help="Prompt tokens that are audio."),
        click.option("--reasoning", type=COUNT, default=0, metavar="N", help="Completion tokens spent on reasoning."),
        click.option(
            "--images", type=COUNT, default=0, metavar="N", help="Images, where they have a price of their own."
        ),
        click.option("--searches", type=COUNT, default=0, metavar="N", help="Web searches of the model's provider."),
        click.option(
            "--markup", callback=read_number, metavar="R", help="Multiply the cost by R, not by the settings' rate."
        ),
        click.option(
            "--at",
            callback=read_instant,
            metavar="T",
            help="Time of the call, ISO 8601 with its zone; default: now.",
        ),
        click.option("--tier", metavar="NAME", help="Service tier, such as flex, priority or batch."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def asked(words: tuple[Any, ...], options: dict[str, Any]) -> Question:
    """The question that was read; its options are taken out of ``options``."""
    models, prompt, completion = words
    counts = {field: options.pop(name) for name, field, *_ in _PARTS}
    counts |= {field: options.pop(name) for name, field in _BESIDE.items()}
    return Question(models, Usage(prompt, completion, **counts))


def clamped(cost: Cost) -> list[str]:
    """The counts of which less was charged than was said, as no more was left of the prompt or the completion."""
    usage = cost.usage
    wholes = {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens}
    charged = {line.item: line.quantity for line in cost.lines}
    told = []
    for _, field, name, whole, item in _PARTS:
        count, most = getattr(usage, field), wholes[whole]
        if count > most:
            told.append(f"{count:,} {name} are more than the {most:,} {whole} tokens: no more than these are charged")
        elif charged.get(item, count) < count:
            left = charged[item]
            told.append(f"of {count:,} {name} {left:,} are charged: no more is left of the {most:,} {whole} tokens")
    return told


def told(costs: Sequence[Cost]) -> str:
    """Where the prices come from; what the reader should know of the costs beside them is said on stderr."""
    origins = dict.fromkeys((cost.source, cost.as_of) for cost in costs)
    words = dict.fromkeys(origin_words(source, as_of) for source, as_of in origins if as_of is not None)
    is_one = len({cost.model_id for cost in costs}) == 1
    notes = dict.fromkeys((cost.model_id, text) for cost in costs for text in (*_others(cost.flags), *clamped(cost)))
    for model_id, text in notes:
        note(text if is_one else f"{model_id}: {text}")
    return " ".join(words)


def _others(flags: Sequence[str]) -> list[str]:
    """The flags but for those about counts, which ``clamped`` says in the words of the command line."""
    fields = tuple(f"{field} " for _, field, *_ in _PARTS)
    return [flag for flag in flags if not flag.startswith(fields)]
