"""Named configurations.  Each row of the paper's Table 2 exists as `DATA-MODEL-RECIPE`."""

from core.errors import ConfigError
from core.training.config import FLIP_ONLY, Augmentation, RunConfig

# Rows of Table 2 by data set, the preliminary and the sibling report's networks, and the slim one.
TABLE_ROWS: dict[str, tuple[str, ...]] = {
    "rafdb": (
        "vgg", "resnet18", "resnet34", "gimefive_baseline", "gimefive_se", "gimefive_plain",
        "gimefive", "gimefive_deep", "gimefive_nobn", "resnet14",
    ),
    "fer2013": (
        "vgg", "resnet18", "resnet34", "gimefive_baseline", "gimefive_plain", "gimefive",
        "gimefive_deep", "mini_xception", "resnet14",
    ),
    "fergimefive": ("vgg", "resnet18", "resnet34", "gimefive", "gimefive_res", "resnet14"),
}  # fmt: skip
SOURCES: dict[str, tuple[str, ...]] = {
    "rafdb": ("raf_db",),
    "fer2013": ("fer2013",),
    "fergimefive": (),
}

PAPER = RunConfig(
    split="published", epochs=80, batch_size=16, learning_rate=1e-3, nesterov=False,
    weight_decay=1e-4, decay_all=True, schedule="constant", warmup=0.0, label_smoothing=0.0,
    class_weighting=0.0, ema=0.0, gradient_clip=0.0, augment=FLIP_ONLY, patience=15,
    precision="32-true",
)  # fmt: skip
MODERN = RunConfig(epochs=28, augment=Augmentation(compression=0.2))
RECIPES = {"paper": PAPER, "modern": MODERN}


def preset_names() -> list[str]:
    """All presets, in the order of the paper's table."""
    return [
        f"{data}-{model}-{recipe}"
        for data, models in TABLE_ROWS.items()
        for model in models
        for recipe in RECIPES
    ]


def preset(name: str) -> RunConfig:
    """The configuration of a preset.

    Raises:
        ConfigError: There is no such preset.
    """
    data, _, rest = name.partition("-")
    model, _, recipe = rest.rpartition("-")
    if model not in TABLE_ROWS.get(data, ()) or recipe not in RECIPES:
        raise ConfigError(
            f"There is no preset {name!r}. Presets are named DATA-MODEL-RECIPE, for example "
            "rafdb-gimefive-modern; `python -m core train --list` prints them all."
        )
    config = RECIPES[recipe].replaced(model=model, sources=SOURCES[data])
    if model == "mini_xception" and recipe == "paper":  # its report decays the rate
        config = config.replaced(schedule="exponential", learning_rate=1e-2)
    return config
