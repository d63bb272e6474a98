"""The published LLMLingua-2 code on a given classifier: which words of each text it keeps, and its CPU time.

Reads {"model", "texts", "rates", "threads"} from standard input. Writes, by rate, the words of each text with
1 for kept and 0 for dropped, and the CPU seconds of all texts. Loading and one first text are not measured.
The package counts tokens with a tokenizer that it downloads. Here the classifier's own one takes its place.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import tiktoken
import torch
from llmlingua import PromptCompressor
from measure import cpu_seconds
from transformers import AutoTokenizer

WORD, LABEL = "\x1e", "\x1f"


def main() -> None:
    """Compresses every text at every rate."""
    asked = json.load(sys.stdin)
    torch.set_num_threads(asked["threads"])
    tokenizer = AutoTokenizer.from_pretrained(asked["model"])
    counting = SimpleNamespace(encode=tokenizer.tokenize)
    tiktoken.encoding_for_model = lambda name: counting
    compressor = PromptCompressor(asked["model"], device_map="cpu", use_llmlingua2=True)
    # A new vocabulary size is drawn with random rows for its forced tokens, which no text here has.
    compressor.model.eval()
    labelled(compressor, asked["texts"][0], 0.5)
    found = {}
    for rate in asked["rates"]:
        began = cpu_seconds()
        words = [labelled(compressor, text, rate) for text in asked["texts"]]
        found[str(rate)] = {"words": words, "cpu_s": cpu_seconds() - began}
    json.dump(found, sys.stdout)


def labelled(compressor: Any, text: str, rate: float) -> list[tuple[str, int]]:
    """The words of one text and their labels."""
    reply = compressor.compress_prompt_llmlingua2(
        [text], rate=rate, return_word_label=True, word_sep=WORD, label_sep=LABEL
    )
    lines = reply["fn_labeled_original_prompt"]
    pairs = (line.rpartition(LABEL) for line in lines.split(WORD)) if lines else ()
    return [(word, int(label)) for word, _, label in pairs]


if __name__ == "__main__":
    main()
