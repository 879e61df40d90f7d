"""Mean maps as pictures, and regions as rows."""

import numpy as np
from made_view import made_view

from core.drawing import colour_table
from core.global_view import (
    MEASURES,
    group_of,
    mean_map_picture,
    region_rows,
    view_scale,
)


def test_the_scale_is_that_of_the_right_answers() -> None:
    view = made_view()

    assert view_scale(view) == 4.0  # the two wrong answers reach 9
    only_wrong = made_view(groups=[group_of(view, "fear", right=False)])
    assert view_scale(only_wrong) == 9.0
    assert view_scale(made_view(groups=[])) == 0.0


def test_the_map_lies_under_the_mean_landmarks() -> None:
    view = made_view()

    picture = mean_map_picture(view, group_of(view, "fear", right=True), 4.0)

    table = colour_table("violet")
    assert picture.shape == (256, 256, 3)
    assert tuple(picture[0, 0]) == tuple(table[-1])  # the peak, at the upper left
    assert tuple(picture[-1, -1]) == tuple(table[0])  # no evidence, at the lower right
    jaw = picture[126:130, 55:85].reshape(-1, 3)
    assert (jaw > 200).all(axis=1).any()  # the light line through the points, at half the height


def test_without_faces_the_landmarks_stand_alone() -> None:
    view = made_view(signed=True)

    picture = mean_map_picture(view, group_of(view, "happiness", right=False), 4.0)

    colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    assert tuple(colours[counts.argmax()]) == tuple(colour_table("diverging")[255])
    assert (picture < 60).all(axis=2).any()


def test_a_row_a_group_and_region() -> None:
    rows = region_rows(made_view())

    assert len(rows) == 8
    first, empty = rows[0], rows[2]
    assert (first["label"], first["answered"], first["region"]) == ("happiness", "right", "mouth")
    assert (first["drop"], first["drop_low"], first["drop_high"]) == (0.3, 0.25, 0.35)
    assert first["faces"] == 40
    assert all(empty[measure] is None for measure in MEASURES)
