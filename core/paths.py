"""Where data, runs and shipped checkpoints lie; the only reader and writer of the environment."""

import atexit
import logging
import os
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

from core.errors import ConfigError, CoreError, sentence_of

logger = logging.getLogger(__name__)

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def tell_nobody() -> None:
    """Tell libraries that tell their makers of their use not to, before they load."""
    os.environ |= {
        "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, from 1.29 on
        "RAY_USAGE_STATS_ENABLED": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def data_root() -> Path:
    """Folder below which the app may read and prepare data (`GIMEFIVE_DATA`, else ./data)."""
    return Path(os.environ.get("GIMEFIVE_DATA") or PROJECT_ROOT / "data").resolve()


def run_root() -> Path:
    """Folder that holds one folder a run (`GIMEFIVE_RUNS`, else ./checkpoints)."""
    return Path(os.environ.get("GIMEFIVE_RUNS") or PROJECT_ROOT / "checkpoints").resolve()


def cache_root() -> Path:
    """Folder for files that can be rebuilt (`GIMEFIVE_CACHE`, else ~/.cache/gimefive).

    Where it cannot be written, a temporary folder that goes with this process; the log says so.
    """
    named = os.environ.get("GIMEFIVE_CACHE")
    try:
        return _usable(Path(named or Path.home() / ".cache" / "gimefive").resolve())
    except RuntimeError:  # a user without a home
        return _usable(None)


@lru_cache(maxsize=8)
def _usable(root: Path | None) -> Path:
    refused = "this user has no home folder" if root is None else _refusal(root)
    if root is not None and not refused:
        return root
    folder = Path(tempfile.mkdtemp(prefix="gimefive-cache-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    logger.warning(
        "The folder for what can be rebuilt, %s, cannot be written (%s). A temporary one serves "
        "until this program ends; set GIMEFIVE_CACHE to a folder that can.",
        root or "~/.cache/gimefive", refused,
    )  # fmt: skip
    return folder


def _refusal(root: Path) -> str:
    """Why nothing can be written below a folder that may not be there yet; "" where it can."""
    try:
        nearest = next(one for one in (root, *root.parents) if one.exists())
        if not nearest.is_dir():
            return f"{nearest} is a file"
    except OSError as error:
        return str(error.strerror)
    return "" if os.access(nearest, os.W_OK | os.X_OK) else f"no right to write into {nearest}"


def cache_folder(name: str) -> Path:
    """A folder below the cache, made where it is absent.

    Raises:
        ConfigError: It cannot be made.
    """
    folder = cache_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(sentence_of(error)) from error
    return folder


def landmark_file() -> Path | None:
    """The user's own 68-point dlib model (`GIMEFIVE_LANDMARKS`); None for the packaged one."""
    path = os.environ.get("GIMEFIVE_LANDMARKS")
    return Path(path).resolve() if path else None


def use_one_thread() -> None:
    """Tell libraries that read it when they are loaded, as torch, to use one thread a process."""
    os.environ["OMP_NUM_THREADS"] = "1"


def ice_servers() -> str:
    """STUN and TURN servers for the live camera, as JSON (`GIMEFIVE_ICE_SERVERS`, else none)."""
    return os.environ.get("GIMEFIVE_ICE_SERVERS", "[]")


def ray_address() -> str | None:
    """Address of the Ray cluster to work on (`RAY_ADDRESS`, Ray's own name for it); else None."""
    return os.environ.get("RAY_ADDRESS") or None


def storage_password() -> str:
    """Password of the storage that searches share (`GIMEFIVE_STORAGE_PASSWORD`, else none)."""
    return os.environ.get("GIMEFIVE_STORAGE_PASSWORD", "")


def read_only() -> bool:
    """Whether the app may start no work that writes to disk (`GIMEFIVE_READ_ONLY`=1)."""
    return os.environ.get("GIMEFIVE_READ_ONLY", "").lower() in {"1", "true", "yes"}


def is_first_process() -> bool:
    """Whether this process is the first, or only, of those that train one run together."""
    return all(_whole(name) == 0 for name in ("RANK", "NODE_RANK", "LOCAL_RANK"))


def processes_here(devices: int, machines: int) -> tuple[int, int]:
    """Processes on this machine and machines, as torchrun says, else as configured."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return devices, machines
    here = max(1, _whole("LOCAL_WORLD_SIZE"))
    return here, _whole("WORLD_SIZE") // here


def _whole(name: str) -> int:
    """The number in a variable of the environment; 0 where it is not set.

    Raises:
        ConfigError: It is none.
    """
    found = os.environ.get(name) or "0"
    try:
        return int(found)
    except ValueError:
        raise ConfigError(
            f"The environment has {name}={found!r}; expected a whole number. Correct or unset it."
        ) from None


def below(root: Path, name: str | Path) -> Path:
    """Resolve `name` under `root` and refuse whatever leads out of it.

    Raises:
        CoreError: The path leaves the root.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise CoreError(f"{name} lies outside {root}. Choose a folder inside it.")
    return path
