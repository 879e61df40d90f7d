"""Optimisers, learning-rate schedules and the running average of weights."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from core.errors import ConfigError, TrainingError
from core.models import build
from core.training.config import RunConfig

EXPONENTIAL_EPOCH = 0.97  # factor an epoch of the exponential schedule

_SETTINGS = {"momentum", "nesterov", "weight_decay", "betas"}  # of an optimiser, from the run's
# CPUs that multiply bfloat16; all others emulate it, a dozen times slower than float32.
_BFLOAT16_UNITS = ("amx_bf16", "avx512_bf16", "bf16")


def check_accelerator(config: RunConfig) -> None:
    """Refuse a device that this machine has not, or has too few of.

    Raises:
        TrainingError: It asks for such a device.
    """
    found = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if config.accelerator in found and found[config.accelerator] < config.devices:
        raise TrainingError(
            f"accelerator is {config.accelerator!r} with {config.devices} devices a machine; "
            f"{found[config.accelerator]} of them can be used here. Set accelerator=auto, which "
            "takes what there is, or cpu."
        )


def check_network(config: RunConfig) -> None:
    """Refuse a network that does not exist, or has not these options.

    Raises:
        ConfigError: It asks for such a one.
    """
    make = partial(build, config.model, len(config.labels), **config.model_options)
    try:
        try:
            with torch.device("meta"):  # draws no weights
                make()
        except NotImplementedError:  # some networks of other libraries look at theirs
            make()
    except (ValueError, ArithmeticError, RuntimeError) as error:
        raise ConfigError(
            f"{config.model} cannot be built with these options: {error}. Correct model_options."
        ) from error


def precision(config: RunConfig) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    """The number format a run uses on this machine."""
    if config.precision != "auto":
        return config.precision
    if config.accelerator in ("auto", "cuda") and torch.cuda.is_available():
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif config.accelerator in ("auto", "cpu"):
        found = torch.cpu.get_capabilities()
        native = any(found.get(unit, False) for unit in _BFLOAT16_UNITS)
    else:
        native = False
    return "bf16-mixed" if native else "32-true"


def build_optimiser(
    model: nn.Module, config: RunConfig, *, fused: bool = False
) -> torch.optim.Optimizer:
    """The optimiser of a run; vectors are spared from weight decay unless `decay_all`.

    Args:
        model: Its parameters are updated.
        config: The run's settings.
        fused: Whether a step is one pass over the values, several times as fast on CPUs.
    """
    matrices = [value for value in model.parameters() if value.ndim >= 2 or config.decay_all]
    vectors = [value for value in model.parameters() if value.ndim < 2 and not config.decay_all]
    groups = [{"params": matrices}]
    if vectors:
        groups.append({"params": vectors, "weight_decay": 0.0})  # type: ignore[dict-item]
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "sgd":
        nesterov = config.nesterov and config.momentum > 0
        return torch.optim.SGD(
            groups, lr=rate, momentum=config.momentum, nesterov=nesterov, weight_decay=decay,
            fused=fused,
        )  # fmt: skip
    kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=rate, betas=(config.momentum, 0.999), weight_decay=decay, fused=fused)


def take_up(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Give an optimiser the memory of another; its settings stay those it was built with.

    Args:
        optimiser: As `build_optimiser` gives it.
        state: `state_dict` of one of the same kind, for the same network.
    """
    own = [
        {name: value for name, value in group.items() if name in _SETTINGS}
        for group in optimiser.param_groups
    ]
    optimiser.load_state_dict(state)
    for group, settings in zip(optimiser.param_groups, own, strict=True):
        group.update(settings)


def may_fuse(config: RunConfig, device: torch.device) -> bool:
    """Whether a step may be one pass; the scaler of 16-mixed has to see gradients before it."""
    return device.type in ("cpu", "cuda") and config.precision != "16-mixed"


def clipped(
    fabric: Fabric, model: nn.Module, optimiser: torch.optim.Optimizer, config: RunConfig
) -> Tensor:
    """Bring the gradients to the run's limit, where it has one.

    Args:
        fabric: That set up the next two.
        model: Behind its wrapper.
        optimiser: Ditto.
        config: The run's settings.

    Returns:
        Their norm before, float32 (); 0 in 16-mixed, whose scaler leaves a step out where it is not
        finite.
    """
    norm: Tensor = fabric.clip_gradients(
        model, optimiser, max_norm=config.gradient_clip or math.inf, error_if_nonfinite=False
    )  # type: ignore[assignment]
    return torch.zeros_like(norm) if config.precision == "16-mixed" else norm


def learning_rate(config: RunConfig, step: int, steps: int, epoch: int) -> float:
    """Learning rate of one step.

    Args:
        config: The run's settings.
        step: Number of the step from 0, over all epochs.
        steps: All steps of the run.
        epoch: Number of the epoch from 0.

    Returns:
        The rate; it rises linearly (one_cycle: along a cosine) over the warm-up share.
    """
    peak, low = config.learning_rate, config.learning_rate * config.final_rate
    warm = config.warmup * steps
    if step < warm:
        share = (step + 1) / (warm + 1)
        if config.schedule == "one_cycle":
            start = peak / 25
            return start + (peak - start) * (1 - math.cos(math.pi * share)) / 2
        return peak * share
    if config.schedule == "constant":
        return peak
    if config.schedule == "exponential":
        return max(low, peak * EXPONENTIAL_EPOCH**epoch)
    share = (step - warm) / max(1.0, steps - warm)
    return low + (peak - low) * (1 + math.cos(math.pi * share)) / 2


class WeightAverage:
    """Exponential moving average of all weights and statistics (Polyak averaging).

    Args:
        model: Its current values are the start.
        decay: Weight of the past at each step; early steps use (1 + t) / (10 + t) instead.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.state = {key: value.detach().clone() for key, value in model.state_dict().items()}

    @torch.no_grad()
    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take the values of a saved average, or of a network that had none."""
        for key, value in state.items():
            self.state[key].copy_(value)

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take one step towards the model's values."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        kept: list[Tensor] = []
        new: list[Tensor] = []
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                kept.append(self.state[key])
                new.append(value)
            else:
                self.state[key].copy_(value)
        torch._foreach_lerp_(kept, new, share)
