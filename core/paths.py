"""Where data, runs and shipped checkpoints lie; the only reader of the environment."""

import os
from pathlib import Path

from core.errors import ConfigError, CoreError

PROJECT_ROOT = Path(__file__).resolve().parent.parent


def data_root() -> Path:
    """Folder below which the app may read and prepare data (`GIMEFIVE_DATA`, else ./data)."""
    return Path(os.environ.get("GIMEFIVE_DATA", PROJECT_ROOT / "data")).resolve()


def run_root() -> Path:
    """Folder that holds one folder a run (`GIMEFIVE_RUNS`, else ./checkpoints)."""
    return Path(os.environ.get("GIMEFIVE_RUNS", PROJECT_ROOT / "checkpoints")).resolve()


def cache_root() -> Path:
    """Folder for files that can be rebuilt (`GIMEFIVE_CACHE`, else ~/.cache/gimefive)."""
    return Path(os.environ.get("GIMEFIVE_CACHE", Path.home() / ".cache" / "gimefive")).resolve()


def cache_folder(name: str) -> Path:
    """A folder below the cache, made where it is absent.

    Raises:
        ConfigError: It cannot be made or written into.
    """
    folder = cache_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        refused = "" if os.access(folder, os.W_OK | os.X_OK) else "no right to write"
    except OSError as error:
        refused = str(error.strerror)
    if refused:
        raise ConfigError(
            f"The folder for what can be rebuilt, {folder}, cannot be written ({refused}). Set "
            "GIMEFIVE_CACHE to a folder that can."
        )
    return folder


def landmark_file() -> Path | None:
    """The user's own 68-point dlib model (`GIMEFIVE_LANDMARKS`); None for the packaged one."""
    path = os.environ.get("GIMEFIVE_LANDMARKS")
    return Path(path).resolve() if path else None


def ice_servers() -> str:
    """STUN and TURN servers for the live camera, as JSON (`GIMEFIVE_ICE_SERVERS`, else none)."""
    return os.environ.get("GIMEFIVE_ICE_SERVERS", "[]")


def read_only() -> bool:
    """Whether the app may start no work that writes to disk (`GIMEFIVE_READ_ONLY`=1)."""
    return os.environ.get("GIMEFIVE_READ_ONLY", "").lower() in {"1", "true", "yes"}


def is_first_process() -> bool:
    """Whether this process is the first, or only, of those that train one run together."""
    return all(int(os.environ.get(name) or 0) == 0 for name in ("RANK", "NODE_RANK", "LOCAL_RANK"))


def processes_here(devices: int, machines: int) -> tuple[int, int]:
    """Processes on this machine and machines, as torchrun says, else as configured."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return devices, machines
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def below(root: Path, name: str | Path) -> Path:
    """Resolve `name` under `root` and refuse whatever leads out of it.

    Raises:
        CoreError: The path leaves the root.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise CoreError(f"{name} lies outside {root}. Choose a folder inside it.")
    return path
