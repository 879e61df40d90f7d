"""What a network is made of: one row a layer with output shape, parameters and megabytes."""

from dataclasses import dataclass
from typing import Any

import torchinfo

from core.models.catalogue import MODELS, build
from core.preprocess import Preprocess

BYTES = 4  # of a float32
MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One module of a network.

    Attributes:
        name: Path of the module, for example "blocks.block1.conv".
        kind: Class name.
        output: Shape of its output without the batch.
        parameters: Values of its own, not of its children.
        megabytes: Size of parameters and output in float32, 10**6 bytes.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    megabytes: float


def summary(name: str, classes: int | None = None, **options: Any) -> list[LayerRow]:  # noqa: ANN401 - options differ a model
    """Rows of all leaf modules of a registered network, in the order of the forward pass.

    Args:
        name: Registry name.
        classes: Number of outputs; None for the table's own.
        options: Override the row's keyword options, as for `build`.

    Raises:
        ConfigError: There is no such network or option.
    """
    preprocess: Preprocess = MODELS[name].preprocess
    model = build(name, classes, **options).eval()
    paths = {id(module): path for path, module in model.named_modules()}
    size = (1, preprocess.channels, preprocess.crop, preprocess.crop)
    info = torchinfo.summary(model, input_size=size, verbose=0, device="cpu", depth=10)
    rows = []
    for layer in info.summary_list:
        if not layer.is_leaf_layer:
            continue
        shape = tuple(int(side) for side in layer.output_size[1:])
        values = 1
        for side in shape:
            values *= side
        # A module applied twice is listed twice and counted once.
        own = 0 if layer.is_recursive else sum(value.numel() for value in layer.module.parameters())
        rows.append(
            LayerRow(
                name=paths[id(layer.module)],
                kind=layer.class_name,
                output=shape,
                parameters=own,
                megabytes=(own + values) * BYTES / MEGA,
            )
        )
    return rows


def summary_text(name: str) -> str:
    """The rows of `summary` as a table with totals."""
    rows = summary(name)
    lines = [f"{'layer':<28} {'kind':<18} {'output':<16} {'parameters':>12} {'MB':>8}"]
    for row in rows:
        shape = " x ".join(str(side) for side in row.output)
        lines.append(
            f"{row.name:<28} {row.kind:<18} {shape:<16} {row.parameters:>12,} {row.megabytes:>8.2f}"
        )
    total = sum(row.parameters for row in rows)
    size = sum(row.megabytes for row in rows)
    lines.append(f"{'total':<28} {'':<18} {'':<16} {total:>12,} {size:>8.2f}")
    return "\n".join(lines)
