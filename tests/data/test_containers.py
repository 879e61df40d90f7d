import os
import re
import zipfile
from pathlib import Path

import pytest
from made_pictures import blobs, png, write_folder, write_zip

from core.data import containers
from core.data.containers import PICTURES, open_container, read
from core.errors import DataError


def encrypt_flags(path: Path) -> None:
    """Set the flag of encryption in all headers of a zip, as an encrypting program would."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(signature, start + 4)
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/x.png", "C:\\x.png"])
def test_a_zip_with_a_path_that_leads_out_is_refused_whole(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "evil.zip", {"happy/1.png": png(blobs(1)), name: b"x"})

    with pytest.raises(DataError, match="leads out of the archive"):
        open_container(path)


def test_a_backslash_path_that_leads_out_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "evil.zip", {"..\\evil.png": b"x"})

    with pytest.raises(DataError, match="leads out of the archive"):
        open_container(path)


def test_backslashes_in_a_zip_are_folders(tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "old.zip",
        {"train\\": b"", "train\\happy\\1.png": b"one", "train\\happy\\._1.png": b"twin"},
    )

    container = open_container(path)

    assert container.members == ("train/happy/1.png",)
    assert read(container, "train/happy/1.png") == b"one"


@pytest.mark.parametrize("names", [("a/1.png", "a\\1.png"), ("a\\1.png", "a/1.png")])
def test_a_file_under_both_spellings_is_taken_once_and_told(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    path = write_zip(tmp_path / "both.zip", {names[0]: b"one", names[1]: b"two"})

    container = open_container(path)

    assert read(container, "a/1.png") == b"one"
    assert "under another spelling" in container.skips[0].reason


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_of_one_name_in_a_zip_the_last_is_taken_and_the_other_told(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        for name, content in (("1.png", b"one"), ("1.png", b"other"), ("2.png", b"two")):
            archive.writestr(f"a/{name}", content)

    container = open_container(tmp_path / "twice.zip")

    assert container.members == ("a/1.png", "a/2.png")
    assert [read(container, member) for member in container.members] == [b"other", b"two"]
    reason = "the archive has this file twice; the last counts"
    assert container.skips == (containers.Skip("a/1.png", reason),)


def test_the_twins_that_macos_leaves_are_no_members(tmp_path: Path) -> None:
    packed = {"happy/1.png": png(blobs(1)), "happy/._1.png": b"\0\5\x16\7Mac OS X"}
    write_folder(tmp_path / "stick", packed)

    for path in (tmp_path / "stick", write_zip(tmp_path / "mac.zip", packed)):
        container = open_container(path)
        assert container.members == ("happy/1.png",)
        assert container.skips == ()


def test_every_kind_of_picture_that_can_be_read_is_a_picture() -> None:
    assert {".jfif", ".jpe", ".pgm", ".ppm", ".avif"} <= PICTURES


def test_an_archive_inside_an_archive_is_skipped_with_its_reason(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "outer.zip", {"a/inner.zip": b"PK", "happy/1.png": png(blobs(1))})

    container = open_container(path)

    assert container.members == ("happy/1.png",)
    assert [skip.path for skip in container.skips] == ["a/inner.zip"]
    assert "an archive inside" in container.skips[0].reason


def test_encrypted_members_are_skipped_with_their_reason(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "secret.zip", {"happy/1.png": png(blobs(1))})
    encrypt_flags(path)

    container = open_container(path)

    assert container.members == ()
    assert "encrypted" in container.skips[0].reason


def test_a_picture_that_unpacks_to_too_much_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("happy/bomb.png", bytes(65 * 2**20))

    container = open_container(path)

    assert container.members == ()
    assert "65 MB unpacked" in container.skips[0].reason


def test_tables_that_unpack_to_too_much_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "TABLE_BYTES", 3 * 2**20)
    files = {"a.csv": bytes(2 * 2**20), "b.txt": bytes(2 * 2**20), "c.csv": bytes(2**20)}
    path = write_zip(tmp_path / "bomb.zip", files, zipfile.ZIP_DEFLATED)

    container = open_container(path)

    assert container.members == ("a.csv", "c.csv")
    (skip,) = container.skips
    assert skip.path == "b.txt"
    assert skip.reason == "2 MB unpacked; the tables of an archive may have 3 MB together"


def test_tables_of_the_size_of_published_ones_are_read() -> None:
    assert containers.TABLE_BYTES >= 2 * 2**30  # FER2013's archive has 900 MB in four tables


def test_files_of_the_system_do_not_count(tmp_path: Path) -> None:
    files = {"__MACOSX/happy/._1.png": b"x", "happy/.DS_Store": b"x", "happy/1.png": b"x"}

    container = open_container(write_zip(tmp_path / "mac.zip", files))

    assert container.members == ("happy/1.png",)
    assert container.skips == ()


def test_links_to_files_and_folders_elsewhere_are_followed(tmp_path: Path) -> None:
    store = write_folder(tmp_path / "store", {"3.png": b"three", "deep/4.png": b"four"})
    root = write_folder(tmp_path / "root", {"happy/1.png": b"one"})
    (root / "happy" / "2.png").symlink_to(store / "3.png")
    (root / "sad").symlink_to(store, target_is_directory=True)

    container = open_container(root)

    linked = ("happy/2.png", "sad/3.png", "sad/deep/4.png")
    assert container.members == ("happy/1.png", *linked)
    assert [read(container, name) for name in linked] == [b"three", b"three", b"four"]
    assert container.linked == {
        "happy/2.png": str(store / "3.png"),
        "sad/3.png": str(store / "3.png"),
        "sad/deep/4.png": str(store / "deep" / "4.png"),
    }


def test_links_that_lead_nowhere_or_in_a_circle_are_left_out(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "root", {"happy/1.png": b"x"})
    (root / "happy" / "gone.png").symlink_to(tmp_path / "gone.png")
    (root / "happy" / "up").symlink_to(root, target_is_directory=True)
    (root / "self").symlink_to(root / "self")
    (root / "all").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(root / "pipe.png")

    container = open_container(root)

    assert container.members == ("happy/1.png",)
    reasons = {skip.path: skip.reason for skip in container.skips}
    assert reasons.pop("self").startswith("a link that cannot be followed")
    assert reasons == {
        "happy/gone.png": "a link to nothing",
        "happy/up": "a link to a folder above it",
        "all": "a link to a folder above it",
        "pipe.png": "neither a file nor a folder",
    }


def test_links_among_each_other_do_not_multiply_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "MOST_LINKS", 20)
    for number in range(12):
        folder = write_folder(tmp_path / "root" / str(number), {"1.png": b"x"})
        for name in ("a", "b"):
            (folder / name).symlink_to(tmp_path / "root" / str(number + 1))

    container = open_container(tmp_path / "root")

    assert len(container.members) == 12 + 20
    assert "after 20 others" in " ".join(skip.reason for skip in container.skips)


@pytest.mark.parametrize("kind", ["zip", "folder", "file"])
def test_only_members_can_be_opened(tmp_path: Path, kind: str) -> None:
    (tmp_path / "outside.csv").write_bytes(b"x")
    root = {
        "zip": lambda: write_zip(tmp_path / "a.zip", {"1.csv": b"abc"}),
        "folder": lambda: write_folder(tmp_path / "a", {"1.csv": b"abc"}),
        "file": lambda: write_folder(tmp_path / "a", {"1.csv": b"abc"}) / "1.csv",
    }[kind]()
    container = open_container(root)

    assert read(container, "1.csv") == b"abc"
    with pytest.raises(DataError, match="cannot be read"):
        read(container, "../outside.csv")


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    container = open_container(write_folder(tmp_path / "a", {"1.png": bytes(11)}))

    with pytest.raises(DataError, match="larger than"):
        read(container, "1.png", limit=10)


def test_a_damaged_zip_is_named_so(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "cut.zip", {"happy/1.png": png(blobs(1))})
    data = path.read_bytes()
    path.write_bytes(data[:40] + data[60:])

    with pytest.raises(DataError, match=r"cut\.zip|cannot be read"):
        read(open_container(path), "happy/1.png")


@pytest.mark.parametrize("method", [0, 8, 12, 14], ids=["stored", "deflate", "bzip2", "lzma"])
def test_a_zip_with_any_byte_changed_is_read_or_refused_in_words(
    tmp_path: Path, method: int
) -> None:
    path = write_zip(tmp_path / "a.zip", {"ä/1.png": b"one, two, three, " * 9}, method)
    whole = path.read_bytes()
    said: list[str] = []

    for place in range(len(whole)):
        for bits in (0x01, 0x80, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :])
            try:
                container = open_container(path)
                for member in container.members:
                    read(container, member)
            except DataError as error:
                said.append(str(error))

    assert len(said) > len(whole)
    advised = [re.search(r"\. (Copy|Download|It is refused|Unpack)", text) for text in said]
    assert all(advised)


@pytest.mark.parametrize("name", ["absent.zip", "notes.md"])
def test_what_is_no_source_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.md").write_text("hello")

    with pytest.raises(DataError, match=r"does not exist|neither a folder"):
        open_container(tmp_path / name)
