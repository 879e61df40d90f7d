"""What networks are called on the pages."""

import json
from pathlib import Path

from webapp.checkpoints import titles


def test_no_two_networks_go_by_the_same_title(tmp_path: Path) -> None:
    for name, title in (("a", "Small"), ("b", "Twice"), ("c", "Twice"), ("d", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text(json.dumps({"title": title}))

    assert titles(sorted(tmp_path.iterdir())) == {
        "a": "Small", "b": "Twice (b)", "c": "Twice (c)", "d": "d",
    }  # fmt: skip
