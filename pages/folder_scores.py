"""Classification scores of a whole folder, as in section 4.2 of the paper."""

import streamlit as st

from core.files import changed
from core.scoring import FacesMode
from webapp import cache, widgets
from webapp.errors import shown_errors
from webapp.folder_scores.files_input import files_input, on_disk
from webapp.folder_scores.scored import Scored, score, show_scores
from webapp.text import counted

KEPT = "folder scores"  # (what was asked, what came of it) of this visit
MODES: dict[FacesMode, str] = {
    "auto": "Automatic: the largest face, or a small picture as it is",
    "whole": "Each picture is one face (quickest)",
    "detect": "The largest face, or any picture as it is",
}

st.title("Folder scores")
st.caption(
    "Six probabilities for every picture of a folder. Where file or folder names carry labels, "
    "the answers are compared with them."
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
    if checkpoint is None or chosen is None:
        st.stop()
    weights = changed(checkpoint / "weights.safetensors")
    asked = (chosen.key, str(checkpoint), weights, faces, all_faces)
    if st.button("Score the pictures", type="primary", key="score"):
        st.session_state.pop(KEPT, None)
        predictor = cache.predictor(checkpoint)
        with on_disk(chosen) as (files, root, skipped):
            bar = st.progress(0.0)

            def show_progress(done: int) -> None:
                """Move the bar to the number of files done."""
                bar.progress(done / len(files), f"{done:,} of {counted(len(files), 'picture')}")

            scored = score(files, root, predictor, faces, show_progress, all_faces=all_faces)
            bar.empty()
        st.session_state[KEPT] = asked, scored, list(skipped)
    former, result, left_out = st.session_state.get(KEPT, (None, None, []))
    if isinstance(result, Scored) and former == asked:
        show_scores(result, left_out)
