"""Main content of a page: which of its blocks are what a reader came for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.corpus.blocks import Block, Heading, Paragraph
from retrieval.corpus.loaders.web.attributes import Kind

_DENSE = 0.5
_RIGHTS = re.compile(
    r"(?:©|\(c\)\s|copyright\b).{0,160}|.{0,120}\ball rights reserved\b.{0,40}", re.IGNORECASE | re.DOTALL
)
_LEAST_MAIN = 20


@dataclass(slots=True)
class Region:
    """A part of a page: how much text it holds, how much of that is links, and whether the title is in it."""

    kind: Kind | None
    parent: Region | None
    text: int = 0
    links: int = 0
    has_title: bool = False
    has_main: bool = False
    in_main: bool = False
    in_article: bool = False
    left_out: bool = False

    def close(self) -> None:
        """Adds what it holds to the part around it."""
        if self.parent is not None:
            self.parent.text += self.text
            self.parent.links += self.links
            self.parent.has_title |= self.has_title
            self.parent.has_main |= self.has_main or self.kind in (Kind.MAIN, Kind.ARTICLE)


@dataclass(frozen=True, slots=True)
class Placed:
    """A block, the part of the page it stands in, its characters, and those in links."""

    block: Block
    region: Region
    text: int
    links: int


def main_blocks(placed: Sequence[Placed], regions: Sequence[Region]) -> list[Block]:
    """The blocks of the main content, in order; all blocks where nothing else would be left.

    `regions` are all of the page, outer ones first. In `<main>`, or else in `<article>` where that holds
    most of the text, if there is one; without furniture in any case.
    """
    total = regions[0].text
    for region in regions[1:]:
        _judge(region, total)
    kept = [one for one in placed if not one.region.left_out]
    kept = _within_main(kept) or _within_article(kept) or _without_links_above(kept)
    kept = [one for one in kept if not _is_rights_line(one)]
    if not any(one.text for one in kept if not isinstance(one.block, Heading)):
        return [one.block for one in placed]
    return _title(placed, kept) + [one.block for one in kept]


def _judge(region: Region, total: int) -> None:
    parent = region.parent
    region.in_main = region.kind is Kind.MAIN or (parent is not None and parent.in_main)
    region.in_article = region.kind is Kind.ARTICLE or (parent is not None and parent.in_article)
    region.left_out = (parent is not None and parent.left_out) or _is_furniture(region, total)


def _is_furniture(region: Region, total: int) -> bool:
    dense = region.links > _DENSE * max(1, region.text)
    if region.kind in (Kind.MAIN, Kind.ARTICLE) or region.kind is None:
        return False
    if region.kind is Kind.NAVIGATION:
        return not region.has_main
    if region.has_main or region.has_title:
        return False
    if region.kind is Kind.HEADER:
        return not (region.in_article or region.in_main)
    if region.kind is Kind.PERHAPS or (region.kind is Kind.ASIDE and (region.in_main or region.in_article)):
        return dense
    # Named like furniture, but nearly all there is.
    return dense or region.text < 0.6 * total


def _within_main(kept: Sequence[Placed]) -> list[Placed]:
    inside = [one for one in kept if one.region.in_main]
    return inside if sum(one.text for one in inside) >= _LEAST_MAIN else []


def _within_article(kept: Sequence[Placed]) -> list[Placed]:
    inside = [one for one in kept if one.region.in_article]
    return inside if sum(one.text for one in inside) > 0.4 * sum(one.text for one in kept) else []


def _without_links_above(kept: Sequence[Placed]) -> list[Placed]:
    """Without the blocks of links that stand above the page's first title."""
    title = next((at for at, one in enumerate(kept) if _is_title(one.block)), 0)
    above = [one for one in kept[:title] if one.links < 0.8 * max(1, one.text)]
    return [*above, *kept[title:]]


def _is_title(block: Block) -> bool:
    return isinstance(block, Heading) and block.level == 1


def _is_rights_line(one: Placed) -> bool:
    return isinstance(one.block, Paragraph) and bool(_RIGHTS.fullmatch(one.block.text.strip()))


def _title(placed: Sequence[Placed], kept: Sequence[Placed]) -> list[Block]:
    """The page's only title, where it stands outside the main content that follows."""
    titles = [one for one in placed if _is_title(one.block)]
    if len(titles) != 1 or any(one is titles[0] for one in kept) or any(_is_title(one.block) for one in kept):
        return []
    return [titles[0].block] if titles[0].region.kind in (None, Kind.HEADER) else []
