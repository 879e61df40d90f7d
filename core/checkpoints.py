"""Find trained weights by name.  Free of torch."""

from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.files import changed, fingerprint, is_temporary
from core.measured_shapes import FaithfulnessFile, ReportFile
from core.paths import PROJECT_ROOT, run_root
from core.shapes import CardFile, ConfigFile, JobFile, StatusFile, StudyFile
from core.stored import Unreadable, read_shaped, shaped_or_empty

SHAPES: dict[str, Any] = {
    "card.json": CardFile,
    "config.json": ConfigFile,
    "study.json": StudyFile,
    "status.json": StatusFile,
    "job.json": JobFile,
    "report.json": ReportFile,
    "faithfulness.json": FaithfulnessFile,
}

SHIPPED = PROJECT_ROOT / "checkpoints"
# With weights in the repository; the first is the default.
SHIPPED_CHECKPOINTS = (
    "fergimefive-seven-averaged", "fergimefive-resnet14-joined", "gimefive-rafdb",
)  # fmt: skip
DEFAULT_CHECKPOINT = SHIPPED_CHECKPOINTS[0]
# Every run in the repository, most of them as figures without weights, and its name for people.
SHIPPED_TITLES = {
    "fergimefive-seven-averaged": "Seven expressions, averaged",
    "fergimefive-resnet14-joined": "ResNet14 tuned to RAF-DB and FER2013",
    "gimefive-rafdb": "GiMEFiVE on RAF-DB",
    "gimefive-rafdb-third": "GiMEFiVE on RAF-DB, third cycle",
    "gimefive-rafdb-fourth": "GiMEFiVE on RAF-DB, fourth cycle",
    "gimefive-rafdb-first": "GiMEFiVE on RAF-DB, first cycle",
    "gimefive-rafdb-second": "GiMEFiVE on RAF-DB, second cycle",
    "fergimefive-seven-joined": "Seven expressions, joined",
    "fergimefive-seven-tuned": "Seven expressions, joined, trained together",
    "fergimefive-face-resnet-seven": "Seven expressions, face network",
    "fergimefive-face-resnet-second-raters": "Seven expressions, face network, trained further",
    "rafdb-resnet14": "ResNet14 tuned to RAF-DB",
    "fergimefive-gimefive": "GiMEFiVE on FER GiMEFiVE",
    "fergimefive-gimefive-second": "GiMEFiVE on FER GiMEFiVE, trained further",
    "fergimefive-resnet14": "ResNet14 on FER GiMEFiVE",
    "fergimefive-resnet14-second": "ResNet14 on FER GiMEFiVE, trained further",
    "fergimefive-resnet14-third": "ResNet14 on FER GiMEFiVE, another start",
    "fergimefive-resnet14-framed": "ResNet14 on FER GiMEFiVE, framed as in the app",
    "fergimefive-resnet14-framed-second": "ResNet14 on FER GiMEFiVE, framed, trained further",
    "fergimefive-resnet14-taught": "ResNet14 on FER GiMEFiVE, taught by two others",
    "fergimefive-resnet14-pair": "Two ResNet14 on FER GiMEFiVE, as they were",
    "fergimefive-resnet14-columns": "Two ResNet14 on FER GiMEFiVE, trained together",
    "resnet14-without-affectnet-ck-plus-tfeid": "ResNet14 without AffectNet, CK+ and TFEID",
    "resnet14-without-fer2013": "ResNet14 without FER2013",
    "resnet14-without-raf-db": "ResNet14 without RAF-DB",
    "rafdb-gimefive-4-epochs": "GiMEFiVE on RAF-DB, 4 epochs",
    "rafdb-gimefive-plain-4-epochs": "GiMEFiVE plain on RAF-DB, 4 epochs",
    "rafdb-gimefive-baseline-4-epochs": "GiMEFiVE baseline on RAF-DB, 4 epochs",
    "rafdb-gimefive-deep-4-epochs": "GiMEFiVE deep on RAF-DB, 4 epochs",
    "rafdb-gimefive-se-4-epochs": "GiMEFiVE with SE on RAF-DB, 4 epochs",
    "rafdb-resnet18-4-epochs": "ResNet18 on RAF-DB, 4 epochs",
    "rafdb-resnet18-10-epochs": "ResNet18 on RAF-DB, 10 epochs",
    "rafdb-resnet34-10-epochs": "ResNet34 on RAF-DB, 10 epochs",
    "rafdb-gimefive-baseline-10-epochs": "GiMEFiVE baseline on RAF-DB, 10 epochs",
    "rafdb-gimefive-plain-10-epochs": "GiMEFiVE plain on RAF-DB, 10 epochs",
    "rafdb-gimefive-se-10-epochs": "GiMEFiVE with SE on RAF-DB, 10 epochs",
    "rafdb-gimefive-deep-10-epochs": "GiMEFiVE deep on RAF-DB, 10 epochs",
    "rafdb-resnet34-4-epochs": "ResNet34 on RAF-DB, 4 epochs",
    "rafdb-vgg-4-epochs": "VGG on RAF-DB, 4 epochs",
    "fer2013-gimefive-deep-4-epochs": "GiMEFiVE deep on FER2013, 4 epochs",
    "fer2013-resnet18-4-epochs": "ResNet18 on FER2013, 4 epochs",
    "fer2013-resnet34-4-epochs": "ResNet34 on FER2013, 4 epochs",
    "fer2013-gimefive-4-epochs": "GiMEFiVE on FER2013, 4 epochs",
    "fer2013-gimefive-plain-4-epochs": "GiMEFiVE plain on FER2013, 4 epochs",
    "fer2013-gimefive-baseline-4-epochs": "GiMEFiVE baseline on FER2013, 4 epochs",
    "fer2013-vgg-4-epochs": "VGG on FER2013, 4 epochs",
    "fergimefive-gimefive-4-epochs": "GiMEFiVE on FER GiMEFiVE, 4 epochs",
    "fer2013-gimefive-3-epochs": "GiMEFiVE on FER2013, 3 epochs",
    "fer2013-gimefive-plain-3-epochs": "GiMEFiVE plain on FER2013, 3 epochs",
    "fer2013-gimefive-baseline-3-epochs": "GiMEFiVE baseline on FER2013, 3 epochs",
}
WEIGHTS = "weights.safetensors"
# Of files in which other programs keep weights.
IMPORTED_ENDINGS = (".pth", ".pt", ".ckpt", ".bin", ".safetensors")
WEIGHT_ENDINGS = (*IMPORTED_ENDINGS, ".onnx", ".h5", ".keras")
QUANTISATION = "quantisation.json"  # activation ranges for 8 bits, and what they cost
REFERENCE = "reference.safetensors"  # what explanations know of other faces
MAPPED_LAYER = "layer"  # property of an ONNX file with maps: the layer they explain
NEEDED = ("card.json", WEIGHTS)
FACTS_FOLDER = "facts"  # beside the runs, shared by them: no run has this name
# In a run, for each of the other data it was measured on; beside the runs, for shipped ones.
EVALUATIONS = "evaluations"


