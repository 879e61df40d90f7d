"""How faithful a run's explanations are: measured on its test faces, kept in its folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import WEIGHTS, find_checkpoint
from core.errors import DataError, ExplainError
from core.explain import FAITHFULNESS_FILE
from core.files import fingerprint, write_json

if TYPE_CHECKING:
    from torch import Tensor, nn

    from core.data import Dataset, Subset
    from core.explain import Reference
    from core.faithfulness.method_figures import SampleSet
    from core.models import Card

FACES = 300
CHOOSING = 48  # clean-validation faces on which layers are chosen
SEED = 20240229  # which faces: the same for every run on the same data
BATCH = 128
LEAST_FACES = 10  # fewer are too few to draw resamples from

# (measured so far, to be measured, what comes next)
Progress = Callable[[int, int, str], None]


def measure_faithfulness(
    run: str | Path,
    *,
    data: Path | None = None,
    sources: Sequence[str] = (),
    faces: int = FACES,
    methods: Sequence[str] | None = None,
    mark: int | None = None,
    on_progress: Progress = lambda done, total, name: None,
) -> dict[str, Any]:
    """Measure every explanation method of a run on test faces that it answers rightly.

    Args:
        run: Run name, folder, or "default".
        data: Prepared folder; None finds the run's own below the data root.
        sources: Image sets the faces are taken from; empty for those of the run's training.
        faces: How many, drawn by a fixed chance.
        methods: Registry names; None for all.
        mark: Side in pixels of the mark of `planted_cue`; None for its own choice.
        on_progress: Called before each method.

    Returns:
        The report, as `faithfulness.json` keeps it once all methods are measured, where
        `results_folder` says: in the run's folder for its own data, unless it is a shipped one.

    Raises:
        CheckpointError: The run cannot be used.
        DataError: Its data are not prepared, or hold too few such faces.
        ConfigError: No such method.
        ExplainError: The mark is too large or small.
    """
    from core.data import load_dataset
    from core.evaluation import own_folder, results_folder
    from core.explain import (
        EXPLAINERS,
        carried_reference,
        give_reference,
        load_explained,
        save_reference,
    )
    from core.faithfulness.planted_cue import checked_mark
    from core.faithfulness.report import faithfulness_report

    for name in methods or ():
        EXPLAINERS[name]  # refuses an unknown name before any work
    folder = find_checkpoint(run)
    model, card = load_explained(folder)
    checked_mark(mark, card.preprocess.crop)
    dataset = load_dataset(data if data is not None else own_folder(card, folder.name))
    own = card.data.get("sources", ()) if data is None else ()
    chosen = tuple(sources) or tuple(str(name) for name in own) or None
    test = dataset.part("published", "test", chosen)
    batch = _rightly_answered(model, card, dataset, test, faces)
    if len(batch) < 2:
        raise DataError(
            f"The network answers {len(batch)} of {len(test)} test faces of "
            f"{dataset.folder.name} as they are labelled; at least 2 are needed. Choose another "
            "run or data set."
        )
    choosing = _choosing_faces(model, card, dataset, chosen)
    training = _training_faces(card, dataset, own or chosen)
    if training is not None and carried_reference(model) is None:
        give_reference(model, _reference(model, training))
    report = {
        "checkpoint": folder.name,
        "split": "test",
        "sources": sorted(set(test.sources.tolist())),
        "selection": "test faces the network answers as they are labelled",
        "data_hash": dataset.data_hash,
        "own_data": data is None,
        "weights_fingerprint": fingerprint(folder / WEIGHTS),
        "layers_chosen_on": "clean-validation faces the network answers as they are labelled",
        **faithfulness_report(
            model,
            batch,
            methods=methods,
            choosing=choosing,
            reference=training,
            mark=mark,
            on_progress=on_progress,
        ),
    }
    if methods is None:
        place = results_folder(folder, card, dataset, named=data is not None)
        place.mkdir(parents=True, exist_ok=True)
        write_json(place / FAITHFULNESS_FILE, report)
        found = carried_reference(model)
        if place == folder and found is not None:
            save_reference(found, folder)
    return report


def measure_groups(
    run: str | Path,
    groups: Mapping[tuple[str, str], tuple["Dataset", NDArray[np.int64]]],
    *,
    faces: int = FACES,
    on_progress: Progress = lambda done, total, name: None,
) -> dict[str, Any]:
    """How faithful the recommended map is in each of several groups of faces.

    Args:
        run: Run name, folder, or "default".
        groups: Prepared data and ids int64 (n,) of faces the network answers rightly, by any key.
        faces: How many of each group at most, drawn by a fixed chance.
        on_progress: Called before each group.

    Returns:
        `method`, `layer`, `faces`, and `groups`: by key `n`, `gap` (insertion minus deletion, mean)
        and `lead` (over the strongest control, `control`), each with its 95 % interval, which is
        None where there are fewer than LEAST_FACES faces.

    Raises:
        CheckpointError: The run cannot be used.
        ExplainError: The method does not apply to the network.
    """
    import torch

    from core.explain import (
        EXPLAINERS,
        layer_of,
        load_explained,
        recommended_layers,
        recommended_method,
    )
    from core.faithfulness.method_figures import Sizes, sample_set
    from core.faithfulness.scorer import Scorer, fastest_scorer

    folder = find_checkpoint(run)
    model, card = load_explained(folder)
    method, preprocess = recommended_method(folder), card.preprocess
    blank = preprocess.normalise(np.zeros((1, preprocess.size, preprocess.size), np.uint8))
    known = recommended_layers(folder).get(method)
    layer = layer_of(model, torch.from_numpy(blank), EXPLAINERS[method], known)
    scorer: Scorer | None = None  # one for all groups
    found = {}
    for number, (key, (dataset, ids)) in enumerate(groups.items()):
        on_progress(number, len(groups), ", ".join(filter(None, key)))
        some = ids[np.random.default_rng(SEED).permutation(len(ids))[:faces]]
        squares = preprocess.squares(np.asarray(dataset.images[some]))
        batch = torch.from_numpy(preprocess.normalise(squares))
        scorer = scorer or fastest_scorer(model, batch[:BATCH])
        given = sample_set(model, batch, scorer, (), {method: layer}, Sizes())
        found[key] = _group_figures(given, method)
    on_progress(len(groups), len(groups), "")
    return {"method": method, "layer": layer, "faces": faces, "groups": found}


def _group_figures(given: "SampleSet", method: str) -> dict[str, Any]:
    """Gap of a method's maps, and its lead over the strongest control."""
    from core.evaluation import estimate
    from core.faithfulness.insertion_deletion import other_faces
    from core.faithfulness.method_figures import OWN
    from core.faithfulness.report import control_gaps_of

    maps = given.maker.maps(OWN, method, given.model, given.batch, given.targets)
    gap = given.curves(maps).gap
    controls = control_gaps_of(given)
    if len(maps) > 1:
        controls["other_face"] = given.curves(other_faces(maps)).gap
    strongest = max(controls, key=lambda name: float(controls[name].mean()))

    def with_ends(values: NDArray[np.float64]) -> list[float | None]:
        one = estimate(values, SEED)
        ends = (one.low, one.high) if one.count >= LEAST_FACES else (None, None)
        return [one.mean, *ends]

    return {
        "n": len(gap),
        "gap": with_ends(gap),
        "control": strongest,
        "lead": with_ends(gap - controls[strongest]),
    }


