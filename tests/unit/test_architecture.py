"""The house: rooms use only the rooms before them, and importing is light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.instrument.assets import HOSTS, bundle, exported, modules_of
from explorer.instrument.assets import imports_of as imports_of_module
from explorer.instrument.assets import read as read_module

ROOT = Path(__file__).parents[2]
ROOMS = [
    "language",
    "errors",
    "limits",
    "once",
    "visible",
    "picture",
    "headname",
    "layers",
    "cheaper",
    "trace",
    "prediction",
    "residual",
    "activations",
    "layertrace",
    "history",
    "lesson",
    "source",
    "positions",
    "edits",
    "conversation",
    "run",
    "place",
    "sampling",
    "target",
    "code",
]
ROOMS += ["scratch", "sources", "analysis", "corpus", "views", "instrument", "export", "ui"]
ROOMS += ["pages", "__main__"]
HEAVY = {
    "sklearn": ("analysis",),
    "scipy": ("analysis",),
    "torch": ("scratch", "sources", "corpus"),
    "pyarrow": ("corpus",),
    "duckdb": ("corpus",),
    "ray": ("corpus",),
    "transformers": ("sources",),
    "huggingface_hub": ("sources",),
    "streamlit": ("ui", "instrument", "pages"),
    "plotly": ("views",),
    "PIL": ("sources",),
    "psutil": ("sources",),
}
# `trace.show()` is `explorer.show(trace)`: the one way back to the face of the house.
FACE = [("trace", "explorer.show")]
FILES = [*ROOT.glob("explorer/**/*.py"), *ROOT.glob("pages/*.py")]


def room_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "pages" else parts[1]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "an import relative to its own folder hides which room it uses"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_function_is_longer_than_60_lines(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"  # biome.json holds JavaScript


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_property_holds_a_lock_while_it_is_computed(path):
    assert "functools.cached_property" not in set(imports_of(path)), "use explorer.once"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_uses_only_the_rooms_before_it(path):
    room = room_of(path)
    if path == ROOT / "explorer/__init__.py":
        return  # the face of the house may look into it
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top == "explorer":
            assert rest, "name what is used of the package, not the whole of it"
            if (room, name) in FACE:
                continue
            assert rest[0] in ROOMS, f"{rest[0]} is no room: give it its place in ROOMS"
            assert ROOMS.index(rest[0]) <= ROOMS.index(room), f"{room} uses {name}"
        assert room in HEAVY.get(top, (room,)), f"{room} uses {top}"


def test_importing_the_package_loads_neither_torch_nor_streamlit():
    heavy = ("torch", "transformers", "streamlit", "huggingface_hub")
    code = f"import sys, explorer; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr


BROWSER_ROOMS = ["wire", "numbers", "parts", "panels", "save", "pages", "hosts"]
INSTRUMENT = ROOT / "explorer/instrument"
MODULES = [p.relative_to(INSTRUMENT).with_suffix("").as_posix() for p in INSTRUMENT.glob("**/*.js")]


@pytest.mark.parametrize("module", MODULES)
def test_a_browser_room_uses_only_the_rooms_before_it(module):
    room = BROWSER_ROOMS.index(module.split("/")[0])
    used = [name for name, _ in imports_of_module(module)]
    assert [n for n in used if BROWSER_ROOMS.index(n.split("/")[0]) > room] == []
    # Every import is of a form that the bundle knows; none is left where it cannot be followed.
    assert len(used) == len(re.findall(r"^import\b", read_module(module), flags=re.MULTILINE))


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith(("wire/", "numbers/"))])
def test_numbers_know_of_no_page(module):
    found = re.search(r"\b(document|window|HTML\w*Element|Canvas\w*)\b[.(]", read_module(module))
    assert found is None, found


def test_every_browser_module_and_every_sheet_goes_to_some_host():
    used = {module for host in HOSTS for module in modules_of(host)}
    assert used == set(MODULES)
    for sheet in INSTRUMENT.glob("**/*.css"):
        assert sheet.with_suffix(".js").is_file(), f"{sheet.name} lies beside no module"


@pytest.mark.parametrize("host", HOSTS)
def test_a_bundle_is_one_text_in_which_each_module_stands_behind_what_it_uses(host):
    text = bundle(host)
    assert not re.search(r"^(import |export (?!default))", text, flags=re.MULTILINE)
    *made, own = modules_of(host)
    assert own == f"hosts/{host}"
    for module in made:
        name = module.replace("/", "_")
        assert text.index(f"const {name} = ") < text.index(f" = {name};")


@pytest.mark.parametrize(
    "line",
    [
        "export const [A, B] = both;",
        "export const { a } = one;",
        "export { a };",
        "export let a = 1;",
        "export default a;",
    ],
)
def test_what_a_bundle_would_lose_is_refused_when_it_is_made(line):
    assert exported("export const a = 1;\nexport async function f() {}\n") == ["a", "f"]
    with pytest.raises(ValueError, match="export each name by itself"):
        exported(f"const a = 1;\n{line}\n")


def test_no_code_and_no_page_names_an_address_outside():
    allowed = ("http://www.w3.org/2000/svg", "https://arxiv.org/", "https://hf-mirror.com")
    for path in [*FILES, *ROOT.glob("explorer/**/*.js"), *ROOT.glob("explorer/**/*.css")]:
        for url in re.findall(r"https?://\w[^\s\"')>]+", path.read_text("utf-8")):
            assert url.startswith(allowed), f"{path.name} names {url}"