def is_checkpoint(folder: Path) -> bool:
    """Whether the folder holds both a card and weights."""
    return all((folder / name).is_file() for name in NEEDED)


def is_shipped(folder: Path) -> bool:
    """Whether the folder is one that the repository ships, which only its makers change."""
    folder = folder.resolve()
    return folder.parent == SHIPPED.resolve() and folder.name in SHIPPED_CHECKPOINTS


def is_own(folder: Path) -> bool:
    """Whether the run is the user's: none of those in the repository, with weights or without."""
    folder = folder.resolve()
    return folder.parent != SHIPPED.resolve() or folder.name not in SHIPPED_TITLES


def title_of(folder: Path) -> str:
    """A run's name for people: that of `SHIPPED_TITLES`, of its card, or else of its folder."""
    if not is_own(folder):
        return SHIPPED_TITLES[folder.name]
    return str(shaped_or_empty(folder / "card.json", CardFile).get("title") or folder.name)


def is_joined(card: dict[str, Any]) -> bool:
    """Whether a card is of trained networks, joined or averaged, and of no training after it."""
    training, data = card.get("training") or {}, card.get("data") or {}
    return training.get("epochs") == 0 and bool(data.get("initial"))


def is_averaged(card: dict[str, Any]) -> bool:
    """Whether a card's network began with the mean of others' weights."""
    data = card.get("data") or {}
    return bool((data.get("initial") or {}).get("averaged"))


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
    _refuse_other(Path(name))
    known = ", ".join(folder.name for folder in list_checkpoints()) or "none yet"
    raise CheckpointError(
        f"There is no checkpoint {str(name)!r}: expected a folder with {' and '.join(NEEDED)}. "
        f"Known here: {known}."
    )


