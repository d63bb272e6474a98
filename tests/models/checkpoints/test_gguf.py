"""The conversion of GGUF files: exact, once, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from models.checkpoints import gguf
from models.checkpoints.fingerprint import Checksums
from models.checkpoints.gguf import MANIFEST, converted, verify
from models.errors import ModelCorrupt
from models.networks.language_model import LanguageModel
from tests.support.tiny.checkpoints import CPU
from tests.support.tiny.gguf import write_gguf

pytestmark = [pytest.mark.filterwarnings("ignore::UserWarning"), pytest.mark.long]


@pytest.fixture(scope="module")
def source(llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write_gguf(llama_dir, file)
    return file


def convert(source: Path, root: Path, dtype: torch.dtype = torch.float32, **options: object) -> Path:
    checksums = Checksums(root / "checksums.json")
    return converted(source, root, name="tiny / llama", dtype=dtype, checksums=checksums, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def done(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(source, tmp_path_factory.mktemp("data") / "models")


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    """A conversion of the test's own, below `tmp_path`."""
    shutil.copytree(done.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / done.name


def load(directory: Path) -> LanguageModel:
    return LanguageModel.load(directory, name="tiny", fingerprint="f", device=CPU, dtype=torch.float32)


def test_the_weights_and_tokens_are_the_same(llama_dir: Path, done: Path) -> None:
    original, copy = load(llama_dir), load(done)
    expected = original.model.state_dict()
    assert copy.model.state_dict().keys() == expected.keys()
    for name, weight in copy.model.state_dict().items():
        torch.testing.assert_close(weight, expected[name], rtol=0, atol=0)
    text = "Mixed CASE, naïve 😀<|im_end|>\r\n"
    assert copy.encode(text) == original.encode(text)
    chat = [{"role": "user", "content": text}]
    assert copy.chat(chat) == original.chat(chat)
    assert copy.geometry == original.geometry
    assert copy.eos_ids == original.eos_ids
    assert copy.max_positions == original.max_positions


def test_a_later_start_converts_nothing(source: Path, done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf, "_convert", pytest.fail)
    assert convert(source, done.parent) == done


def test_it_is_used_wherever_it_is_and_made_where_that_is_possible(
    source: Path, done: Path, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "name": "tiny / llama",
        "dtype": torch.float32,
        "checksums": Checksums(tmp_path / "checksums.json"),
    }
    assert converted(source, tmp_path / "new", done.parent, **options) == done
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("in the way of a directory")
    made = converted(source, tmp_path / "file" / "models", tmp_path / "second", tmp_path / "third", **options)
    assert made.parent == tmp_path / "second"
    with pytest.raises(OSError, match="file"):
        converted(source, tmp_path / "file" / "models", **options)


def test_each_dtype_has_its_own_directory(source: Path, done: Path) -> None:
    half = convert(source, done.parent, torch.bfloat16)
    assert half != done
    assert (half / "model.safetensors").stat().st_size < (done / "model.safetensors").stat().st_size


def test_progress_goes_up_to_the_end(source: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    convert(source, tmp_path, progress=lambda *step: seen.append(step))
    steps = [done for what, done, _ in seen if what == "converting tiny.gguf"]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, 100)
    assert len(set(steps)) > 10
    assert seen[0][0] == "checking tiny.gguf"


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_changed_byte_is_found(source: Path, copied: Path, tmp_path: Path, file: str) -> None:
    content = bytearray((copied / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / file).write_bytes(content)
    with pytest.raises(ModelCorrupt, match=file):
        convert(source, tmp_path)


def test_a_change_that_keeps_size_and_time_is_found_by_a_fresh_check(
    source: Path, copied: Path, tmp_path: Path
) -> None:
    checksums = Checksums(tmp_path / "checksums.json")
    verify(copied, checksums)
    file = copied / "model.safetensors"
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    verify(copied, checksums)
    with pytest.raises(ModelCorrupt, match="checksum"):
        verify(copied, checksums, fresh=True)


@pytest.mark.parametrize("content", ["", "[]", '{"files": 3}'])
def test_a_broken_manifest_is_found(source: Path, copied: Path, tmp_path: Path, content: str) -> None:
    (copied / MANIFEST).write_text(content)
    with pytest.raises(ModelCorrupt, match=MANIFEST):
        convert(source, tmp_path)


def test_a_missing_file_is_found(source: Path, copied: Path, tmp_path: Path) -> None:
    (copied / "tokenizer.json").unlink()
    with pytest.raises(ModelCorrupt, match=r"tokenizer\.json is missing"):
        convert(source, tmp_path)


@pytest.mark.parametrize("step", ["_seal", "_sync"])
def test_an_interrupted_conversion_leaves_nothing(
    source: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gguf, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            convert(source, tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    assert (convert(source, tmp_path) / MANIFEST).is_file()


_KILLED = """
import os, sys, pathlib, torch
from models.checkpoints import gguf
from models.checkpoints.fingerprint import Checksums
gguf._seal = lambda *_: os._exit(9)
root = pathlib.Path(sys.argv[2])
gguf.converted(pathlib.Path(sys.argv[1]), root, name="tiny / llama", dtype=torch.float32,
               checksums=Checksums(root / "checksums.json"))
"""


@pytest.mark.process
def test_what_a_killed_process_leaves_is_cleared_away(source: Path, tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(source), str(tmp_path)], check=False)
    assert killed.returncode == 9
    left = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(left) == 1
    assert left[0].name.endswith(".tmp")
    directory = convert(source, tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [directory]


_COUNTED = """
import sys, pathlib, torch
from models.checkpoints import gguf
from models.checkpoints.fingerprint import Checksums
convert = gguf._convert
def counted(*args):
    print("converting", flush=True)
    convert(*args)
gguf._convert = counted
root = pathlib.Path(sys.argv[2])
gguf.converted(pathlib.Path(sys.argv[1]), root, name="tiny / llama", dtype=torch.float32,
               checksums=Checksums(root / "checksums.json"))
"""


@pytest.mark.process
def test_of_two_processes_one_converts(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _COUNTED, str(source), str(tmp_path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    output = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(text.count("converting") for text in output) == 1
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1


def test_the_manifest_names_its_source(done: Path) -> None:
    manifest = json.loads((done / MANIFEST).read_text())
    assert manifest["source"] == "tiny.gguf"
    assert set(manifest["files"]) == {file.name for file in done.iterdir()} - {MANIFEST}
