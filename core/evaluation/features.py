"""Pictures as points of a plane, near where a network finds them alike."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor, nn

from core.models import load_model
from core.types import Image

BATCH = 64
COMPONENTS = 50  # kept before t-SNE, as its authors advise
PERPLEXITY = 30.0


def pooled_features(folder: Path, pixels: Image) -> tuple[NDArray[np.float32], list[str]]:
    """What the classifier's head gets for each picture, and the class it answers.

    Args:
        folder: Checkpoint folder; the network is loaded anew, so that nobody else's is touched.
        pixels: uint8 (N, S, S), N at least 1.

    Returns:
        float32 (N, F) and N class names.

    Raises:
        CheckpointError: The folder cannot be used.
    """
    model, card = load_model(folder)
    collected: list[Tensor] = []

    def keep_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        collected.append(torch.flatten(inputs[0], 1))

    def keep_output(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        collected.append(torch.flatten(output, 1))

    head = getattr(model, "head", None)
    if isinstance(head, nn.Module):
        head.register_forward_pre_hook(keep_input)
    else:  # a fully convolutional network ends in its pooling
        model.get_submodule("gap").register_forward_hook(keep_output)
    if pixels.shape[1] != card.preprocess.size:
        pixels = np.stack([card.preprocess.pixels(picture) for picture in pixels])
    answers: list[int] = []
    with torch.inference_mode():
        for start in range(0, len(pixels), BATCH):
            batch = card.preprocess.normalise(pixels[start : start + BATCH])
            answers += model(torch.from_numpy(batch)).argmax(1).tolist()
    features: NDArray[np.float32] = torch.cat(collected).numpy()
    return features, [card.labels[answer] for answer in answers]


def feature_points(folder: Path, pixels: Image, seed: int = 0) -> pd.DataFrame:
    """Features laid out in a plane by t-SNE (van der Maaten and Hinton, 2008).

    Args:
        folder: Checkpoint folder.
        pixels: uint8 (N, S, S).
        seed: Of the layout.

    Returns:
        Columns x, y, predicted; a row a picture. Fewer than five pictures lie on a line.

    Raises:
        CheckpointError: The folder cannot be used.
    """
    features, predicted = pooled_features(folder, pixels)
    count = len(features)
    if count < 5:
        places = np.column_stack([np.arange(count), np.zeros(count)])
    else:
        kept = min(COMPONENTS, count, features.shape[1])
        reduced = PCA(kept, random_state=seed).fit_transform(features)
        layout = TSNE(perplexity=min(PERPLEXITY, (count - 1) / 3), init="pca", random_state=seed)
        places = layout.fit_transform(reduced)
    return pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "predicted": predicted})
