"""Makes presentations, and reads them."""

from __future__ import annotations

import io
import zipfile

from pptx import Presentation
from pptx.util import Inches

from retrieval.corpus import Remark, load_file
from retrieval.types import Document


def deck(*makers):
    presentation = Presentation()
    for layout, make in makers:
        make(presentation.slides.add_slide(presentation.slide_layouts[layout]))
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def box(slide, left, top, text, width=2, height=0.5):
    shape = slide.shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    shape.text_frame.text = text
    return shape


def run(paragraph, text, **properties):
    added = paragraph.add_run()
    added.text = text
    for name, value in properties.items():
        added._r.get_or_add_rPr().set(name, value)


def read(data, name="deck.pptx", limits=None):
    found = list(load_file(name, data, *([limits] if limits else [])))
    documents = [one for one in found if isinstance(one, Document)]
    assert len(documents) == 1, found
    return documents[0], [one for one in found if isinstance(one, Remark)]


def body(*makers):
    """The text of one slide without its heading."""
    return read(deck(*makers))[0].text.partition("\n\n")[2]


def rewritten(data, change):
    """A package whose parts went through `change(name, data)`; None takes a part out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            changed = change(name, old.read(name))
            if changed is not None:
                new.writestr(name, changed)
    return out.getvalue()


def titled(text):
    def make(slide):
        slide.shapes.title.text = text

    return make


def table(rows, merge=(), first_row=True):
    def make(slide):
        grid = slide.shapes.add_table(
            len(rows), len(rows[0]), Inches(1), Inches(2), Inches(6), Inches(2)
        ).table
        grid.first_row = first_row
        for at, row in enumerate(rows):
            for column, text in enumerate(row):
                grid.cell(at, column).text = text
        for first, last in merge:
            grid.cell(*first).merge(grid.cell(*last))

    return make
