"""The splits `published` and `clean`, as small tables `id,part,reason`.

`published` is the paper's: train and test as published, the published 600 as valid. Test pictures
with a copy in train stay, marked "twin: exact" or "twin: near"; one whose only copy there is
mirrored, "mirrored twin".

`clean` is made so that no duplicate group lies in two parts:

1. test is the published test, whole; a validation part of a source's own stays valid, less its
   copies of test pictures;
2. the published 600 are dropped: they are RAF-DB test pictures;
3. train pictures in a group with a test or valid picture are dropped;
4. a group whose train pictures carry different labels keeps those of its most frequent label, or
   none where the two most frequent are equally frequent; then train pictures of a subject of the
   test or valid pictures are dropped, where a source names subjects;
5. of equal pictures in train one is kept;
6. of sources without a validation part, about a tenth of what is left becomes valid, by whole
   groups and subjects and by a hash of the picture, so that a picture's part does not depend on
   which other sources are prepared with it;
7. train pictures that show a test or a valid picture mirrored are dropped, and valid pictures that
   show a test picture so.

The last rule came with `mirrored.csv`. Data prepared before have none and keep the first six
(`clean_rules` 1 in dataset.json, else 2). It only takes pictures away: none moves to another part.
"""

import hashlib
from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.data.dataset import TWIN
from core.data.mirrored import linked_groups, own_groups, twin_pairs
from core.data.table1 import PUBLISHED_VALID

VALID_SHARE = 0.10
COLUMNS = ["id", "part", "reason"]
PARTS = ("train", "valid", "test", "drop")
_SALT = "clean-1"


def rules_of(mirrored: pd.DataFrame | None) -> int:
    """Which rules make `clean`: 1 without the last of those at the top, 2 with it."""
    return 1 if mirrored is None else 2


