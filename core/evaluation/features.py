"""What a network's head gets for pictures, and these features laid out in a plane."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch import Tensor, nn

from core.models import Card, load_model
from core.types import Image

BATCH = 64
COMPONENTS = 50  # kept before t-SNE, as its authors advise
PERPLEXITY = 30.0
# Of 500 faces, 500 steps end with a divergence of .654, 1000 with .650, in twice the time.
FEW, FEW_STEPS, STEPS = 1000, 500, 1000


def pooled_features(
    folder: Path,
    pixels: Image,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """What the classifier's head gets for each picture, and what it gives.

    Args:
        folder: Checkpoint folder; the network is loaded anew, so that nobody else's is touched.
        pixels: uint8 (N, S, S), N at least 1.
        on_progress: Called with pictures done and pictures in all.

    Returns:
        Features float32 (N, F) and logits float64 (N, K).

    Raises:
        CheckpointError: The folder cannot be used.
    """
    model, card = load_model(folder)
    model.to(memory_format=torch.channels_last)  # a fifth quicker on two cores with AVX2
    collected: list[Tensor] = []

    def keep_input(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        collected.append(torch.flatten(inputs[0], 1))

    def keep_output(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        collected.append(torch.flatten(output, 1))

    head, pooling = getattr(model, "head", None), getattr(model, "gap", None)
    if isinstance(head, nn.Module):
        head.register_forward_pre_hook(keep_input)
    elif isinstance(pooling, nn.Module):  # a fully convolutional network ends in it
        pooling.register_forward_hook(keep_output)
    elif linear := [module for module in model.modules() if isinstance(module, nn.Linear)]:
        linear[-1].register_forward_pre_hook(keep_input)
    else:  # of another library, and fully convolutional: its scores are all there is
        model.register_forward_hook(keep_output)
    logits: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(pixels), BATCH):
            batch = card.preprocess.squares(pixels[start : start + BATCH])
            inputs = torch.from_numpy(card.preprocess.normalise(batch))
            logits.append(model(inputs.contiguous(memory_format=torch.channels_last)).double())
            on_progress(min(start + BATCH, len(pixels)), len(pixels))
    return torch.cat(collected).numpy(), torch.cat(logits).numpy()


def feature_points(
    folder: Path,
    pixels: Image,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Features laid out in a plane by t-SNE (van der Maaten and Hinton, 2008).

    Args:
        folder: Checkpoint folder.
        pixels: uint8 (N, S, S).
        seed: Of the layout.
        on_progress: Called with pictures done and pictures in all while the network looks at them;
            the layout follows.

    Returns:
        Columns x, y, predicted; a row a picture. Fewer than five pictures lie on a line.

    Raises:
        CheckpointError: The folder cannot be used.
    """
    features, logits = pooled_features(folder, pixels, on_progress)
    labels = Card.load(folder / "card.json").labels
    predicted = [labels[answer] for answer in logits.argmax(axis=1)]
    count = len(features)
    if count < 5:
        places = np.column_stack([np.arange(count), np.zeros(count)])
    else:
        kept = min(COMPONENTS, count, features.shape[1])
        reduced = PCA(kept, random_state=seed).fit_transform(features)
        layout = TSNE(
            perplexity=min(PERPLEXITY, (count - 1) / 3),
            init="pca",
            random_state=seed,
            max_iter=FEW_STEPS if count <= FEW else STEPS,
        )
        places = layout.fit_transform(reduced)
    return pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "predicted": predicted})