def _refuse_other(path: Path) -> None:
    """Say what a path is that exists and is no checkpoint."""
    expected = f"expected a folder with {' and '.join(NEEDED)}, as training leaves it"
    if path.is_file():
        kind = "weights of another program" if path.suffix in WEIGHT_ENDINGS else "a single file"
        inside = ""
        if path.suffix in IMPORTED_ENDINGS and path.name not in NEEDED:
            inside = (
                " The state dict of a classifier of torchvision, timm or this app becomes one: "
                f"python -m core import {path.name} --model NAME --classes anger,happiness,..."
            )
        if path.name in NEEDED and is_checkpoint(path.parent):
            inside = f" Name its folder instead: {path.parent}."
        raise CheckpointError(
            f"{path} is a file ({'part of a checkpoint' if path.name in NEEDED else kind}), no "
            f"checkpoint: {expected}.{inside}"
        )
    if path.is_dir() and (path.is_absolute() or len(path.parts) > 1):
        missing = " and ".join(name for name in NEEDED if not (path / name).is_file())
        raise CheckpointError(f"The folder {path} lacks {missing}: {expected}.")


def list_checkpoints() -> list[Path]:
    """Folders with usable files: the default first, then by name; run root and shipped ones."""
    found: dict[str, Path] = {}
    for root in (run_root(), SHIPPED):
        if root.is_dir():
            for folder in sorted(root.iterdir()):
                if is_checkpoint(folder) and not is_temporary(folder.name):
                    found.setdefault(folder.name, folder)
    return sorted(
        found.values(), key=lambda folder: (folder.name != DEFAULT_CHECKPOINT, folder.name)
    )


def list_run_folders() -> list[Path]:
    """Folders with a card or a configuration, by name: of the run root and of the repository.

    Those of the repository without weights count too: their figures do. One of the run root stands
    before one of the repository of the same name.
    """
    found = {folder.name: folder for folder in list_checkpoints()}
    shipped = (SHIPPED / name for name in SHIPPED_TITLES)
    root = run_root()
    for folder in (*shipped, *(root.iterdir() if root.is_dir() else ())):
        if is_temporary(folder.name):
            continue
        if any((folder / name).is_file() for name in ("config.json", "card.json")):
            found[folder.name] = folder
    return [found[name] for name in sorted(found)]


def kept_folder(folder: Path) -> Path:
    """Where what a user measures of a checkpoint is kept: beside its weights, if they are theirs.

    Of a shipped one it lies below the run root, so that nothing the repository ships changes; it
    need not exist.
    """
    return run_root() / EVALUATIONS / folder.name if is_shipped(folder) else folder


def evaluations_of(folder: Path, name: str) -> dict[str, Path]:
    """Folders of what was measured of a checkpoint elsewhere than beside its weights.

    Args:
        folder: Of the checkpoint.
        name: Of the JSON file wanted, about the present weights.

    Returns:
        By the name of the data, the latest first.
    """
    root = kept_folder(folder)
    root = root if is_shipped(folder) else root / EVALUATIONS
    found = [place for place in root.glob("*") if report_of_weights(folder, name, place)]
    return {place.name: place for place in sorted(found, key=lambda one: -changed(one / name))}


def report_of_weights(folder: Path, name: str, place: Path | None = None) -> dict[str, Any] | None:
    """A report about the weights of a folder, kept beside them or, of a shipped one, by the user.

    Args:
        folder: With the weights.
        name: Of the JSON file; its `weights_fingerprint` says which weights it is about.
        place: One of `evaluations_of` to read it from; None for the latest on the checkpoint's own
            data.

    Returns:
        None where there is none, it cannot be read, or it is about other weights.
    """
    shape = SHAPES.get(name, dict[str, Any])
    if place is None and is_shipped(folder):
        own = shaped_or_empty(folder / "card.json", CardFile).get("data", {}).get("data_hash")
        for other in evaluations_of(folder, name).values():
            report = shaped_or_empty(other / name, shape)
            on_own_data = report.get("own_data") or report.get("data_hash") == own
            if on_own_data and changed(other / name) >= changed(folder / name):
                return report
    report = shaped_or_empty((place or folder) / name, shape)
    try:
        is_current = report.get("weights_fingerprint") == fingerprint(folder / WEIGHTS)
    except OSError:
        return None
    return report if is_current else None


def damage(folder: Path) -> str:
    """Why a run folder is damaged: its first file that is there and cannot be read; "" for none."""
    for name, shape in SHAPES.items():
        try:
            read_shaped(folder / name, shape)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"{name} cannot be read ({error.strerror})."
        except Unreadable as error:
            return f"{name} cannot be read ({error})."
    return ""
