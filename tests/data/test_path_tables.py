"""Tables of paths and labels beside the pictures they name."""

from pathlib import Path

import pytest
from made_pictures import blobs, items, png, reasons, write_folder, write_zip

from core.data import NameMap, load_dataset, prepare, read_strata, understand
from core.data.listing import Listed, list_sources
from core.data.picture_names import AMBIGUOUS, Places, common_folders
from core.errors import DataError

PICTURE = png(blobs(1))


def own(table: str, *pictures: str, name: str = "labels.csv") -> dict[str, bytes]:
    return {name: table.encode(), **dict.fromkeys(pictures, PICTURE)}


def read(path: Path) -> Listed:
    (one,) = list_sources([path], "six")
    return one


TABLES = {
    "relative": "path,label\nimages/a.jpg,happy\nimages/b.jpg,fear\n",
    "bare": "filename;emotion\na.jpg;Happy\nb.jpg;Fear\n",
    "of windows": "image,class\n.\\images\\a.jpg,happiness\n.\\images\\b.jpg,fear\n",
    "of another machine": "file\tlabel\n/home/x/faces/a.jpg\tjoy\n/home/x/faces/b.jpg\tfear\n",
    "without suffix": "image_id,expression\na,happy\nb,fear\n",
    "without header": "images/a.jpg,happy\nimages/b.jpg,fear\n",
    "with an index": ",pth,label\n0,images/a.jpg,happy\n1,images/b.jpg,fear\n",
    "with columns in German": "Nr;Datei;Klasse\n1;a.jpg;happy\n2;b.jpg;fear\n",
    "with a number beside the word": "id,file,label,name\n7,a.jpg,0,happy\n8,b.jpg,1,fear\n",
    "in capitals": "PATH,LABEL\nIMAGES/A.JPG,HAPPY\nIMAGES/B.JPG,FEAR\n",
    "with a column a class": "name,happy,sad,fear\na.jpg,1,0,0\nb.jpg,0,0,1\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
@pytest.mark.parametrize("kind", ["folder", "zip", "file"])
def test_pictures_have_the_labels_of_their_rows(tmp_path: Path, table: str, kind: str) -> None:
    files = own(table, "images/a.jpg", "images/b.jpg")
    path = tmp_path / "own.zip"
    (write_zip if kind == "zip" else write_folder)(path, files)

    one = read(path / "labels.csv" if kind == "file" else path)

    assert one.source == "table"
    assert items(one) == {
        "images/a.jpg": ("train", "happiness"),
        "images/b.jpg": ("train", "fear"),
    }
    assert not one.skips


def test_a_list_has_blanks_between_name_and_label(tmp_path: Path) -> None:
    files = own("my faces/a 1.jpg happy\n", "my faces/a 1.jpg", name="list.txt")

    assert items(read(write_folder(tmp_path / "own", files))) == {
        "my faces/a 1.jpg": ("train", "happiness")
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_names_with_umlauts_are_found(tmp_path: Path, encoding: str) -> None:
    path = write_folder(tmp_path / "own", {"Bilder/Ärger.jpg": PICTURE})
    (path / "list.csv").write_bytes("Datei;Klasse\nÄrger.jpg;anger\n".encode(encoding))

    for source in (path, path / "list.csv"):
        assert items(read(source)) == {"Bilder/Ärger.jpg": ("train", "anger")}


def test_a_column_says_the_split_else_the_table_else_the_folder(tmp_path: Path) -> None:
    files = own("path,label,split\na.jpg,happy,Validation\nb.jpg,fear,Training\n", "a.jpg", "b.jpg")
    column = read(write_folder(tmp_path / "column", files))
    files = own("path,label\na.jpg,happy\n", "a.jpg", name="my_test.csv")
    files |= own("path,label\nb.jpg,happy\n", "b.jpg", name="train_labels.csv")
    table = read(write_folder(tmp_path / "table", files))
    files = own("path,label\ntest/a.jpg,happy\ntrain/a.jpg,fear\n", "test/a.jpg", "train/a.jpg")
    folder = read(write_folder(tmp_path / "folder", files))

    assert items(column) == {"a.jpg": ("valid", "happiness"), "b.jpg": ("train", "fear")}
    assert items(table) == {"a.jpg": ("test", "happiness"), "b.jpg": ("train", "happiness")}
    assert items(folder) == {"test/a.jpg": ("test", "happiness"), "train/a.jpg": ("train", "fear")}


@pytest.mark.parametrize("name", ["group", "type", "data_split"])
def test_a_column_of_splits_is_known_by_its_cells(tmp_path: Path, name: str) -> None:
    rows = f"\n  \npath,label,{name}\na.jpg,happy,train\nb.jpg,fear,test\n"

    one = read(write_folder(tmp_path / "own", own(rows, "a.jpg", "b.jpg")))

    assert items(one) == {"a.jpg": ("train", "happiness"), "b.jpg": ("test", "fear")}
    assert {item.group for item in one.items} == {""}


def test_a_column_that_only_says_training_is_no_column_of_splits(tmp_path: Path) -> None:
    rows = "path,label,source\ntrain/a.jpg,happy,training\ntest/b.jpg,fear,training\n"

    one = read(write_folder(tmp_path / "own", own(rows, "train/a.jpg", "test/b.jpg")))

    assert {item.split for item in one.items} == {"train", "test"}


def test_words_that_a_column_of_numbers_does_not_number_are_no_labels(tmp_path: Path) -> None:
    rows = "path,label,answer\na.jpg,0,sad\nb.jpg,1,fear\nc.jpg,0,happy\nd.jpg,1,fear\n"

    one = read(write_folder(tmp_path / "own", own(rows, *(f"{name}.jpg" for name in "abcd"))))

    assert {row.word for row in one.understood.rows} == {"0", "1"}


def test_of_equal_names_the_one_in_the_tables_split_is_meant(tmp_path: Path) -> None:
    files = own("file,label\n1.jpg,happy\n", "train/1.jpg", "test/1.jpg", name="train.csv")
    files |= {"test.csv": b"file,label\n1.jpg,fear\n"}

    assert items(read(write_folder(tmp_path / "own", files))) == {
        "train/1.jpg": ("train", "happiness"),
        "test/1.jpg": ("test", "fear"),
    }


def test_everything_left_out_is_named(tmp_path: Path) -> None:
    table = "path,label\na.jpg,happy\nb.jpg,\nc.jpg,odd\ngone.jpg,fear\ntwice.jpg,fear\n"
    files = own(table, "a.jpg", "b.jpg", "c.jpg", "extra.jpg", "x/twice.jpg", "y/twice.jpg")

    one = read(write_folder(tmp_path / "own", {**files, "notes.md": b"x"}))

    assert items(one) == {"a.jpg": ("train", "happiness")}
    assert reasons(one) == {
        "b.jpg": "labels.csv gives it no label",
        "c.jpg": "label odd is not in the class set six",
        "gone.jpg": "listed in labels.csv, but there is no such picture",
        "twice.jpg": "listed in labels.csv, but several pictures have this name",
        "extra.jpg": "not listed in labels.csv",
        "x/twice.jpg": "not listed in labels.csv",
        "y/twice.jpg": "not listed in labels.csv",
        "notes.md": "not a picture",
    }


def test_a_picture_listed_twice_is_taken_once_and_never_against_itself(tmp_path: Path) -> None:
    files = own("path,label\na.jpg,happy\na.jpg,happy\nb.jpg,sad\nb.jpg,fear\n", "a.jpg", "b.jpg")
    files |= {"test.csv": b"path,label\na.jpg,happy\n"}

    one = read(write_folder(tmp_path / "own", files))

    assert items(one) == {"a.jpg": ("test", "happiness")}
    assert "different labels" in reasons(one)["b.jpg"]


def test_numbers_are_asked_unless_their_order_is_known(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "own", own("path,label\na.jpg,1\nb.jpg,2.0\n", "a.jpg", "b.jpg"))

    with pytest.raises(DataError, match=r"own gives its classes as numbers \(1, 2\).*--map 1="):
        prepare([path], tmp_path / "out")
    names = NameMap.parse(["1=surprise", "2=anger"])
    dataset = prepare([path], tmp_path / "out", names=names)
    assert dataset.manifest["label"].tolist() == ["surprise", "anger"]
    (raf,) = list_sources([f"raf_db={path}"], "six")
    assert raf.source == "raf_db"
    assert items(raf) == {"a.jpg": ("train", "surprise"), "b.jpg": ("train", "fear")}


def test_the_numbers_of_affectnets_own_lists_are_known(tmp_path: Path) -> None:
    table = "subDirectory_filePath,face_x,expression,valence\n1/a.jpg,0,3,0.5\n1/b.jpg,0,6,-1\n"
    path = write_folder(tmp_path / "own", own(table, "Manual/1/a.jpg", "Manual/1/b.jpg"))

    assert items(read(path)) == {
        "Manual/1/a.jpg": ("train", "surprise"),
        "Manual/1/b.jpg": ("train", "anger"),
    }


def test_a_split_that_nobody_knows_is_asked(tmp_path: Path) -> None:
    files = own("path,label,split\na.jpg,happy,holiday\n", "a.jpg")

    (one,) = understand([write_folder(tmp_path / "own", files)])

    assert "--split-map holiday=" in one.questions[0]


def test_a_missing_picture_is_told_where_all_are_missing(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "own", own("path,label\nx/1.jpg,happy\n", "else/2.jpg"))

    with pytest.raises(DataError, match=r"x/1\.jpg: listed in labels\.csv, but there is no such"):
        read(path)


def test_a_table_may_lead_out_of_its_folder_where_it_is_named_itself(tmp_path: Path) -> None:
    write_folder(tmp_path, {"faces/a.jpg": PICTURE, "far/b.jpg": png(blobs(2))})
    table = tmp_path / "lists" / "mine.csv"
    table.parent.mkdir()
    table.write_text(f"path,label\n../faces/a.jpg,sad\n{tmp_path}/far/b.jpg,fear\n")

    dataset = prepare([table], tmp_path / "out")

    assert dataset.manifest["label"].tolist() == ["sadness", "fear"]
    assert load_dataset(tmp_path / "out").original(1).shape == (64, 64, 3)
    before = dataset.info["request"]
    (tmp_path / "faces" / "a.jpg").write_bytes(png(blobs(3)))
    assert prepare([table], tmp_path / "out").info["request"] != before


def test_class_folders_stay_what_they_are_beside_a_table(tmp_path: Path) -> None:
    files = own("path,label\nhappy/a.jpg,happy\n", "happy/a.jpg", "sad/b.jpg")

    assert read(write_folder(tmp_path / "own", files)).source == "folder"


def test_folders_and_a_table_that_disagree_are_asked(tmp_path: Path) -> None:
    files = own("path,label\nhappy/a.jpg,sad\nsad/b.jpg,sad\n", "happy/a.jpg", "sad/b.jpg")
    path = write_folder(tmp_path / "own", files)

    with pytest.raises(DataError, match=r"disagree on 1 pictures; happy/a\.jpg is happiness by"):
        read(path)
    for name, label in (("folder", "happiness"), ("table", "sadness")):
        (one,) = list_sources([f"{name}={path}"], "six")
        assert items(one)["happy/a.jpg"] == ("train", label)


def test_subjects_stay_in_one_part_and_strata_are_kept(tmp_path: Path) -> None:
    rows, files = ["path,label,split,subject,stratum"], {}
    for number in range(60):
        files[f"{number}.png"] = png(blobs(number))
        split = "test" if number == 0 else "train"
        rows.append(f"{number}.png,{'happy' if number % 2 else 'sad'},{split},S{number % 20},dark")
    files["labels.csv"] = "\n".join(rows).encode()

    dataset = prepare([write_folder(tmp_path / "own", files)], tmp_path / "out")

    table = dataset.manifest.merge(dataset.split("clean"))
    assert set(dataset.manifest["stratum"]) == {"dark"}
    assert table.groupby("subject")["part"].agg(set).map(len).drop("S0").eq(1).all()
    assert {"train", "valid", "test"} <= set(table["part"])
    same = table[(table["subject"] == "S0") & (table["split"] == "train")]
    assert set(same["reason"]) == {"a subject of the test pictures"}
    assert len(same) == 2


def test_a_manifest_without_subjects_has_no_column_of_them(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "own", own("path,label\na.jpg,happy\n", "a.jpg"))

    assert not {"subject", "stratum"} & set(prepare([path], tmp_path / "out").manifest)


def test_shared_leading_folders_may_be_absent_and_others_not() -> None:
    places = Places.of(["images/train/1.jpg", "images/test/2.jpg"])
    names = ["/data/old/train/1.jpg", "/data/old/train/2.jpg"]
    shared = common_folders(names)

    assert shared == 3
    assert places.find(names[0], shared=shared) == "images/train/1.jpg"
    assert places.find(names[1], shared=shared) == ""  # it lies in the folder of another split
    assert places.find("other/1.jpg") == ""
    assert places.find("../1.jpg") == ""
    assert Places.of(["a/1.jpg", "b/1.jpg"]).find("1.jpg") == AMBIGUOUS


PATHS = ["a.zip!test/happy/1.jpg", "a.zip!test/sad/1.jpg", "a.zip!test/sad/2.jpg"]


def strata_file(tmp_path: Path, text: str, name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_picture_may_be_in_several_strata_and_an_empty_cell_is_none(tmp_path: Path) -> None:
    text = "name;label;condition\n2.jpg;sad;dark\n2.jpg;sad;turned\nhappy/1.jpg;happy;\n"

    found = read_strata(strata_file(tmp_path, text), PATHS)

    assert found.column == "condition"
    assert found.strata == ("dark", "turned")
    assert dict(found.members) == {PATHS[2]: {"dark", "turned"}, PATHS[0]: frozenset()}
    assert (found.names, found.missing, found.ambiguous) == (2, (), ())


def test_names_that_are_not_there_or_fit_several_pictures_are_told(tmp_path: Path) -> None:
    text = "file,stratum\n1.jpg,dark\n2.jpg,dark\n8.jpg,dark\n9.jpg,light\n"

    found = read_strata(strata_file(tmp_path, text), PATHS)

    assert list(found.members) == [PATHS[2]]
    assert (found.names, found.missing, found.ambiguous) == (4, ("8.jpg", "9.jpg"), ("1.jpg",))


def test_a_column_of_folders_tells_equal_names_apart(tmp_path: Path) -> None:
    text = "name,folder,stratum,code\n1.jpg,test/happy,dark,1\n1.jpg,test/sad,light,2\n"

    found = read_strata(strata_file(tmp_path, text), PATHS)

    assert dict(found.members) == {PATHS[0]: {"dark"}, PATHS[1]: {"light"}}


def test_the_column_left_over_or_named_is_that_of_strata(tmp_path: Path) -> None:
    text = "image,label,glasses,Skin type\n2.jpg,sad,yes,II\n"
    one = strata_file(tmp_path, "image,label,glasses\n2.jpg,sad,yes\n", "one.csv")
    two = strata_file(tmp_path, text, "two.csv")

    assert read_strata(one, PATHS).strata == ("yes",)
    assert read_strata(two, PATHS, "skin type").strata == ("II",)


MANY = "name,yaw\n" + "".join(f"2.jpg,{number}\n" for number in range(21))


@pytest.mark.parametrize(
    ("text", "column", "wanted"),
    [
        ("name,glasses,age\n2.jpg,yes,old\n", None, "several columns .*: glasses, age. Choose one"),
        ("name,label\n2.jpg,sad\n", None, "no column of strata: found name, label"),
        ("2.jpg,dark\n", None, "no column that names pictures: found 2.jpg, dark"),
        ("name,dark\n2.jpg,yes\n", "light", "no column 'light' of strata: found name, dark"),
        ("name,dark\n2.jpg,yes\n", "name", "no column 'name' of strata"),
        ("name,dark\n2.jpg,\n", None, "Column dark of list.csv has 0 different values"),
        (MANY, None, "Column yaw of list.csv has 21 different values; expected 1 to 20"),
        (
            "name,dark\n7.jpg,yes\n8.jpg,yes\n9.jpg,no\n1.jpg,no\n",
            None,
            r"of its 4 names 3 are not in the data \(7.jpg, 8.jpg\) and 1 fit several \(1.jpg\)",
        ),
    ],
)
def test_a_list_of_strata_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, column: str | None, wanted: str
) -> None:
    with pytest.raises(DataError, match=wanted):
        read_strata(strata_file(tmp_path, text), PATHS, column)


def test_a_list_of_strata_is_a_table_of_text(tmp_path: Path) -> None:
    picture = tmp_path / "list.png"
    picture.write_bytes(PICTURE)

    with pytest.raises(DataError, match=r"list\.png is no table of text"):
        read_strata(picture, PATHS)
    with pytest.raises(DataError, match=r"absent\.csv does not exist"):
        read_strata(tmp_path / "absent.csv", PATHS)
