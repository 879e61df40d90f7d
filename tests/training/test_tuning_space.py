"""Spaces: the paper's table is whole, files are read or refused, values reach the configuration."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.errors import ConfigError
from core.training import (
    SPACES,
    RunConfig,
    RunFolder,
    Search,
    add_search,
    find_space,
    grid_size,
    run_search,
)
from core.training.tuning.space import Choice, Range, Space, configured, space_from_json


def test_table_3_is_whole() -> None:
    space = find_space("table3")
    values = {name: one.values for name, one in space.items() if isinstance(one, Choice)}

    assert values == {
        "learning_rate": (0.01, 0.001, 0.0001), "batch_size": (8, 16, 32, 64),
        "model_options.head_dropout": (0.2, 0.5), "model_options.depth": (4, 5, 6),
        "model_options.fc_depth": (1, 2, 3), "model_options.batch_norm": (True, False),
        "model_options.pooling": ("max", "average"), "optimiser": ("adam", "adamw", "sgd"),
        "epochs": (10, 20, 40, 80), "patience": (0, 5, 10, 15),
    }  # fmt: skip
    assert grid_size(space) == 3 * 4 * 2 * 3 * 3 * 2 * 2 * 3 * 4 * 4


@pytest.mark.parametrize("name", SPACES)
def test_every_space_fits_the_configuration(name: str) -> None:
    search = Search(find_space(name), RunConfig(), trials=3)

    assert Search.from_json(json.loads(json.dumps(search.to_json()))) == search


def test_a_file_may_hold_lists_and_ranges(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(
        '{"epochs": [5, 10], "learning_rate": {"low": 0.001, "high": 0.1, "log": true}}'
    )

    space = find_space(str(path))

    assert space == {"epochs": Choice((5, 10)), "learning_rate": Range(0.001, 0.1, log=True)}
    assert grid_size(space) is None


@pytest.mark.parametrize(
    "content",
    [[], {}, {"epochs": []}, {"epochs": 5}, {"epochs": [None]}, {"epochs": {"low": 5, "high": 5}},
     {"epochs": {"low": 0, "high": 5, "log": True}}, {"epochs": {"lowest": 1, "high": 5}}],
)  # fmt: skip
def test_what_is_no_space_is_refused(content: object) -> None:
    with pytest.raises(ConfigError, match="search space"):
        space_from_json(content)


def test_an_unknown_space_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="table3 or recipe"):
        find_space("table4")


def test_values_reach_inside_the_configuration() -> None:
    chosen: dict[str, str | int | float | bool] = {
        "model_options.depth": 4, "augment.flip": 0.25, "epochs": 7, "optimiser": "adam",
        "model_options.batch_norm": False,
    }  # fmt: skip

    config = configured(RunConfig(model_options={"width": 8}), chosen)

    assert config.model_options == {"width": 8, "depth": 4, "batch_norm": False}
    assert (config.augment.flip, config.epochs, config.optimiser) == (0.25, 7, "adam")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": {}}, "Nothing varies"),
        ({"space": {"epochs": Choice((0,))}}, "epochs is 0"),
        ({"space": {"epoch": Choice((1,))}}, "no setting 'epoch'"),
        ({"space": {"split": Choice(("clean", "published"))}}, "split cannot be searched: trials"),
        ({"space": {"class_set": Choice(("six", "seven"))}}, "class_set cannot be searched"),
        ({"space": {"weight_decay": Range(0.0, 2.0)}}, "weight_decay is 2"),
        ({"sampler": "best"}, "grid, random, tpe, nsga2"),
        ({"sampler": "grid", "space": {"warmup": Range(0.0, 0.5)}}, "grid needs lists"),
        ({"trials": 0}, "trials is 0"),
        ({"base": RunConfig(devices=2)}, "one process"),
    ],
)
def test_a_search_that_cannot_be_is_refused_at_once(changes: dict[str, object], words: str) -> None:
    values: dict[str, object] = {
        "space": {"epochs": Choice((1, 2))},
        "base": RunConfig(),
        **changes,
    }

    with pytest.raises(ConfigError, match=words):
        Search(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"model_options.widht": Choice((8, 16))}, "widht"),
        ({"model": Choice(("gimefive", "no-such"))}, "no-such"),
        ({"model": Choice(("vgg", "resnet18")), "model_options.depth": Choice((4,))}, "depth"),
        ({"model_options.head_dropout": Range(0.1, 1.5)}, "cannot be built with these options"),
    ],
)
def test_networks_that_cannot_be_are_refused_when_a_search_begins(
    tmp_path: Path, space: dict[str, Choice | Range], words: str
) -> None:
    search = Search(space, RunConfig())  # one that is there already can be read

    with pytest.raises(ConfigError, match=words):
        add_search(tmp_path, "slip", search)
    with pytest.raises(ConfigError, match=words):
        run_search(RunFolder(tmp_path / "slip"), search)

    assert list(tmp_path.iterdir()) == []


def test_an_option_need_not_fit_the_base_if_a_network_of_the_space_has_it(tmp_path: Path) -> None:
    space: Space = {"model": Choice(("gimefive", "vgg")), "model_options.depth": Choice((4, 5))}

    assert add_search(tmp_path, "s", Search(space, RunConfig(model="resnet18"))).path.is_dir()


def test_the_user_of_the_storage_is_not_shown() -> None:
    space: Space = {"epochs": Choice((1, 2))}
    search = Search(space, RunConfig(), storage="postgresql://me@host/db")

    assert search.shown_storage == "postgresql://host/db"


@pytest.mark.parametrize("more", [(), ("--queue",)], ids=["begun", "queued"])
def test_a_search_whose_last_setting_is_set_leaves_nothing(
    own_runs: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    path = tmp_path / "rates.json"
    path.write_text('{"learning_rate": [0.1, 0.01]}')

    words = ["tune", str(path), "--set", "learning_rate=0.05", "--run", "rates", *more]
    found = CliRunner().invoke(app, words)

    assert isinstance(found.exception, ConfigError)
    assert "Nothing varies" in str(found.exception)
    assert list(own_runs.iterdir()) == []
