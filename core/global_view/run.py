"""The global view of a run: mean maps on the mean face, and regions by expression."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import WEIGHTS, find_checkpoint
from core.data import Dataset, load_dataset
from core.errors import DataError, ExplainError
from core.evaluation import own_folder, results_folder
from core.explain import EXPLAINERS, recommended_layers, recommended_method
from core.faces import REGIONS, fitted_landmarks
from core.files import fingerprint, write_json
from core.global_view.evidence import DIGITS, Group, chunk_evidence, group_json
from core.global_view.faces import MeanShapeWarp, chosen_ids, seen_landmarks
from core.global_view.stored import global_view_file
from core.preprocess import Preprocess
from core.types import FINE_CELLS

if TYPE_CHECKING:
    from torch import nn

FACES = 100  # of each expression
CHUNK = 32  # faces in memory at once
SIDE = 32  # cells of the mean maps; the finest maps worth showing have half as many

Progress = Callable[[int, int], None]


def make_global_view(
    run: str | Path,
    *,
    split: str = "test",
    data: Path | None = None,
    faces: int = FACES,
    method: str | None = None,
    on_progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Show where the evidence of a run lies over many faces, and keep it in the run's folder.

    Each face counts for the answer the network gives.  Its map is divided by its own sum of
    absolute values, so that no face outweighs another, and warped to the mean landmarks.

    Args:
        run: Run name, folder, or "default".
        split: One of `core.evaluation.SPLITS`.
        data: Prepared folder; None finds the run's own below the data root.
        faces: At most, of each expression, drawn by a fixed chance.
        method: Explanation method; None for the one recommended for the run.
        on_progress: Called with faces done and faces in all.

    Returns:
        What `stored_global_view` gives afterwards: `shape`, 68 mean landmarks in shares of the
        side, and `groups`, one for each label and for right and wrong answers, see `group_json`.

    Raises:
        CheckpointError: The run cannot be used.
        DataError: Its data are not prepared, or the split is empty.
        ConfigError: No such method.
        ExplainError: The method does not apply, or its maps are too coarse for regions.
        FaceError: The landmark model cannot run here.
    """
    from core.explain import load_explained

    folder = find_checkpoint(run)
    model, card = load_explained(folder)
    dataset = load_dataset(data if data is not None else own_folder(card, folder.name))
    own = tuple(str(name) for name in card.data.get("sources", ())) if data is None else ()
    ids, labels = chosen_ids(dataset, card, split, faces, own or None)
    chosen = method or recommended_method(folder)
    layer = _layer(model, card.preprocess, chosen, recommended_layers(folder).get(chosen))
    total = 2 * len(ids)
    landmarks = _landmarks(dataset, ids, lambda done: on_progress(done, total))
    rows = np.flatnonzero(~np.isnan(landmarks[:, 0, 0]))
    if not len(rows):
        raise DataError(f"No landmarks could be fitted to the {len(ids)} faces of {split}.")
    seen = seen_landmarks(landmarks, card.preprocess)
    shape = seen[rows].mean(axis=0)
    warp = MeanShapeWarp(shape, SIDE)
    groups = {(label, right): Group(SIDE) for label in card.labels for right in (True, False)}
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        squares = card.preprocess.squares(np.asarray(dataset.images[ids[part]]))
        facts = (card.preprocess, card.temperature, squares, landmarks[part], chosen, layer)
        for row, face in zip(part, chunk_evidence(model, *facts), strict=True):
            warped = None if face.heat is None else warp(face.heat, seen[row])
            groups[labels[row], card.labels[face.answer] == labels[row]].add(face, warped)
        on_progress(len(ids) + int(part[-1]) + 1, total)
    on_progress(total, total)
    view = {
        "checkpoint": folder.name,
        "split": split,
        "data_hash": dataset.data_hash,
        "own_data": data is None,
        "weights_fingerprint": fingerprint(folder / WEIGHTS),
        "method": chosen,
        "layer": layer,
        "signed": EXPLAINERS[chosen].signed,
        "faces_per_label": faces,
        "n": len(rows),
        "without_landmarks": len(ids) - len(rows),
        "labels": list(card.labels),
        "regions": list(REGIONS),
        "shape": shape.round(DIGITS).tolist(),
        "groups": [
            {"label": label, "answered": "right" if right else "wrong", **group_json(group)}
            for (label, right), group in groups.items()
        ],
    }
    place = results_folder(folder, card, dataset, named=data is not None)
    place.mkdir(parents=True, exist_ok=True)
    write_json(global_view_file(place, split), view)
    return view


def _layer(model: "nn.Module", preprocess: Preprocess, method: str, recommended: str | None) -> str:
    """The layer to explain: the one the method was measured at, else its own choice.

    Raises:
        ExplainError: Its maps are too coarse for regions.
    """
    import torch

    from core.explain import class_maps, layer_of

    blank = np.zeros((1, preprocess.size, preprocess.size), dtype=np.uint8)
    sample = torch.from_numpy(preprocess.normalise(blank))
    layer = layer_of(model, sample, EXPLAINERS[method], recommended)
    target = torch.zeros(1, dtype=torch.long)
    cells = min(class_maps(model, sample, target, method, layer).shape[1:])
    if cells < FINE_CELLS:
        raise ExplainError(
            f"The maps of {EXPLAINERS[method].title} at {layer} have {cells} cells a side; regions "
            f"need at least {FINE_CELLS}. Choose a finer method, for example layer_cam."
        )
    return layer


def _landmarks(
    dataset: Dataset, ids: NDArray[np.int64], on_progress: Callable[[int], None]
) -> NDArray[np.float64]:
    """Landmarks of these pictures, float64 (N, 68, 2) in shares of the side, NaN for none."""
    found = []
    for start in range(0, len(ids), CHUNK):
        found.append(fitted_landmarks(np.asarray(dataset.images[ids[start : start + CHUNK]])))
        on_progress(start + len(found[-1]))
    return np.concatenate(found)
