"""Damaged and foreign run folders: pages say what is wrong with one, and show all others."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.training import RunConfig, add_run


def test_pages_live_with_damaged_folders_and_say_why(
    app: AppTest, made_checkpoint: Callable[..., Path], own_runs: Path
) -> None:
    made_checkpoint("sound")
    (made_checkpoint("strange") / "card.json").write_bytes(b'{"model": "gimefive", "title": 5}')
    add_run(own_runs, "good", RunConfig())
    bad = add_run(own_runs, "bad", RunConfig())
    (bad.path / "status.json").write_text('{"state": "finished", "time": null}')
    (bad.path / "metrics.jsonl").write_text('5\n{"epoch": 1}\n')

    app.run()
    said = " ".join(one.value for one in app.error)
    shown = {code.value for code in app.code}
    training = app.switch_page("../pages/training.py").run()
    rows = training.dataframe[0].value.set_index("Run")["State"].to_dict()
    reasons = [one.value for one in training.error]
    results = training.switch_page("../pages/results.py").run()

    assert "title: expected str, got int" in said.replace("\\", "")
    assert shown == {"python -m core evaluate sound", "python -m core queue remove strange"}
    assert rows == {"good": "queued", "bad": "damaged"}
    assert not any("went wrong" in reason for reason in reasons)
    assert not results.exception
    assert not results.error


def test_the_text_of_a_card_is_shown_as_text(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    folder = made_checkpoint("strange")
    card = json.loads((folder / "card.json").read_text())
    evil = "![t](http://127.0.0.1:9/x.png) <img src=http://127.0.0.1:9/y.png>"
    card |= {"title": evil, "data": {"imported": evil}, "model": f"resnet {evil}"}
    (folder / "card.json").write_text(json.dumps(card))

    app.run()

    drawn = " ".join(one.value for one in [*app.markdown, *app.caption])
    assert not re.search(r"(?<!\\)[\[<]", drawn.split("The networks here")[-1].split("Do not")[0])
