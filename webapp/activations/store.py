"""What layers give for a face, kept for the visit."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.explain import layer_outputs
from webapp.explaining.subject import Subject


def outputs(subject: Subject, layer: str) -> tuple[NDArray[np.float32], ...]:
    """What the layer gives, once for each time it runs: float32 (C, h, w) or (C,).

    Raises:
        CoreError: There is no such layer.
    """
    return _outputs(*subject.key, layer, _subject=subject)


@st.cache_resource(scope="session", max_entries=24, show_spinner=False)
def _outputs(
    folder: str,
    modified: float,
    digest: str,
    detector: str,
    number: int,
    layer: str,
    *,
    _subject: Subject,
) -> tuple[NDArray[np.float32], ...]:
    found = layer_outputs(_subject.predictor.model, _subject.batch(), layer)
    return tuple(output[0].numpy().astype(np.float32, copy=False) for output in found)
