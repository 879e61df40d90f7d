"""Configurations check themselves, travel as JSON and cover the paper's table."""

import json

import pytest
import torch

from core.errors import ConfigError
from core.evaluation import published_rows
from core.models import MODELS, build
from core.training import RunConfig, preset, preset_names

PAPERS_SETS = {"RAF-DB": "rafdb", "FER2013": "fer2013", "FER GiMEFiVE": "fergimefive"}


def test_json_brings_a_configuration_back() -> None:
    config = RunConfig(sources=("raf_db",), model_options={"depth": 4})

    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epochs": "0"}, "epochs is 0"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'"),
        ({"optimiser": "lion"}, "expected one of sgd, adam, adamw"),
        ({"rotation": "3"}, "no setting 'rotation'"),
        ({"augment.flip": "2"}, "augment.flip is 2"),
        ({"augment.twirl": "2"}, "augment.twirl"),
        ({"class_set": "eight"}, "six or seven"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        RunConfig().with_settings(settings)


def test_settings_reach_inside() -> None:
    config = RunConfig().with_settings(
        {
            "augment.rotation": "5", "augment.flip": ".25", "model_options.depth": "4",
            "sources": "raf_db,ck_plus",
        }
    )  # fmt: skip

    assert config.augment.rotation == 5
    assert config.augment.flip == 0.25
    assert config.model_options == {"depth": 4}
    assert config.sources == ("raf_db", "ck_plus")


@pytest.mark.parametrize("name", ["nesterov", "decay_all", "compile"])
@pytest.mark.parametrize("word", ["False", "no", "0"])
def test_a_switch_takes_true_or_false_alone(name: str, word: str) -> None:
    with pytest.raises(ConfigError, match=name):
        RunConfig().with_settings({name: word})


def test_every_row_of_table_2_is_a_preset_in_both_recipes() -> None:
    names = preset_names()

    rows = {f"{PAPERS_SETS[row.dataset]}-{row.name}" for row in published_rows()}
    assert len(rows) == 20
    assert {name.rpartition("-")[0] for name in names} >= rows
    assert {name.rpartition("-")[2] for name in names} == {"paper", "modern"}
    assert {preset(name).model for name in names} <= set(MODELS)


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_can_be_built(name: str) -> None:
    config = preset(name)

    assert name == f"{name.split('-')[0]}-{config.model}-{name.split('-')[2]}"
    assert config.model in MODELS


@pytest.mark.parametrize("name", [name for name in preset_names() if name.endswith("modern")])
def test_the_network_of_a_preset_takes_pictures_of_every_side_it_is_given(name: str) -> None:
    config = preset(name)
    preprocess = MODELS[config.model].preprocess

    with torch.device("meta"):  # shapes only
        network = build(config.model, len(config.labels), **config.model_options)
        for side in {preprocess.crop, config.start_side or preprocess.crop}:
            logits = network(torch.empty(2, preprocess.channels, side, side))

            assert logits.shape == (2, 6)


def test_the_papers_recipe_is_the_published_one() -> None:
    config = preset("rafdb-gimefive-paper")

    assert (config.optimiser, config.learning_rate, config.momentum) == ("sgd", 1e-3, 0.9)
    assert (config.weight_decay, config.batch_size, config.epochs) == (1e-4, 16, 80)
    assert (config.patience, config.label_smoothing, config.split) == (15, 0.0, "published")


def test_an_unknown_preset_says_how_presets_are_named() -> None:
    with pytest.raises(ConfigError, match="rafdb-gimefive-modern"):
        preset("rafdb-alexnet-modern")
