"""The files of an upload: every kind that the server reads is sent, and each other file is named."""

import os

import pytest
from excerpta._files import LazyFile, content_hash, find_files, find_folder
from excerpta.types import FormatsReply
from httpx2 import Request

FORMATS = FormatsReply(
    extensions=[".csv", ".md", ".pdf", ".txt", ".zip"],
    names=["dockerfile", "readme"],
    max_bytes=1 << 20,
    max_archive_bytes=4 << 20,
    max_files=100,
    max_upload_bytes=1 << 30,
)


@pytest.fixture
def tree(tmp_path):
    """Makes files of these names and contents."""

    def make(*names, content="x"):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return make


def names(found):
    return [file.name for file in found.files]


def reasons(found):
    return {one.name: one.reason for one in found.skipped}


def test_a_name_is_the_path_below_what_was_named(tree):
    home = tree("b/deep/two.md", "b/one.txt", "single.pdf")
    assert names(find_files([home / "b"], FORMATS)) == ["deep/two.md", "one.txt"]
    assert names(find_files([home / "single.pdf"], FORMATS)) == ["single.pdf"]
    with pytest.raises(FileNotFoundError, match="nowhere"):
        find_files([home / "nowhere"], FORMATS)


def test_the_same_name_in_two_folders_is_two_names(tree):
    home = tree("east/readme.md", "west/readme.md", "x/y/z.txt")
    assert names(find_files([home / "east", home / "west"], FORMATS)) == ["east/readme.md", "west/readme.md"]
    assert names(find_files([home / "east/readme.md", home / "west/readme.md"], FORMATS)) == [
        "east/readme.md",
        "west/readme.md",
    ]
    both = find_files([home / "x", home / "x/y/z.txt"], FORMATS)
    assert names(both) == ["y/z.txt"], "named twice, sent once"


def test_each_file_is_sent_or_named_with_the_reason(tree):
    home = tree(
        "a.txt", "B.MD", "c.exe", "README", "core", ".git/config", ".env", "sub/d.csv", "sub/Dockerfile"
    )
    (home / "big.txt").write_bytes(b"x" * (FORMATS.max_bytes + 1))
    (home / "big.zip").write_bytes(b"x" * (FORMATS.max_bytes + 1))
    (home / "loop").symlink_to(home)
    (home / "broken.txt").symlink_to(home / "nothing")
    (home / "new\nline.txt").write_text("x")
    os.mkfifo(home / "pipe.txt")
    found = find_files([home], FORMATS)
    assert names(found) == ["B.MD", "README", "a.txt", "big.zip", "sub/Dockerfile", "sub/d.csv"]
    assert reasons(found) == {
        ".git/": "is hidden",
        ".env": "is hidden",
        "core": "is of a kind that is not read (no extension)",
        "big.txt": "is larger than 1 MB, the most that is read",
        "broken.txt": "cannot be read (No such file or directory)",
        "c.exe": "is of a kind that is not read (.exe)",
        "loop/": "is a link to a folder that it is in",
        "new\ufffdline.txt": "has a name with control characters, or one that is not UTF-8",
        "pipe.txt": "is neither a file nor a folder",
    }


def test_a_file_that_is_named_is_sent_whatever_its_kind(tree):
    assert names(find_files([tree("core") / "core"], FORMATS)) == ["core"]


def test_a_linked_folder_is_followed(tree):
    home = tree("real/a.txt", "docs/b.txt")
    (home / "docs" / "more").symlink_to(home / "real")
    assert names(find_files([home / "docs"], FORMATS)) == ["b.txt", "more/a.txt"]


def test_names_of_a_folder_have_its_prefix(tree):
    home = tree("notes/a.txt", "notes/sub/b.md", "notes/.x")
    found = find_folder(home / "notes", "mine", FORMATS)
    assert names(found) == ["mine/a.txt", "mine/sub/b.md"]
    assert list(reasons(found)) == ["mine/.x"]
    with pytest.raises(NotADirectoryError):
        find_folder(home / "notes/a.txt", "mine", FORMATS)


def test_an_upload_opens_one_file_at_a_time(tree):
    home = tree(*(f"{number:02}.txt" for number in range(50)), content="content")
    files = find_files([home], FORMATS).files
    parts = [("files", (one.name, LazyFile(one))) for one in files]
    open_before = len(os.listdir("/proc/self/fd"))
    request = Request("POST", "http://x/", files=parts)
    assert len(os.listdir("/proc/self/fd")) == open_before
    body = request.read()
    assert int(request.headers["content-length"]) == len(body)
    assert body.count(b"content\r\n") == 50


def test_a_file_that_changes_while_it_is_sent(tree):
    home = tree("a.txt", content="12345678")
    (file,) = find_files([home], FORMATS).files
    (home / "a.txt").write_text("1234567890")
    assert LazyFile(file).read() == b"12345678"
    (home / "a.txt").write_text("12")
    lazy = LazyFile(file)
    assert lazy.read(4) == b"12"
    with pytest.raises(OSError, match="became shorter"):
        lazy.read(4)


def test_the_hash_of_a_content(tree):
    path = tree("a.txt", content="abc") / "a.txt"
    assert content_hash(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
