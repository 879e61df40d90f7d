"""What every test gets: no network, folders of its own, and global state as it was found."""

import gc
import logging
import os
import random
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.checkpoints import DEFAULT_CHECKPOINT, SHIPPED, SHIPPED_CHECKPOINTS
from core.files import file_hash

# Before torch is imported, here and in the processes that tests start: small nets want few threads.
os.environ.setdefault("OMP_NUM_THREADS", "2")
# The app's configuration hides error texts from visitors, and so from AppTest.
os.environ["STREAMLIT_CLIENT_SHOW_ERROR_DETAILS"] = "full"

# Files of tests that take half a minute and more: begun last, one would leave all other cores idle.
LONG = (
    "faults/test_faults.py",
    "training/test_two_processes.py",
    "batch_inference/test_ray.py",
    "training/test_shared_search.py",
    "explain/test_trained_completeness.py",
    "batch_inference/test_batch_inference.py",
)
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files come first, in the order above; the rest stays as it is."""
    order = {Path(__file__).parent / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def pytest_collection_finish() -> None:
    """What is loaded and collected stays to the end: it is not searched for garbage again."""
    gc.collect()
    gc.freeze()


class NetworkRefusedError(RuntimeError):
    """A test tried to leave this machine; no OSError, so that no fallback hides it."""


def _refuse_outside(address: object) -> None:
    """Raise for every internet address but those of this machine; other families pass."""
    host = address[0] if isinstance(address, tuple) and address else ""
    if isinstance(host, str) and host and not host.startswith(LOOPBACK):
        raise NetworkRefusedError(f"Tests run without network; this one asked for {address!r}.")


def _guarded(method: Callable[..., Any], position: int) -> Callable[..., Any]:
    """`method` of a socket, refusing the address at this position of its arguments."""

    def checked(self: socket.socket, *arguments: Any) -> Any:  # noqa: ANN401 - any socket call
        _refuse_outside(arguments[position])
        return method(self, *arguments)

    return checked


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    look_up = socket.getaddrinfo

    def local_look_up(host: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        name = host.decode() if isinstance(host, bytes) else host
        if name and not name.replace(".", "").isdigit() and ":" not in name:
            _refuse_outside((name,))
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", local_look_up)
        for name, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), position))
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Data and cache of this machine's user are neither read nor written.

    Runs stay where the shipped checkpoints are; a test that writes one takes `own_runs`.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GIMEFIVE_")]:
            patch.delenv(name)
        patch.setenv("GIMEFIVE_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("GIMEFIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _shipped_stay() -> Iterator[None]:
    """The checkpoints that the app comes with are read by tests, never written to."""

    def content() -> dict[str, str]:
        files = (path for name in SHIPPED_CHECKPOINTS for path in (SHIPPED / name).rglob("*"))
        return {str(path): file_hash(path) for path in files if path.is_file()}

    before = content()
    yield
    after = content()
    changed = sorted(name for name in before | after if before.get(name) != after.get(name))
    assert not changed, f"tests changed what the app comes with: {', '.join(changed)}"


@pytest.fixture
def own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that stands for `checkpoints/` in this test and the processes it starts."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("GIMEFIVE_RUNS", str(folder))
    return folder


@pytest.fixture
def made_checkpoint(own_runs: Path) -> Callable[..., Path]:
    """Write checkpoints below `own_runs` whose answers and maps follow from two numbers.

    Nothing is trained. The only feature is the crop's brightness above the mean, A. All classes
    have fixed logits, so that `surprise` gets the probability `share` and the others the rest in
    equal parts; `weight` x A is added to the logit of surprise, whose Grad-CAM map then follows A.
    The maps of all other classes are blank.
    """

    def make(
        name: str = DEFAULT_CHECKPOINT,
        *,
        share: float = 0.5,
        weight: float = 0.0,
        **card: Any,  # noqa: ANN401 - fields of the card
    ) -> Path:
        import torch

        from core import EMOTIONS
        from core.models import Card, build, save_weights

        options = {"depth": 1, "width": 1, "batch_norm": False, "fc_depth": 1}
        model = build("gimefive", len(EMOTIONS), **options)
        state = {key: torch.zeros_like(value) for key, value in model.state_dict().items()}
        state["blocks.block1.conv.weight"][0, 0, 1, 1] = 1.0
        linear = next(key for key in state if key.startswith("head") and key.endswith("weight"))
        state[linear][EMOTIONS.index("surprise"), 0] = weight
        rest = (1 - share) / (len(EMOTIONS) - 1)
        shares = [share if label == "surprise" else rest for label in EMOTIONS]
        state[linear.replace("weight", "bias")] = torch.tensor(shares).log()
        folder = own_runs / name
        folder.mkdir()
        save_weights(state, folder / "weights.safetensors", half=False)
        facts = {"labels": EMOTIONS, "title": f"Made {name}"} | card
        Card(model="gimefive", model_options=options, **facts).save(folder / "card.json")
        return folder

    return make


@pytest.fixture(autouse=True)
def _state_restored() -> Iterator[None]:
    """Put back what one test could change for the next."""
    environment, folder = dict(os.environ), Path.cwd()
    dice, numpy_dice = random.getstate(), np.random.get_state()  # noqa: NPY002 - kept, not drawn from
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    restore_torch = _torch_state() if "torch" in sys.modules else None

    yield

    if restore_torch is not None:
        restore_torch()
    root.setLevel(level)
    root.handlers[:] = handlers
    random.setstate(dice)
    np.random.set_state(numpy_dice)  # noqa: NPY002 - put back, not drawn from
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _torch_state() -> Callable[[], None]:
    """Keep torch's global settings; the function returned puts them back."""
    import torch

    dice, dtype = torch.get_rng_state(), torch.get_default_dtype()
    gradients, threads = torch.is_grad_enabled(), torch.get_num_threads()
    exact = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()

    def restore() -> None:
        torch.set_rng_state(dice)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)
        torch.use_deterministic_algorithms(exact, warn_only=lenient)
        if torch.get_num_threads() != threads:  # setting it, even to the same, is not free
            torch.set_num_threads(threads)

    return restore