def published_split(
    manifest: pd.DataFrame,
    excluded: Collection[int] = (),
    mirrored: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Parts as in the paper.

    Args:
        manifest: One row a picture, `id` equal to the row number.
        excluded: Ids on the exclude list; they become part "drop".
        mirrored: Mirrored pairs; None where nobody has looked for any.

    Returns:
        Columns id, part, reason.
    """
    part = manifest["split"].where(manifest["split"] != "unlabelled", "drop").astype(object)
    reason = pd.Series("", index=manifest.index, dtype=object)
    reason[manifest["split"] == "unlabelled"] = "unlabelled"
    in_train = part == "train"
    is_test = part == "test"
    exact = manifest["pixel_hash"].isin(set(manifest.loc[in_train, "pixel_hash"]))
    grouped = manifest["group"] >= 0
    near = grouped & manifest["group"].isin(set(manifest.loc[in_train & grouped, "group"]))
    reason[is_test & near] = f"{TWIN}near"
    reason[is_test & exact] = f"{TWIN}exact"
    turned = manifest["id"].isin(twin_pairs(manifest, mirrored, part, "train", "test")["id_b"])
    reason[is_test & turned & (reason == "")] = "mirrored twin"
    return _table(manifest, part, reason, excluded)


def clean_split(
    manifest: pd.DataFrame,
    excluded: Collection[int] = (),
    mirrored: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Parts without leaks; see the top of this file for the rules.

    Args:
        manifest: As for `published_split`.
        excluded: Ids on the exclude list; they are dropped before all else.
        mirrored: As for `published_split`.

    Returns:
        Columns id, part, reason.
    """
    part = pd.Series("train", index=manifest.index, dtype=object)
    reason = pd.Series("", index=manifest.index, dtype=object)
    part[manifest["split"] == "test"] = "test"
    _drop(part, reason, manifest["id"].isin(set(excluded)), "excluded")
    _drop(part, reason, manifest["split"] == "unlabelled", "unlabelled")
    published = manifest["source"] == PUBLISHED_VALID
    own_valid = (manifest["split"] == "valid") & ~published
    part[own_valid & (reason == "")] = "valid"
    _drop(part, reason, published, "published valid: copies of RAF-DB test pictures")

    # A group is followed even through dropped pictures: what it links is still one photograph.
    key = own_groups(manifest)
    tested = set(key[manifest["split"] == "test"])
    copies = part.isin(["train", "valid"]) & key.isin(tested)
    _drop(part, reason, copies, "copy of a test picture")
    checked = set(key[part == "valid"])
    _drop(part, reason, (part == "train") & key.isin(checked), "copy of a validation picture")
    _drop_conflicts(manifest, key, part, reason)
    if "subject" in manifest:
        key = _with_subjects(manifest, key)
        tested = set(key[manifest["split"] == "test"])
        same = part.isin(["train", "valid"]) & key.isin(tested)
        _drop(part, reason, same, "a subject of the test pictures")
        same = (part == "train") & key.isin(set(key[part == "valid"]))
        _drop(part, reason, same, "a subject of the validation pictures")
    surplus = manifest[part == "train"].duplicated("pixel_hash")
    _drop(part, reason, surplus.reindex(manifest.index, fill_value=False), "surplus exact copy")

    train = (part == "train") & ~manifest["source"].isin(set(manifest["source"][own_valid]))
    part[
        train & _chosen_for_valid(manifest[train], key[train]).reindex(part.index, fill_value=False)
    ] = "valid"
    _drop_mirrored(manifest, linked_groups(manifest, mirrored), part, reason)
    return _table(manifest, part, reason, ())


def _drop(part: pd.Series, reason: pd.Series, rows: pd.Series, why: str) -> None:
    part[rows] = "drop"
    reason[rows & (reason == "")] = why


def _drop_mirrored(
    manifest: pd.DataFrame, photograph: pd.Series, part: pd.Series, reason: pd.Series
) -> None:
    """Other copies are on one side already, so that photographs over two parts are mirrored."""
    tested = photograph.isin(set(photograph[manifest["split"] == "test"]))
    taught = part.isin(["train", "valid"])
    _drop(part, reason, taught & tested, "mirrored copy of a test picture")
    validated = photograph.isin(set(photograph[part == "valid"]))
    _drop(part, reason, (part == "train") & validated, "mirrored copy of a validation picture")


def _with_subjects(manifest: pd.DataFrame, key: pd.Series) -> pd.Series:
    """One key for all pictures that duplicates or subjects link, through however many others."""
    subject = manifest["source"] + "/" + manifest["subject"]
    named = manifest["subject"] != ""
    groups = pd.factorize(key)[0]
    subjects = pd.factorize(subject.where(named, ""))[0] + groups.max() + 1
    links = (np.ones(named.sum()), (groups[named], subjects[named]))
    size = int(subjects.max()) + 1
    return pd.Series(connected_components(coo_array(links, (size, size)))[1][groups], key.index)


def _drop_conflicts(
    manifest: pd.DataFrame, key: pd.Series, part: pd.Series, reason: pd.Series
) -> None:
    grouped = manifest[(part == "train") & (manifest["group"] >= 0)]
    for _, members in grouped.groupby(key[grouped.index]):
        counts = members["label"].value_counts()
        if len(counts) < 2:
            continue
        if counts.iloc[0] == counts.iloc[1]:
            rows, why = members.index, "contradicting labels, no majority"
        else:
            rows = members.index[members["label"] != counts.index[0]]
            why = "contradicting labels, minority"
        part.loc[rows] = "drop"
        reason.loc[rows] = why


def _chosen_for_valid(train: pd.DataFrame, key: pd.Series) -> pd.Series:
    """Which train rows become valid: a share of every source and class, whole groups.

    The hash of the picture decides, not its rank, so no other picture matters. Equal shares of
    every source and class follow by chance of the hash; the salt of each keeps them independent.
    A group goes by its first source's smallest pixel hash, for the same reason.
    """
    first = train.assign(key=key).sort_values(["id"]).groupby("key")["source"].transform("first")
    own = train.assign(key=key)[train["source"] == first.reindex(train.index)]
    heads = own.sort_values("pixel_hash").groupby("key").first()
    chosen = {
        group
        for group, pixels, source, label in zip(
            heads.index, heads["pixel_hash"], heads["source"], heads["label"], strict=True
        )
        if _fraction(f"{_SALT}/{source}/{label}/{pixels}") < VALID_SHARE
    }
    return key.isin(chosen)


def _fraction(text: str) -> float:
    """A number in [0, 1) that depends on the text only."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def _table(
    manifest: pd.DataFrame, part: pd.Series, reason: pd.Series, excluded: Collection[int]
) -> pd.DataFrame:
    _drop(part, reason, manifest["id"].isin(set(excluded)), "excluded")
    columns = {"id": manifest["id"].to_numpy(np.int64), "part": part, "reason": reason}
    return pd.DataFrame(columns)[COLUMNS]
