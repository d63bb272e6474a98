"""Characters that a database cannot keep are replaced, one for one."""

from hypothesis import given
from hypothesis import strategies as st

from api.collections.storable import clean, storable
from retrieval import Document


def test_what_cannot_be_kept_is_replaced_one_for_one():
    document = storable(Document("i", "a\0b\ud800c", "t\0", {"k": "v\0", "list": ["\0", 1]}))
    assert (document.text, document.title) == ("a\ufffdb\ufffdc", "t\ufffd")
    assert document.metadata == {"k": "v\ufffd", "list": ["\ufffd", 1]}


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_clean_texts_can_be_encoded_and_keep_their_length(text):
    assert len(clean(text)) == len(text)
    assert b"\0" not in clean(text).encode()
