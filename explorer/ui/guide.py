"""The Guide: its words stand in guide.md, its pictures are of the app, its glossary is terms.json.

In guide.md a section begins with ``## Title {#anchor}``, may have one ``![what is seen](picture)``,
and ends with ``→ [label](/page?query) · …``: links into the app.
"""

import functools
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import streamlit as st

from explorer import language
from explorer.instrument.assets import terms
from explorer.language import ENGLISH
from explorer.ui import speaking
from explorer.ui.speaking import t

_HERE = Path(__file__).parent
PICTURES = _HERE / "pictures"
_TITLE = re.compile(r"^## (.+) \{#(\w+)\}$", re.MULTILINE)
_PICTURE = re.compile(r"^!\[(.+)\]\((\w+)\)$", re.MULTILINE)
_LINKS = re.compile(r"^→ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
_MARKUP = re.compile(r"([\\`*_\[\]$~<>#|])")


@dataclass(frozen=True)
class Link:
    """A place in the app.

    Attributes:
        label: What is written.
        page: The page's name; empty for Explore.
        query: What its address asks for.
    """

    label: str
    page: str
    query: Mapping[str, str]

    @property
    def address(self) -> str:
        """The address, seen from the Guide's own."""
        query = {**self.query, **speaking.in_link()}
        return f"./{self.page}?{urlencode(query, quote_via=quote)}"


@dataclass(frozen=True)
class Section:
    """A part of the Guide.

    Attributes:
        title: Its heading.
        anchor: What stands behind # in the address of the heading.
        text: Its words, as Markdown.
        picture: The name of its picture and what is seen on it, if it has one.
        links: The places in the app that it talks about.
    """

    title: str
    anchor: str
    text: str
    picture: tuple[str, str] | None
    links: tuple[Link, ...]


@functools.cache
def sections(spoken: str = ENGLISH) -> tuple[Section, ...]:
    """All sections of guide.md, in order, in a language."""
    blocks = (_HERE / "guide.md").read_text("utf-8").split("\n\n")
    said = "\n\n".join(language.say(language.t(block.strip()), spoken) for block in blocks)
    _, *parts = _TITLE.split(said)
    return tuple(_section(*parts[i : i + 3]) for i in range(0, len(parts), 3))


def _section(title: str, anchor: str, text: str) -> Section:
    picture, links = _PICTURE.search(text), _LINKS.search(text)
    return Section(
        title,
        anchor,
        _LINKS.sub("", _PICTURE.sub("", text)).strip(),
        (picture[2], picture[1]) if picture else None,
        tuple(_link(*found) for found in _LINK.findall(links[1])) if links else (),
    )


def _link(label: str, address: str) -> Link:
    where = urlsplit(address)
    return Link(label, where.path.strip("/"), dict(parse_qsl(where.query)))


def picture(name: str, scheme: str) -> Path:
    """The file of a picture, light or dark."""
    return PICTURES / f"{name}-{scheme}.png"


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a PNG file, as its head says."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


def glossary(spoken: str = ENGLISH) -> str:
    """Every term with what it says, by the alphabet of the English ones, as Markdown."""
    known = sorted(terms(spoken).items(), key=lambda item: item[0].lstrip("[√").casefold())
    lines = []
    for name, term in known:
        called = _plain(_both(name, term.get("name", name)))
        says = t("**{name}**: {says}", name=called, says=_plain(term["says"]))
        lines.append(f"- {says} [→](#{term['see']})")
    return "\n".join(lines)


def _both(name: str, said: str) -> str:
    """A term as it is called, and in English, as papers have it."""
    return name if said == name else t("{said} ({english})", said=said, english=name)


def _plain(text: str) -> str:
    """A text that Markdown shows as it is."""
    return _MARKUP.sub(r"\\\1", text)


def draw() -> None:
    """Draw the contents, all sections and the glossary."""
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    st.html(f"<style>{(_HERE / 'guide.css').read_text('utf-8')}{_ratios(scheme)}</style>")
    spoken = language.spoken()
    titles = [(s.title, s.anchor) for s in sections(spoken)] + [(t("The words"), "words")]
    contents, words = st.columns([1, 3], gap="large")
    with contents, st.container(key="contents"):
        st.markdown("\n".join(f"- [{title}](#{anchor})" for title, anchor in titles))
    with words, st.container(key="guide"):
        for section in sections(spoken):
            _draw(section, scheme)
        st.subheader(t("The words"), anchor="words")
        with st.container(key="glossary"):
            st.markdown(glossary(spoken))


def _ratios(scheme: str) -> str:
    """The shape of every picture: so nothing moves, and an anchor is met, when one arrives."""
    found = [section.picture[0] for section in sections() if section.picture]
    shapes = {name: size_of(picture(name, scheme)) for name in found}
    return "".join(
        f".st-key-picture_{name} {{ aspect-ratio: {width} / {height}; }}\n"
        for name, (width, height) in shapes.items()
    )


def _draw(section: Section, scheme: str) -> None:
    st.subheader(section.title, anchor=section.anchor)
    if section.picture:
        name, seen = section.picture
        with st.container(key=f"picture_{name}"):
            st.image(picture(name, scheme), width="stretch", output_format="PNG", alt=seen)
    st.markdown(section.text)
    if section.links:  # Streamlit opens them in a tab of their own: the Guide stays where it is
        st.markdown("→ " + " · ".join(f"[{at.label}]({at.address})" for at in section.links))
