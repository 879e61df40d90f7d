"""An explained picture as files: PNGs and one JSON."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from core.drawing import (
    SHOWN,
    Style,
    annotate_picture,
    default_colours,
    heat_image,
    overlay,
)
from core.errors import ConfigError
from core.explain import EXPLAINERS
from core.faces import halved_note
from core.files import replacing, write_json
from core.images import png_bytes, read_image
from core.predict import Predictor
from core.types import RECOMMENDED, FaceResult, Image, ImageResult

DISPLAY_SIDE = 256  # pixels of the pictures of one face


def explain_file(
    path: Path,
    out: Path,
    *,
    checkpoint: str = "default",
    method: str = RECOMMENDED,
    target: str = "predicted",
    whole: bool = False,
) -> ImageResult:
    """Explain every face of a picture file.

    Args:
        path: The picture.
        out: Folder for `overlay.png`, `face-I-LABEL.png` and, written last, `explanation.json`.
        checkpoint: Run name, folder or "default".
        method: Registry name of an explainer, or "recommended".
        target: A class name, "predicted" or "all".
        whole: Whether the whole picture is one face.

    Returns:
        What was found and said; its picture is a turned copy where the file's lay on its side.

    Raises:
        CoreError: The picture, checkpoint, method or target cannot be used.
    """
    predictor = Predictor.load(checkpoint)
    if target not in ("predicted", "all", *predictor.labels):
        known = ", ".join(("predicted", "all", *predictor.labels))
        raise ConfigError(f"Target is {target!r}; expected one of: {known}.")
    EXPLAINERS[predictor.method_of(method)]  # an unknown one is refused before the work
    image = read_image(path)
    result = predictor.analyse(image, method=method, whole=whole)
    if note := halved_note(image, path):
        result = replace(result, notes=(*result.notes, note))
    out.mkdir(parents=True, exist_ok=True)
    preprocess = predictor.card.preprocess
    coverage = preprocess.crop / preprocess.size
    triptychs = {
        out / f"face-{number}-{label}.png": (face, label)
        for number, face in enumerate(result.faces, start=1)
        for label in chosen_labels(face, target)
    }
    whole_photo = out / "overlay.png"
    if any(file.exists() and file.samefile(path) for file in (*triptychs, whole_photo)):
        raise ConfigError(
            f"{path} is the picture to explain, and what is drawn of it would replace it. Choose "
            "another folder for the results, or rename the picture."
        )
    for file, (face, label) in triptychs.items():
        _save(triptych(face, label, shared=target == "all", coverage=coverage), file)
    _save(annotate_picture(result, _only_maps(target, coverage)), whole_photo)
    content = as_json(result, image=path.name, checkpoint=predictor.folder.name)
    if target != "all":
        for face, entry in zip(result.faces, content["faces"], strict=True):
            kept = chosen_labels(face, target)
            entry["maps"] = {label: entry["maps"][label] for label in kept}
    write_json(out / "explanation.json", content)
    return result


def _only_maps(target: str, coverage: float) -> Style:
    shown = SHOWN if target in ("predicted", "all") else target
    return Style(landmarks=False, boxes=False, target=shown, coverage=coverage)


def chosen_labels(face: FaceResult, target: str) -> list[str]:
    """The classes a target stands for: one name, or all of them."""
    if target == "all":
        return list(face.prediction.labels)
    return [face.prediction.predicted if target == "predicted" else target]


def triptych(
    face: FaceResult,
    label: str,
    *,
    shared: bool = False,
    coverage: float = 1.0,
) -> Image:
    """Original, heat map and overlay of one face side by side (paper, Figure 5).

    Args:
        face: With an explanation.
        label: The class whose map is drawn.
        shared: Whether all classes of the face have one colour scale, to be compared.
        coverage: Share of the face's side that the network saw.

    Returns:
        RGB uint8 (256, 768, 3).

    Raises:
        ConfigError: The face has no explanation.
    """
    if face.explanation is None:
        raise ConfigError("The face has no explanation to draw. Choose a method first.")
    picture = PIL.Image.fromarray(face.face.crop).resize((DISPLAY_SIDE, DISPLAY_SIDE))
    crop = np.asarray(picture, dtype=np.uint8)
    colours = default_colours(signed=face.explanation.signed)
    evidence = face.explanation.map_of(label)
    scale = face.explanation.scale if shared else face.explanation.scale_of(label)
    heat = heat_image(evidence, scale, DISPLAY_SIDE, colours, coverage=coverage)
    both = overlay(crop, evidence, scale, colours=colours, coverage=coverage)
    return np.hstack([crop, heat, both])


def _save(image: Image, path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(png_bytes(image))


def as_json(result: ImageResult, *, image: str, checkpoint: str) -> dict[str, Any]:
    """Everything said of a picture as plain values.

    Args:
        result: Of `Predictor.analyse`.
        image: Name of the picture's file.
        checkpoint: Name of the checkpoint.
    """
    explained = [face.explanation for face in result.faces if face.explanation is not None]
    return {
        "image": image,
        "checkpoint": checkpoint,
        "method": explained[0].method if explained else None,
        "layer": explained[0].layer if explained else None,
        "notes": list(result.notes),
        "turned": result.turned,
        "faces": [_face_json(face) for face in result.faces],
    }


def _face_json(result: FaceResult) -> dict[str, Any]:
    face, prediction, explanation = result.face, result.prediction, result.explanation
    box = face.box
    values: dict[str, Any] = {
        "box": [box.left, box.top, box.right, box.bottom],
        "detector": face.detection.detector,
        "landmarks": None if face.landmarks is None else face.landmarks.tolist(),
        "probabilities": dict(
            zip(prediction.labels, prediction.probabilities.tolist(), strict=True)
        ),
        "predicted": prediction.predicted,
        "unclear": prediction.unclear,
    }
    if explanation is not None:
        values["maps"] = {label: explanation.map_of(label).tolist() for label in explanation.labels}
        values["blank"] = {label: explanation.is_blank(label) for label in explanation.labels}
        values["only_against"] = {
            label: explanation.speaks_only_against(label) for label in explanation.labels
        }
    return values
