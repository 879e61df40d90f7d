"""Forms are built from the settings' own classes: none is missing, each is explained."""

from dataclasses import fields

import pytest

from core.models import MODELS
from core.training import Augmentation, RunConfig, preset
from core.training.settings import documented, option_settings, problem, run_settings, values_of

SETTINGS = {setting.name: setting for setting in run_settings()}


def test_every_field_is_a_setting_with_its_default_and_a_sentence() -> None:
    names = {field.name for field in fields(RunConfig)} - {"augment", "model_options"}
    names |= {f"augment.{field.name}" for field in fields(Augmentation)}

    assert set(SETTINGS) == names
    assert all(setting.help.endswith(".") for setting in SETTINGS.values())
    assert SETTINGS["learning_rate"].default == RunConfig().learning_rate
    assert SETTINGS["augment.rotation"].help == "Largest turn to either side, degrees."


@pytest.mark.parametrize(
    ("name", "kind", "choices"),
    [
        ("epochs", "whole", ()), ("momentum", "number", ()), ("nesterov", "switch", ()),
        ("sources", "names", ()), ("data", "text", ()), ("class_set", "choice", ("six", "seven")),
        ("optimiser", "choice", ("sgd", "adam", "adamw")),
        ("accelerator", "choice", ("auto", "cpu", "cuda", "mps")),
    ],
)  # fmt: skip
def test_kinds_follow_the_types(name: str, kind: str, choices: tuple[str, ...]) -> None:
    assert (SETTINGS[name].kind, SETTINGS[name].choices) == (kind, choices)


def test_every_choice_is_taken_and_another_is_not() -> None:
    for setting in SETTINGS.values():
        for choice in setting.choices:
            assert problem(setting.name, choice) == ""
        if setting.choices:
            assert setting.name in problem(setting.name, "none of them")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "epochs",
            0,
            "epochs is 0; expected at least 1, unless initial names checkpoints, which are then "
            "kept as they are.",
        ),
        ("epochs", -1, "epochs is -1; expected a number from 0 to 10000."),
        ("augment.flip", 1.5, "augment.flip is 1.5; expected a number from 0 to 1."),
        ("epochs", 5, ""),
        ("augment.flip", 1.0, ""),
    ],
)
def test_a_problem_is_told_in_the_words_of_the_configuration(
    name: str, value: float, said: str
) -> None:
    assert problem(name, value) == said


def test_no_epoch_is_no_problem_where_checkpoints_are_kept_as_they_are() -> None:
    assert problem("epochs", 0, "one+two") == ""
    assert "expected a number from 0" in problem("epochs", -1, "one+two")


def test_options_of_the_networks_cover_table_3() -> None:
    spec = MODELS["gimefive"]

    options = {option.name: option for option in option_settings(spec.factory, spec.options)}

    assert {name.removeprefix("model_options.") for name in options} == {
        "depth", "batch_norm", "squeeze_excitation", "block_dropout", "head_dropout", "fc_depth",
        "pooling", "width",
    }  # fmt: skip
    assert options["model_options.block_dropout"].default == 0.2  # the starred row's own
    assert options["model_options.pooling"].choices == ("max", "average")
    assert options["model_options.depth"].help.startswith("Number of convolution blocks")


@pytest.mark.parametrize("name", MODELS)
def test_options_can_be_read_of_every_network(name: str) -> None:
    for option in option_settings(MODELS[name].factory, MODELS[name].options):
        assert option.help


def test_continued_lines_of_a_docstring_belong_together() -> None:
    def example() -> None:
        """Do nothing.

        Args:
            first: One line
                and another.
            second: Short.
        """

    assert documented(example) == {"first": "One line and another.", "second": "Short."}


def test_a_configuration_is_flat_by_the_names_of_its_settings() -> None:
    config = preset("rafdb-gimefive-modern").replaced(model_options={"depth": 4})

    values = values_of(config)

    assert set(values) == set(SETTINGS) | {"model_options.depth"}
    assert (values["augment.flip"], values["model_options.depth"]) == (0.5, 4)
