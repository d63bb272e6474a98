"""What an element's attributes say: hidden, furniture of the site, or main content."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum


class Kind(Enum):
    """What a part of a page is. PERHAPS is furniture only if it is mostly links."""

    MAIN = "main"
    ARTICLE = "article"
    HEADER = "header"
    FOOTER = "footer"
    ASIDE = "aside"
    NAVIGATION = "navigation"
    FURNITURE = "furniture"
    PERHAPS = "perhaps"


_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|(?:left|top|right|text-indent|margin-left|margin-top)\s*:\s*-\d{3,}(?:px|em|rem|%)?"
    r"|font-size\s*:\s*(?:0(?:\.0+)?(?:px|pt|em|rem|%)?|[01]?(?:\.\d+)?(?:px|pt))\s*(?:;|!|$)"
    r"|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]|clip-path\s*:\s*inset\(\s*(?:50|100)%"
    r"|(?:^|;|\s)color\s*:\s*transparent",
    re.IGNORECASE,
)
_FADED = re.compile(r"opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)", re.IGNORECASE)
_MOVED = re.compile(r"transform|transition|animation", re.IGNORECASE)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_GROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_STRUCK = re.compile(r"text-decoration[\w-]*\s*:[^;]*line-through", re.IGNORECASE)
_RAISED = re.compile(r"vertical-align\s*:\s*(?:super|text-top)", re.IGNORECASE)
_LOWERED = re.compile(r"vertical-align\s*:\s*(?:sub|text-bottom)", re.IGNORECASE)
_UNSEEN_CLASS = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text|-only)?|u-hidden-visually|skip-?(?:link|nav|to-\w+))(?:\s|$)"
)
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])")

_ROLES = {
    "main": Kind.MAIN,
    "article": Kind.ARTICLE,
    "banner": Kind.HEADER,
    "complementary": Kind.ASIDE,
    "contentinfo": Kind.FOOTER,
    "navigation": Kind.NAVIGATION,
} | dict.fromkeys(
    ["search", "dialog", "alertdialog", "menu", "menubar", "toolbar", "tablist", "doc-toc"], Kind.FURNITURE
)
_TAGS = {
    "main": Kind.MAIN,
    "article": Kind.ARTICLE,
    "header": Kind.HEADER,
    "footer": Kind.FOOTER,
    "aside": Kind.ASIDE,
    "nav": Kind.NAVIGATION,
    "menu": Kind.PERHAPS,
}
# Elements whose class or id says what they are; a heading's id is made of its words.
_NAMED = frozenset(["div", "section", "aside", "ul", "ol", "p", "form", "span", "table", "td", "dl"])
_IDS = frozenset(["div", "aside", "ul", "form", "table", "td"])


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_FURNITURE = _words(
    "navbar navigation sidenav breadcrumb breadcrumbs cookie cookies consent gdpr newsletter subscribe "
    "sharing pagination pager skiplink advertisement adsbygoogle masthead sharedaddy addtoany"
)
_PERHAPS = _words(
    "nav menu sidebar toc links tags promo toolbar topbar widget related recommended share social "
    "comments submenu dropdown tabs languages meta"
)


def is_hidden(tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether a reader of the page does not see the element."""
    if not attributes:
        return tag == "dialog"
    if "hidden" in attributes and attributes["hidden"].lower() != "until-found":
        return True
    if attributes.get("aria-hidden", "").lower() == "true" or (tag == "dialog" and "open" not in attributes):
        return True
    style = attributes.get("style", "")
    return bool(style and _hides(style)) or bool(_UNSEEN_CLASS.search(attributes.get("class", "").lower()))


def is_struck(attributes: Mapping[str, str]) -> bool:
    """Whether its text is struck out by style."""
    return bool(_STRUCK.search(attributes.get("style", "")))


def is_raised(attributes: Mapping[str, str]) -> bool:
    """Whether an element's own style raises it."""
    return bool(_RAISED.search(attributes.get("style", "")))


def is_lowered(attributes: Mapping[str, str]) -> bool:
    """Whether an element's own style lowers it."""
    return bool(_LOWERED.search(attributes.get("style", "")))


def kind_of(tag: str, attributes: Mapping[str, str]) -> Kind | None:
    """Which part of a page the element is; None for one like any other.

    >>> kind_of("div", {"class": "site-nav breadcrumbs"}), kind_of("h2", {"id": "cookies"})
    (<Kind.FURNITURE: 'furniture'>, None)
    """
    role = attributes.get("role", "").lower()
    if role in ("doc-endnotes", "doc-footnote", "note"):
        return None
    found = _ROLES.get(role) or _TAGS.get(tag)
    if found is not None and found is not Kind.ASIDE:
        return found
    named = _kind_by_name(tag, attributes) if tag in _NAMED else None
    return named or found


def _kind_by_name(tag: str, attributes: Mapping[str, str]) -> Kind | None:
    names = attributes.get("class", "") + (" " + attributes.get("id", "") if tag in _IDS else "")
    words = frozenset(word.lower() for word in _SPLIT.split(names)) if names.strip() else frozenset()
    if words & _FURNITURE:
        return Kind.FURNITURE
    if "footer" in words:
        return Kind.FOOTER
    if words & _PERHAPS:
        # What is related to an aside's subject stands beside it.
        return (
            Kind.FURNITURE if tag == "aside" and words & {"related", "recommended", "share"} else Kind.PERHAPS
        )
    return None


def _hides(style: str) -> bool:
    if _HIDING.search(style):
        return True
    if _FADED.search(style) and not _MOVED.search(style):
        # With a transform it is only the first picture of an animation.
        return True
    colour, ground = _COLOUR.search(style), _GROUND.search(style)
    return colour is not None and ground is not None and _plain(colour[1]) == _plain(ground[1])


def _plain(colour: str) -> str:
    """One spelling for black and white, and for #abc and #aabbcc."""
    name = re.sub(r"\s+", "", colour.lower())
    if re.fullmatch(r"#[0-9a-f]{3}", name):
        name = "#" + "".join(digit * 2 for digit in name[1:])
    if found := re.fullmatch(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,1)?\)", name):
        name = "#" + "".join(f"{int(part):02x}" for part in found.groups())
    return {"white": "#ffffff", "black": "#000000"}.get(name, name)
