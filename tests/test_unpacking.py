"""Zips are unpacked within limits and nowhere else."""

import io
import zipfile
from contextlib import suppress
from pathlib import Path, PurePosixPath

import pytest

from core import unpacking
from core.errors import ImageError
from core.unpacking import unpack_pictures


def archive(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in members:
            written.writestr(name, data)
    return target.getvalue()


def test_pictures_keep_their_folders_and_content(tmp_path: Path) -> None:
    found = unpack_pictures(archive(("faces/happy/1.PNG", b"one"), ("2.jpg", b"two")), tmp_path)

    names = [path.relative_to(tmp_path).as_posix() for path in found.files]
    assert names == ["faces/happy/1.PNG", "2.jpg"]
    assert [path.read_bytes() for path in found.files] == [b"one", b"two"]
    assert found.skipped == ()


def test_other_files_are_named_with_the_reason(tmp_path: Path) -> None:
    found = unpack_pictures(
        archive(("labels.csv", b"a,b"), ("__MACOSX/._1.jpg", b"x"), (".hidden/1.jpg", b"x")),
        tmp_path,
    )

    assert found.files == ()
    assert found.skipped == (
        ("labels.csv", "it is no picture file"),
        ("__MACOSX/._1.jpg", "it is a hidden file"),
        (".hidden/1.jpg", "it is a hidden file"),
    )


@pytest.mark.parametrize(
    "name",
    ["../../evil.jpg", "/etc/evil.jpg", "..\\..\\evil.jpg", "a/../../evil.jpg", "C:/evil.jpg"],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    target = tmp_path / "inside"
    target.mkdir()

    found = unpack_pictures(archive((name, b"x")), target)

    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert everything == [path.resolve() for path in found.files]
    assert all(path.is_relative_to(target) for path in everything)


@pytest.mark.parametrize(
    "name", ["x" * 300 + ".png", "フ" * 120 + ".PNG", "d" * 280 + "/b.png", "e/" * 3000 + "b.png"]
)
def test_a_name_longer_than_disks_allow_is_cut_and_keeps_its_suffix(
    tmp_path: Path, name: str
) -> None:
    found = unpack_pictures(archive((name, b"one"), ("2.jpg", b"two")), tmp_path)

    assert [path.read_bytes() for path in found.files] == [b"one", b"two"]
    assert found.files[0].suffix == PurePosixPath(name).suffix
    assert found.files[0].name[0] == PurePosixPath(name).name[0]


def test_long_names_that_are_cut_alike_are_kept_apart(tmp_path: Path) -> None:
    names = ["x" * 300 + f"{number}.png" for number in range(12)]

    found = unpack_pictures(archive(*((name, name[-6:].encode()) for name in names)), tmp_path)

    assert [path.read_bytes().decode() for path in found.files] == [name[-6:] for name in names]


def test_backslashes_are_folders(tmp_path: Path) -> None:
    packed = archive(("faces\\", b""), ("faces\\1.png", b"one"), ("faces\\._1.png", b"twin"))

    found = unpack_pictures(packed, tmp_path)

    assert found.files == (tmp_path / "faces" / "1.png",)
    assert found.skipped == (("faces\\._1.png", "it is a hidden file"),)


def test_a_file_where_another_needs_a_folder_does_not_lose_the_others(tmp_path: Path) -> None:
    found = unpack_pictures(
        archive(("a.png", b"file"), ("a.png/b.png", b"x"), ("c.png", b"other")), tmp_path
    )

    assert [path.name for path in found.files] == ["a.png", "c.png"]
    assert "cannot be unpacked" in found.skipped[0][1]


def test_equal_names_are_kept_apart(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        packed = archive(("a.jpg", b"first"), ("a.jpg", b"second"))

    found = unpack_pictures(packed, tmp_path)

    assert [path.read_bytes() for path in found.files] == [b"first", b"second"]
    assert len(set(found.files)) == 2


def test_an_archive_that_grows_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_TOTAL", 1000)

    with pytest.raises(ImageError, match="unpacks to more than"):
        unpack_pictures(archive(("a.jpg", bytes(600)), ("b.jpg", bytes(600))), tmp_path)


def test_one_member_that_grows_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "MAX_MEMBER", 1000)

    with pytest.raises(ImageError, match="Pack fewer or smaller pictures"):
        unpack_pictures(archive(("bomb.png", bytes(2_000_000))), tmp_path)


def test_too_many_pictures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_FILES", 2)

    with pytest.raises(ImageError, match="more than 2 pictures"):
        unpack_pictures(archive(*((f"{i}.jpg", b"x") for i in range(3))), tmp_path)


def test_a_damaged_member_does_not_lose_the_others(tmp_path: Path) -> None:
    packed = bytearray(archive(("a.jpg", b"a" * 5000), ("b.jpg", b"good")))
    packed[45] ^= 0xFF  # inside the first member's data

    found = unpack_pictures(bytes(packed), tmp_path)

    assert [path.name for path in found.files] == ["b.jpg"]
    assert found.skipped[0][0] == "a.jpg"
    assert not (tmp_path / "a.jpg").exists()


def test_what_is_no_zip_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no zip archive"):
        unpack_pictures(b"hello", tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_with_any_byte_changed_gives_the_others_or_is_refused(
    tmp_path: Path, method: int
) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as written:
        for name in ("ä.png", "b.png"):
            written.writestr(name, b"one, two, three, " * 9)
    whole = target.getvalue()
    skipped = 0

    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        with suppress(ImageError):
            skipped += len(unpack_pictures(changed, tmp_path).skipped)

    assert skipped > len(whole) // 4
