"""Runs that were never trained, and what the training page shows of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from core.training import RunConfig, RunFolder

TINY = {"depth": 2, "width": 4}
Opened = Callable[..., AppTest]


def trained(
    root: Path,
    name: str,
    *accuracies: float,
    state: str = "finished",
    **changes: Any,  # noqa: ANN401
) -> RunFolder:
    """A run with these epochs; nothing is trained."""
    folder = RunFolder(root / name)
    config = RunConfig(data="demo", epochs=5, model_options=TINY).replaced(**changes)
    folder.create(config)
    for epoch, accuracy in enumerate(accuracies, start=1):
        folder.append_metrics(
            {
                "epoch": epoch, "train_loss": 2.0 - accuracy, "train_accuracy": accuracy / 2,
                "seconds": 60.0, "faces_per_second": 100.0, "input_share": 0.02,
                "valid_loss": 1.9 - accuracy, "valid_accuracy": accuracy,
                "valid_macro_f1": accuracy / 3, "learning_rate": 0.1 / epoch, "side": 64,
            }
        )  # fmt: skip
        folder.append_step({"at": epoch, "loss": 1.5 - accuracy, "learning_rate": 0.1 / epoch})
    folder.set_status(state, "for a reason" if state == "failed" else "")
    return folder


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success]
    return "\n".join(part.value for part in parts)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
