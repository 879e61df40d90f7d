"""A single picture instead of a stream, for where no video connection can be made."""

from dataclasses import replace

import cv2
import numpy as np
import streamlit as st

from core import Image
from core.drawing import annotate_frame
from core.types import FrameResult
from core.video import FaceFinder, FrameModel, Pipeline
from webapp.inputs import Picture
from webapp.live_camera.stream import View
from webapp.text import counted

SINGLE = 0.0  # a single picture has no past to smooth with


def show_snapshot(model: FrameModel, reader: FaceFinder, view: View) -> None:
    """Take a picture with the browser, analyse it like a frame and show it."""
    taken = st.camera_input("Take a picture", key="snapshot", width=640)
    if taken is None:
        return
    image, result = analysed(Picture("camera.jpg", taken.getvalue()).decoded(), model, reader, view)
    preprocess = model.card.preprocess
    drawing = replace(view.drawing, coverage=preprocess.crop / preprocess.size)
    st.image(annotate_frame(image, result, drawing), width="stretch")
    st.caption(
        f"{counted(len(result.faces), 'face')}. For maps of every expression and downloads, use "
        "the page **Image explanation**."
    )


def analysed(
    image: Image, model: FrameModel, reader: FaceFinder, view: View
) -> tuple[Image, FrameResult]:
    """The picture, mirrored if wanted, and what is in it."""
    if view.mirror:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    pipeline = Pipeline(model, reader, replace(view.pipeline, smoothing=SINGLE))
    return image, pipeline.process(image, 0.0)