def _training_faces(
    card: "Card", dataset: "Dataset", sources: Sequence[str] | None
) -> "Tensor | None":
    """Clean-training faces float32 (N, C, S, S); None where the data have none."""
    from core.explain import reference_faces

    try:
        subset = dataset.part("clean", "train", sources or None)
    except DataError:
        return None
    return reference_faces(subset.images, card.preprocess) if len(subset) else None


def _reference(model: "nn.Module", faces: "Tensor") -> "Reference | None":
    """What the network makes of training faces; None for one without a layer fine enough."""
    from core.explain import measure_reference

    try:
        return measure_reference(model, faces)
    except ExplainError:
        return None


def _choosing_faces(
    model: "nn.Module", card: "Card", dataset: "Dataset", sources: Sequence[str] | None
) -> "Tensor | None":
    """Clean-validation faces float32 (N, C, S, S) not learnt from; None where there are none."""
    from core.evaluation import unlearnt

    try:
        subset = dataset.part("clean", "valid", sources)
        subset = subset.where(unlearnt(card, dataset, subset.ids, "The network"))
    except DataError:
        return None
    found = _rightly_answered(model, card, dataset, subset, CHOOSING)
    return found if len(found) else None


def _rightly_answered(
    model: "nn.Module", card: "Card", dataset: "Dataset", subset: "Subset", faces: int
) -> "Tensor":
    """The first faces, in a fixed order of chance, whose label the network answers.

    Args:
        model: In eval mode.
        card: Its card.
        dataset: Prepared data.
        subset: A part of it.
        faces: How many at most.

    Returns:
        float32 (N, C, S, S).
    """
    import torch

    order = np.random.default_rng(SEED).permutation(len(subset))
    numbers = np.array(
        [card.labels.index(name) if name in card.labels else -1 for name in dataset.labels]
    )
    found, count = [], 0
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        squares = card.preprocess.squares(subset.images[chosen])
        batch = torch.from_numpy(card.preprocess.normalise(squares))
        with torch.inference_mode():
            answers = model(batch).argmax(1).numpy()
        found.append(batch[torch.from_numpy(answers == numbers[subset.labels[chosen]])].clone())
        count += len(found[-1])
        if count >= faces:
            break
    return torch.cat(found)[:faces]
