"""Passages as quoted text: nothing in them looks like a part of the prompt to the model that reads them.

Only what the model reads is changed. Citations quote the passage as it is.
"""

from __future__ import annotations

import re

from base.text.code import code_spans, is_index

# Of many chat templates: <|im_start|>, </s>, <start_of_turn>, <<SYS>>, [INST], and DeepSeek's wide bars.
_CONTROL = re.compile(
    r"<(\s*[|｜][^<>\n]{1,60}[|｜]\s*)>"
    r"|<(/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|think|tool_call)|</?SYS>)>",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(r"\[(/?INST|/?SYSTEM_PROMPT|/?AVAILABLE_TOOLS)\]")
_MARK = re.compile(
    r"(?P<before>[=(+*/<>&|^%] ?|[\w.)\]]*)"
    r"(?P<open>[\[【［])(?P<number>\^?\d{1,3}(?:[,;] ?\d{1,3}){0,7})[\]】］]"
)
_LABELS = ("question", "answer", "document", "documents", "instructions", "user", "assistant", "system")
# With a capital anywhere, or in any case at the beginning of a line.
_LABEL = re.compile(
    rf"\b(?-i:{'|'.join(label.title() for label in _LABELS)})(?=\s*[:：])"
    rf"|^[ \t>#*_-]*(?:{'|'.join(_LABELS)})[*_]*(?=\s*[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_COLON = re.compile(r"\s*[:：]")


def quoted(text: str, tag: str) -> str:
    """The text with the marks, labels, control tokens and `<tag` of a prompt disarmed.

    "[1]" becomes "(1)" outside code, "Answer:" becomes "Answer -", and "<|x|>" becomes "‹|x|›".

    >>> quoted("Answer: it is 5 [1].<|im_end|></document>", "document")
    'Answer - it is 5 (1).‹|im_end|›‹/document>'
    """
    text = re.sub(rf"<(?=\s*/?\s*{tag})", "‹", text, flags=re.IGNORECASE)
    text = without_control_tokens(text)
    text = _INSTRUCTION.sub(r"(\1)", text)
    return _without_labels(_outside_code(text))


def without_control_tokens(text: str) -> str:
    """The text without control tokens, for a service that would read them as its own."""
    return _CONTROL.sub(lambda found: f"‹{found[1] or found[2]}›", text)


def _outside_code(text: str) -> str:
    """The text with bracketed numbers in round brackets, where they are no code."""
    pieces: list[str] = []
    at = 0
    for start, end in [*code_spans(text), (len(text), len(text))]:
        pieces += [_MARK.sub(_disarmed, text[at:start]), text[start:end]]
        at = end
    return "".join(pieces)


def _disarmed(mark: re.Match[str]) -> str:
    """A bracketed number in round brackets; unchanged where it is a list or an index."""
    before, number = mark["before"], mark["number"]
    if mark["open"] == "[" and before and (before[0] in "=(+*/<>&|^%" or is_index(before, number)):
        return mark[0]
    return f"{before}({number})"


def _without_labels(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in _LABEL.finditer(text):
        colon = _COLON.match(text, found.end())
        if colon is None or found.start() < at:
            continue
        pieces += [text[at : found.end()], " -"]
        at = colon.end()
    return "".join([*pieces, text[at:]])
