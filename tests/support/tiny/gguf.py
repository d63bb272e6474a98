"""Writes a tiny Llama as a GGUF file, the way llama.cpp does."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_gguf(checkpoint: Path, file: Path) -> None:
    """Unquantised; queries and keys are permuted from halves to pairs, as GGUF has them."""
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    config = model.config
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("tiny")
    writer.add_vocab_size(config.vocab_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    _add_tokenizer(writer, checkpoint)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
        kind = next((kind for kind in heads if kind in name), None)
        array = weight.numpy()
        if kind:
            rows, columns = array.shape
            halves = array.reshape(heads[kind], 2, rows // heads[kind] // 2, columns)
            array = np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))
        writer.add_tensor(_gguf_name(name), array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    if name == "model.embed_tokens.weight":
        return "token_embd.weight"
    if name == "model.norm.weight":
        return "output_norm.weight"
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{_NAMES[rest.removesuffix('.weight')]}.weight"


def _add_tokenizer(writer: gguf.GGUFWriter, checkpoint: Path) -> None:
    saved = json.loads((checkpoint / "tokenizer.json").read_text())
    vocabulary = saved["model"]["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    control = {token["content"] for token in saved["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in control else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in saved["model"]["merges"]])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    template = json.loads((checkpoint / "tokenizer_config.json").read_text()).get("chat_template")
    writer.add_chat_template(template or (checkpoint / "chat_template.jinja").read_text())
