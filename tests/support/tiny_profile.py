"""A profile of tiny random networks: everything runs for real, in milliseconds, and means nothing."""

from __future__ import annotations

from pathlib import Path

from tests.support.word_pieces import word_pieces

PROFILE = """
description = "Tiny random networks, for tests"

[encoder]
name = "tiny-bert"
licence = "none"
path = "bert"
dtype = "float32"

[lm]
name = "tiny-llama"
licence = "none"
path = "llama"
dtype = "float32"
"""
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
WORDS = (
    "tides are caused by the gravity of the moon and sun travel above euros is approved head finance "
    "volcanoes erupt when magma rises through crust what which who may approve passage question document"
)


def write_profile(directory: Path) -> Path:
    """Makes the checkpoints and the profile `tiny` in an empty directory; returns the profile's file."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(7)
    pieces = word_pieces(
        [WORDS, "abcdefghijklmnopqrstuvwxyz 0123456789 .,;:!?()-'\""], ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    )
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    bert = BertConfig(
        vocab_size=400,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=512,
        pad_token_id=0,
        initializer_range=0.5,
    )
    (directory / "bert").mkdir(parents=True)
    BertModel(bert, add_pooling_layer=False).eval().save_pretrained(directory / "bert")
    pieces.save(str(directory / "bert" / "tokenizer.json"))

    characters = Tokenizer(models.BPE())
    characters.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    characters.decoder = decoders.ByteLevel()
    controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    characters.train_from_iterator(
        [WORDS] * 5,
        trainers.BpeTrainer(
            vocab_size=500,
            special_tokens=controls,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    llama = LlamaConfig(
        vocab_size=500,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.3,
    )
    LlamaForCausalLM(llama).eval().save_pretrained(directory / "llama")
    fast = PreTrainedTokenizerFast(tokenizer_object=characters, eos_token="<|im_end|>", chat_template=CHAT)
    fast.save_pretrained(directory / "llama")
    (directory / "tiny.toml").write_text(PROFILE)
    return directory / "tiny.toml"
