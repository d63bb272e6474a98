"""PPTX: slides with their titles, lists, tables, charts, diagrams and speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from retrieval.corpus.archive import open_archive
from retrieval.corpus.blocks import Block, Heading, Note, PageStart
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.packed.office import Package
from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.slides.content import SlideContent
from retrieval.corpus.loaders.slides.names import q
from retrieval.corpus.loaders.slides.shapes import TITLES, Box, Shapes
from retrieval.corpus.loaders.slides.styles import Styles
from retrieval.corpus.loaders.slides.words import note_marks, plain_text, write_runs
from retrieval.corpus.loaders.web.inline import Inline
from retrieval.corpus.remarks import Remark, listed
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document, Metadata
from retrieval.errors import UnreadableDocument

_JUNK_TITLES = ("powerpoint presentation", "untitled", "slide 1", "präsentation", "présentation powerpoint")
_SIZE = (9_144_000, 6_858_000)


@dataclass(slots=True)
class _Deck:
    """What was read, and the numbers of slides of which something was left out."""

    blocks: list[Block] = field(default_factory=list)
    count: int = 0
    hidden: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    unseen: list[int] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=dict)


def load_slides(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document with a mark for each slide; `slides` is in the metadata.

    A slide's title is a heading, of level 1 on slides that open a presentation or a part of it; a slide
    without one is headed by its number. Shapes come in reading order, notes of the speaker after them as
    `[notes] ...`. Hidden slides and shapes, footers and pictures are left out; remarks name the slides.
    """
    with open_archive(name, data, limits) as archive:
        package = Package(name, archive)
        main = package.main()
        deck = _read(name, package, main, limits)
        title = _title(package)
    if not deck.blocks:
        raise UnreadableDocument(name, "has no slide with text")
    heads = [block for block in deck.blocks if isinstance(block, Heading)]
    title = title or next((head.text for head in heads if head.level == 1), "")
    metadata: Metadata = {"source": name, "slides": deck.count}
    yield make_document(name, write(deck.blocks), limits, title=title, metadata=metadata)
    yield from _remarks(name, deck)


def _read(name: str, package: Package, main: str, limits: LoadLimits) -> _Deck:
    root = package.xml(main)
    if root is None or root.tag != q("p:presentation"):
        raise UnreadableDocument(name, "is damaged: the list of slides is missing")
    relations = package.relations(main)
    slides = root.findall(f"{q('p:sldIdLst')}/{q('p:sldId')}")
    if len(slides) > limits.max_pages:
        raise UnreadableDocument(
            name, f"has {len(slides)} slides; at most {limits.max_pages} are read. Split it."
        )
    deck = _Deck(count=len(slides))
    size = _slide_size(root)
    for number, slide in enumerate(slides, 1):
        relation = relations.get(slide.get(q("r:id"), ""))
        try:
            page = package.xml(relation.target) if relation is not None else None
        except etree.XMLSyntaxError:
            page = None
        if page is None or relation is None:
            deck.broken.append(number)
        elif page.get("show") in ("0", "false"):
            deck.hidden.append(number)
        else:
            _read_slide(package, relation.target, page, number, size, deck)
    return deck


def _slide_size(root: Any) -> Box:
    size = root.find(q("p:sldSz"))
    values = [size.get(name, "") if size is not None else "" for name in ("cx", "cy")]
    across, down = (int(v) if v.isdecimal() else usual for v, usual in zip(values, _SIZE, strict=True))
    return Box(0, 0, across, down)


def _read_slide(package: Package, part: str, page: Any, number: int, size: Box, deck: _Deck) -> None:
    layout_part = package.related(part, "slideLayout")
    master_part = package.related(layout_part, "slideMaster") if layout_part else None
    layout = package.xml(layout_part) if layout_part else None
    styles = Styles(layout, package.xml(master_part) if master_part else None)
    shapes = Shapes(styles, size)
    tree = page.find(f"{q('p:cSld')}/{q('p:spTree')}")
    if tree is not None:
        shapes.read(tree)
    notes = note_marks(page)
    content = SlideContent(package, part, styles, notes)
    heads = [
        plain_text(body, notes) for one in shapes.shapes if one.role in TITLES for body in _bodies(one.node)
    ]
    head = " ".join(filter(None, heads))
    opens = layout is not None and layout.get("type") in ("title", "secHead")
    blocks = list(content.blocks([one for one in shapes.shapes if one.role not in TITLES]))
    blocks += [note for note in _notes(package, part) if note.text.strip()]
    if head or blocks:
        deck.blocks += [PageStart(number), Heading(head or f"Slide {number}", 1 if head and opens else 2)]
        deck.blocks += blocks
    elif content.pictures:
        deck.pictures.append(number)
    if shapes.unseen:
        deck.unseen.append(number)
    if package.related(part, "comments"):
        content.left_out.add("comments")
    for what in content.left_out:
        deck.left_out.setdefault(what, []).append(number)


def _bodies(node: Any) -> Sequence[Any]:
    return node.findall(q("p:txBody"))


def _notes(package: Package, part: str) -> Iterator[Note]:
    """The speaker's notes, paragraph by paragraph."""
    notes = package.related(part, "notesSlide")
    page = package.xml(notes) if notes else None
    if page is None:
        return
    styles = Styles(None, None)
    for shape in page.iter(q("p:sp")):
        if styles.role(shape) != "body":
            continue
        for body in _bodies(shape):
            for paragraph in body.iterfind(q("a:p")):
                line = Inline(())
                write_runs(paragraph, line)
                yield Note("notes", line.take())


def _title(package: Package) -> str:
    part = package.related("", "core-properties")
    root = package.xml(part) if part else None
    found = (node.text or "" for node in root if local(node) == "title") if root is not None else ()
    title = next(iter(found), "").strip()
    return "" if title.lower().startswith(_JUNK_TITLES) else title


def _remarks(name: str, deck: _Deck) -> Iterator[Remark]:
    if deck.broken:
        yield Remark(name, f"{listed('slide', deck.broken)} cannot be read: damaged", whole=False)
    if deck.hidden:
        verb = "is" if len(deck.hidden) == 1 else "are"
        yield Remark(name, f"{listed('slide', deck.hidden)} {verb} hidden and left out")
    if deck.unseen:
        yield Remark(
            name, f"hidden shapes and those beside the slide were left out of {listed('slide', deck.unseen)}"
        )
    if deck.pictures:
        have, what = ("has", "it") if len(deck.pictures) == 1 else ("have", "them")
        text = f"{listed('slide', deck.pictures)} {have} no text; recognise {what} (OCR)"
        yield Remark(name, text, whole=False)
    for what, slides in deck.left_out.items():
        yield Remark(name, f"{what} of {listed('slide', slides)} were left out", whole=False)
