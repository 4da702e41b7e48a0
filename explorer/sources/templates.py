"""A chat template: how a model's makers write turns as one text; rendered within bounds.

A template is a small program of a stranger (Jinja). It is given the turns and the names of the
tokenizer's marks, and nothing else; it may call a closed list of filters and of methods of texts
and tables, and what it goes through and writes is counted.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from explorer.language import t
from explorer.sources.checking import read_bytes, read_json

MOST = 2**17  # characters of a template; the longest that are known have a sixth of it
_SPENT = 2**26  # characters and items that it may go through, each round costing its own length
_SECONDS = 5.0  # of a processor
_LARGEST = 2**53  # of a number
# Templates that write today's date write this one, so that equal runs give equal numbers.
TODAY = date(2024, 7, 26)
_FILTERS = "capitalize count d default dictsort escape first float int items join last length list"
_FILTERS += " lower map max min reject rejectattr replace reverse round safe select selectattr sort"
_FILTERS += " string title trim unique upper abs"
_OF_TEXTS = "capitalize count endswith find index isalnum isalpha isdigit islower isspace isupper"
_OF_TEXTS += " lower lstrip removeprefix removesuffix rfind rsplit rstrip split splitlines"
_OF_TEXTS += " startswith strip title upper replace"
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(_OF_TEXTS.split()),
    dict: frozenset(("get", "items", "keys", "values")),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
}


class RefusedError(Exception):
    """A template does not take these turns, or wants too much; it says why."""


def rendered(
    template: str, turns: Sequence[Mapping[str, str]], marks: Mapping[str, str], *, answer: bool
) -> str:
    """Turns as the text that a model was trained on.

    Args:
        template: The template.
        turns: Each with ``role`` and ``content``.
        marks: The names of the tokenizer's marks, such as ``bos_token``.
        answer: Whether the mark follows with which the assistant begins.

    Raises:
        RefusedError: The template refuses them, fails, or wants more than any needs.
    """
    if len(template) > MOST:
        raise RefusedError(t("it has more than {most} characters", most=f"{MOST:,}"))
    try:
        room = _Bounded(len(template))
        tree = _Counted().visit(room.parse(template))
        messages = [dict(turn) for turn in turns]
        given = {"messages": messages, "add_generation_prompt": answer, **marks}
        return room.from_string(tree).render(given)
    except RefusedError:
        raise
    except RecursionError as error:
        raise RefusedError(t("it calls itself without end")) from error
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise RefusedError(str(error) or type(error).__name__) from error


def template_in(folder: Path, name: str) -> str | None:
    """The chat template among a model's files, as it is; None if there is none.

    Args:
        folder: The model's files.
        name: Its shown name.

    Raises:
        ExplorerError: A file leads out of the folder, or cannot be read.
    """
    data = read_bytes(folder, "chat_template.jinja", name)
    if data is not None:
        return data.decode("utf-8", "replace")
    said = read_json(folder, "tokenizer_config.json", name)
    found = said.get("chat_template") if isinstance(said, dict) else None
    if isinstance(found, list):  # several by name: one for plain turns, one for tools
        named = [t for t in found if isinstance(t, dict) and t.get("name") == "default"]
        found = named[0].get("template") if named else None
    return found if isinstance(found, str) else None


def template_of(tokenizer: Any) -> str | None:
    """The chat template that a tokenizer in memory has; of several the one for plain turns."""
    found = getattr(tokenizer, "chat_template", None)
    found = found.get("default") if isinstance(found, dict) else found
    return found if isinstance(found, str) else None


class _Generation(Extension):
    """``{% generation %}``: where the assistant's words stand, which only a training asks."""

    tags = {"generation"}  # noqa: RUF012  # as Jinja wants it

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Bounded(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, set as Transformers sets it, where everything costs."""

    intercepted_binops = frozenset(("+", "*", "**", "%", "//", "/", "-"))

    def __init__(self, length: int) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            extensions=["jinja2.ext.loopcontrols", _Generation],
            finalize=self._written,
        )
        self._left, self._length = _SPENT, length
        self._until = time.thread_time() + _SECONDS
        known = {name: self.filters[name] for name in _FILTERS.split()}
        known |= {"tojson": _as_json, "replace": self._replaced, "join": self._joined}
        self.filters = {name: self._paid(known[name]) for name in known}
        self.filters |= {"counted": self._counted, "in_one": self._in_one}
        self.globals = {
            name: self.globals[name] for name in ("range", "dict", "namespace", "joiner", "cycler")
        }
        self.globals |= {"raise_exception": _refuse, "strftime_now": TODAY.strftime}

    def _spend(self, *what: Any) -> None:
        self._left -= sum(len(w) for w in what if isinstance(w, str | list | tuple | dict))
        if self._left < 0 or time.thread_time() > self._until:
            raise RefusedError(t("it goes through more than any conversation has"))

    def _paid(self, does: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(does)
        def paid(*given: Any, **named: Any) -> Any:
            self._spend(*given, *named.values())
            found = does(*given, **named)
            self._spend(found)
            return found

        return paid

    def _counted(self, rounds: Any) -> Iterator[Any]:
        """What a loop goes through; each round may write as much as the template is long."""
        for one in rounds:
            self._left -= self._length
            self._spend()
            yield one

    def _written(self, value: Any) -> Any:
        self._spend(value)
        return value

    def _in_one(self, parts: Iterable[Any]) -> str:
        return str(self._written("".join(map(str, parts))))

    def _replaced(self, text: Any, old: Any, new: Any, count: Any = None) -> str:
        text, old, new = str(text), str(old), str(new)
        found = text.count(old)
        most = found if count is None else min(int(count), found)
        self._check_size(len(text) + most * len(new))
        return text.replace(old, new, most)

    def _joined(self, parts: Any, between: Any = "", attribute: Any = None) -> str:
        if attribute is not None:
            raise RefusedError(t("it joins attributes"))
        texts = [str(part) for part in parts]
        self._check_size(sum(map(len, texts)) + len(texts) * len(str(between)))
        return str(between).join(texts)

    def _check_size(self, size: float) -> None:
        if size > self._left:
            raise RefusedError(t("it writes more than any conversation has"))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, known in _METHODS.items():
            if isinstance(obj, kind):
                return attr in known
        return bool(super().is_safe_attribute(obj, attr, value))

    def call(self, context: Any, called: Any, *given: Any, **named: Any) -> Any:
        self._left -= self._length
        whose = getattr(called, "__self__", None)
        self._spend(whose, *given, *named.values())
        if isinstance(whose, str) and called.__name__ == "replace":
            return self._replaced(whose, *given)
        return self._written(super().call(context, called, *given, **named))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(v) for v in (left, right) if isinstance(v, str | list | tuple)]
        plain = all(isinstance(v, int | float) for v in (left, right))
        if sizes and operator != "+":
            raise RefusedError(
                t("it takes a text or a list {operator} something", operator=operator)
            )
        if operator == "**" or (not sizes and not plain and not _undefined(left, right)):
            raise RefusedError(
                t("it calculates with {operator} what no conversation needs", operator=operator)
            )
        self._check_size(sum(sizes))
        self._spend(left, right)
        found = super().call_binop(context, operator, left, right)
        if plain and abs(found) > _LARGEST:
            raise RefusedError(t("it calculates with too large numbers"))
        return found


class _Counted(NodeTransformer):
    """Lets every loop, and what is put together with ~, be counted."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # Jinja's own name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "counted")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "in_one")


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _undefined(*values: Any) -> bool:
    return any(isinstance(value, Undefined) for value in values)


def _as_json(value: Any, indent: int | None = None, **options: Any) -> str:
    if indent is not None and not 0 <= int(indent) <= 8:
        raise RefusedError(t("it indents too far"))
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(why: Any = "") -> None:
    raise RefusedError(str(why))
