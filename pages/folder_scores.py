"""Classification scores of a whole folder, as in section 4.2 of the paper."""

import streamlit as st

from core.files import changed
from core.scoring import FacesMode
from webapp import cache, widgets
from webapp.errors import shown_errors
from webapp.folder_scores.files_input import files_input, on_disk
from webapp.folder_scores.scored import (
    Scored,
    offer_address,
    score,
    show_linked,
    show_scores,
)
from webapp.text import counted
from webapp.waiting import Waiting

KEPT = "folder scores"  # (what was asked, what came of it, what was left out) of this visit
NOTHING: tuple[None, None, list[tuple[str, str]]] = (None, None, [])
MODES: dict[FacesMode, str] = {
    "auto": "Automatic: the largest face; a small picture without one counts as a face",
    "whole": "Each picture is one face (quickest)",
    "detect": "The largest face; any picture without one counts as a face",
}

st.title("Folder scores")
st.caption(
    "See what a network answers on your own pictures, and how often it agrees with your labels. "
    "Every picture gets a probability for each expression; where file or folder names carry "
    "labels, the answers are compared with them."
)
checkpoint = widgets.checkpoint_picker()
faces = st.sidebar.radio("Faces", list(MODES), format_func=MODES.__getitem__, key="faces mode")
all_faces = st.sidebar.toggle(
    "A row for every face",
    key="all faces",
    disabled=faces == "whole",
    help="Also small faces of large photos are looked for, which takes longer.",
)
all_faces = all_faces and faces != "whole"
with shown_errors():
    chosen = files_input()
    if chosen is None and not show_linked():
        _, result, left_out = st.session_state.get(KEPT, NOTHING)
        if isinstance(result, Scored):
            st.caption("The scores of the pictures chosen before; they stay for your visit.")
            offer_address(result, left_out)
            show_scores(result, left_out)
    if checkpoint is None or chosen is None:
        st.stop()
    weights = changed(checkpoint / "weights.safetensors")
    asked = (chosen.key, str(checkpoint), weights, faces, all_faces)
    begin = st.button("Score the pictures", type="primary", key="score")
    waiting = Waiting(asked, "cancel scores")
    if begin:
        waiting.forget()
        st.session_state.pop(KEPT, None)
        predictor = cache.predictor(checkpoint)
        with on_disk(chosen) as (files, root, skipped):

            def show_progress(done: int) -> None:
                """Move the bar to the number of files done."""
                words = f"{done:,} of {counted(len(files), 'picture')},"
                waiting.show(done / len(files), words)

            scored = score(files, root, predictor, faces, show_progress, all_faces=all_faces)
        waiting.end()
        st.session_state[KEPT] = asked, scored, list(skipped)
    elif waiting.was_cancelled:
        st.info("The scoring was cancelled before its end, so there is nothing to show.")
    former, result, left_out = st.session_state.get(KEPT, NOTHING)
    if isinstance(result, Scored) and former == asked:
        offer_address(result, left_out)
        show_scores(result, left_out)
