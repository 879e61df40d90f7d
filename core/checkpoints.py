"""Find trained weights by name.  Free of torch."""

from pathlib import Path

from core.errors import CheckpointError
from core.paths import PROJECT_ROOT, run_root

SHIPPED = PROJECT_ROOT / "checkpoints"
# With weights in the repository; the first is the default.
SHIPPED_CHECKPOINTS = ("fergimefive-resnet14-joined", "rafdb-resnet14", "gimefive-rafdb")
DEFAULT_CHECKPOINT = SHIPPED_CHECKPOINTS[0]
WEIGHTS = "weights.safetensors"
NEEDED = ("card.json", WEIGHTS)
FACTS_FOLDER = "facts"  # beside the runs, shared by them: no run has this name


def is_checkpoint(folder: Path) -> bool:
    """Whether the folder holds both a card and weights."""
    return all((folder / name).is_file() for name in NEEDED)


def find_checkpoint(name: str | Path) -> Path:
    """The folder of a checkpoint.

    Args:
        name: "default", a run's name below the run root, a shipped one's name, or a folder.

    Raises:
        CheckpointError: There is no such checkpoint.
    """
    if name == "default":
        name = DEFAULT_CHECKPOINT
    for folder in (run_root() / name, SHIPPED / name, Path(name)):
        if is_checkpoint(folder):
            return folder
    known = ", ".join(folder.name for folder in list_checkpoints()) or "none yet"
    raise CheckpointError(
        f"There is no checkpoint {str(name)!r}: expected a folder with {' and '.join(NEEDED)}. "
        f"Known here: {known}."
    )


def list_checkpoints() -> list[Path]:
    """Folders with usable files: the default first, then by name; run root and shipped ones."""
    found: dict[str, Path] = {}
    for root in (run_root(), SHIPPED):
        if root.is_dir():
            for folder in sorted(root.iterdir()):
                if is_checkpoint(folder):
                    found.setdefault(folder.name, folder)
    return sorted(
        found.values(), key=lambda folder: (folder.name != DEFAULT_CHECKPOINT, folder.name)
    )
