"""The house: rooms use only the rooms before them, and importing is light."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.instrument.assets import HOSTS, MODULES, bundle, exports

ROOT = Path(__file__).parents[2]
ROOMS = [
    "errors",
    "limits",
    "once",
    "visible",
    "picture",
    "layers",
    "trace",
    "insides",
    "walk",
    "film",
    "lesson",
    "source",
    "run",
    "target",
]
ROOMS += ["scratch", "sources", "analysis", "views", "instrument", "export", "ui", "pages"]
HEAVY = {
    "sklearn": ("analysis",),
    "scipy": ("analysis",),
    "torch": ("scratch", "sources"),
    "transformers": ("sources",),
    "huggingface_hub": ("sources",),
    "streamlit": ("ui", "instrument", "pages"),
    "plotly": ("views",),
    "PIL": ("sources",),
    "psutil": ("sources",),
}
FILES = [*ROOT.glob("explorer/**/*.py"), *ROOT.glob("pages/*.py")]


def room_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] == "pages" else parts[1]


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


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
        if top == "explorer" and rest[0] in ROOMS:
            assert ROOMS.index(rest[0]) <= ROOMS.index(room), f"{room} uses {name}"
        assert room in HEAVY.get(top, (room,)), f"{room} uses {top}"


def test_importing_the_package_loads_neither_torch_nor_streamlit():
    heavy = ("torch", "transformers", "streamlit", "huggingface_hub")
    code = f"import sys, explorer; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.strip() == "[]", out.stderr


def test_every_browser_module_is_in_the_bundle_and_no_name_is_exported_twice():
    files = {p.stem for p in (ROOT / "explorer/instrument").glob("*.js")}
    assert files == {*MODULES, *HOSTS}
    names = [name for module in MODULES for name in exports(module)]
    assert len(names) == len(set(names)), sorted({n for n in names if names.count(n) > 1})
    for host in HOSTS:
        assert not re.search(r"^(import |export (?!default))", bundle(host), flags=re.MULTILINE)


def test_a_browser_module_uses_only_modules_that_stand_before_it_in_the_bundle():
    for place, module in enumerate(MODULES):
        text = (ROOT / f"explorer/instrument/{module}.js").read_text("utf-8")
        used = set(re.findall(r'^(?:import|}) .*from "./(\w+).js";', text, flags=re.MULTILINE))
        assert used <= set(MODULES[:place]), f"{module} uses what comes after it"


@pytest.mark.parametrize("host", HOSTS)
def test_a_bundle_has_every_module_that_its_modules_use(host):
    for module in (*HOSTS[host], host):
        text = (ROOT / f"explorer/instrument/{module}.js").read_text("utf-8")
        used = set(re.findall(r'^(?:import|}) .*from "./(\w+).js";', text, flags=re.MULTILINE))
        assert used <= set(HOSTS[host]), f"{module} uses {used - set(HOSTS[host])}"


def test_no_code_and_no_page_names_an_address_outside():
    allowed = ("http://www.w3.org/2000/svg", "https://arxiv.org/")
    for path in [*FILES, *ROOT.glob("explorer/**/*.js"), *ROOT.glob("explorer/**/*.css")]:
        for url in re.findall(r"https?://[^\s\"')>]+", path.read_text("utf-8")):
            assert url.startswith(allowed), f"{path.name} names {url}"
