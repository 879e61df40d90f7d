"""The table of an analysed video, by face, over time and at a moment."""

from io import BytesIO
from pathlib import Path
from time import CLOCK_BOOTTIME, clock_gettime

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.files import write_json
from core.video import ENDS_EARLY, JobStatus
from webapp.charts.timeline import face_timeline
from webapp.video.progress import overall, time_left, words
from webapp.video.result import MOST_POINTS, FaceNumbers
from webapp.video.source import Chosen
from webapp.video.store import Analysis

LABELS = ("calm", "glad")
HEADER = "frame,time,face,left,top,right,bottom,calm,glad,label,detected"


def table(tmp_path: Path, *rows: tuple[float, int | None, float]) -> FaceNumbers:
    """Numbers of rows of time, face and probability of "glad"."""
    lines, frames = [HEADER], sorted({time for time, _, _ in rows})
    for time, face, glad in rows:
        number = frames.index(time)
        if face is None:
            lines.append(f"{number},{time:.4f},,,,,,,,,")
        else:
            name = "glad" if glad > 0.5 else "unclear"
            lines.append(f"{number},{time:.4f},{face},1,2,3,4,{1 - glad:.6f},{glad:.6f},{name},1")
    path = tmp_path / "faces.csv"
    path.write_text("\n".join(lines) + "\n")
    return FaceNumbers.read(path)


def test_classes_are_the_columns_between_box_and_label(tmp_path: Path) -> None:
    assert table(tmp_path, (0.0, 1, 0.2)).labels == LABELS


def test_at_a_moment_all_faces_of_the_frame_shown_are_given(tmp_path: Path) -> None:
    numbers = table(tmp_path, (0.0, 1, 0.2), (0.04, 1, 0.9), (0.04, 2, 0.4), (0.08, None, 0.0))

    found = numbers.at(0.06)

    assert [(face, label) for face, label, _ in found] == [(1, "glad"), (2, "unclear")]
    np.testing.assert_allclose(found[0][2].probabilities, [0.1, 0.9])
    assert numbers.at(0.08) == []
    assert [numbers.nearest(moment) for moment in (-1, 0.039, 0.04, 9)] == [0, 0, 0.04, 0.08]


def test_a_short_timeline_is_the_table_itself(tmp_path: Path) -> None:
    numbers = table(tmp_path, (0.0, 1, 0.2), (0.04, 2, 0.5), (0.04, 1, 0.3))

    times, shares = numbers.timeline(1)

    assert times.tolist() == [0.0, 0.04]
    np.testing.assert_allclose(shares, [[0.8, 0.2], [0.7, 0.3]])


def test_a_long_timeline_is_averaged_over_equal_spans(tmp_path: Path) -> None:
    count = 2 * MOST_POINTS
    rows = [(number / 25, 1, 0.2 if number % 2 else 0.6) for number in range(count)]

    times, shares = table(tmp_path, *rows).timeline(1)

    assert len(times) == MOST_POINTS
    np.testing.assert_allclose(times[:2], [0.02, 0.10])
    np.testing.assert_allclose(shares[:, 1], 0.4)


def test_the_line_breaks_where_the_face_was_away(tmp_path: Path) -> None:
    numbers = table(tmp_path, (0.0, 1, 0.2), (0.04, 1, 0.2), (5.0, 1, 0.8), (5.04, 1, 0.8))

    times, shares = numbers.timeline(1)

    assert np.isnan(shares[:, 1]).tolist() == [False, False, True, False, False]
    assert 0.04 < times[2] < 5.0


def test_the_chart_has_a_line_a_class_and_a_mark_at_the_moment() -> None:
    figure = face_timeline(
        np.array([0.0, 1.0]), np.array([[0.2, 0.8], [0.4, 0.6]]), LABELS, 0.5, ""
    )

    assert [trace.name for trace in figure.data] == list(LABELS)
    assert figure.data[1].y.tolist() == [0.8, 0.6]
    assert figure.layout.shapes[0].x0 == 0.5
    assert figure.layout.xaxis.range is None
    assert "markers" in figure.data[0].mode  # lines alone take no clicks


def test_the_axis_goes_over_the_whole_film_where_faces_leave_early() -> None:
    shares = np.array([[0.2, 0.8], [0.4, 0.6]])
    figure = face_timeline(np.array([0.0, 1.0]), shares, LABELS, 0.5, "", whole=(0.0, 4.0))

    assert figure.layout.xaxis.range == (0.0, 4.0)


def test_a_film_that_broke_off_says_so_above_its_result(tmp_path: Path) -> None:
    def page(folder: str) -> None:
        from pathlib import Path

        from webapp.video.result import show_result

        show_result(Path(folder), "film")

    early = f"The file says it lasts 4.0 s{ENDS_EARLY} after 1.4 s."
    facts = {"status": "finished", "seconds": 1.4, "frames": 36, "frames_without_face": 36}
    facts |= {"elapsed": 1.0, "times_real_time": 1.4, "faces": [], "caveat": "As raters label."}
    source = {"height": 48, "width": 64}
    write_json(tmp_path / "summary.json", {**facts, "source": source, "notes": [early, "Else."]})
    (tmp_path / "faces.csv").write_text(HEADER)

    app = AppTest.from_function(page, args=(str(tmp_path),)).run()

    assert not app.exception
    assert [warning.value for warning in app.warning] == [early]
    captions = [caption.value for caption in app.caption]
    assert "Else." in captions
    assert early not in captions


def test_a_moment_alone_is_a_dot_a_class() -> None:
    times, gap = np.array([0.0, 3.0, 4.0, 8.0, 8.5, 9.0]), [np.nan, np.nan]
    shares = np.array([[0.2, 0.8], gap, [0.3, 0.7], gap, [0.4, 0.6], [0.5, 0.5]])

    figure = face_timeline(times, shares, LABELS, None, "")

    dots = figure.data[1::2]
    assert [(dot.name, dot.mode, dot.showlegend) for dot in dots] == [
        (label, "markers", False) for label in LABELS
    ]
    assert [dot.x.tolist() for dot in dots] == [[0.0, 4.0]] * 2
    assert [dot.y.tolist() for dot in dots] == [[0.2, 0.3], [0.8, 0.7]]
    assert dots[0].marker.opacity is None


@pytest.mark.parametrize(
    ("job", "share", "said"),
    [
        (JobStatus("running"), 0.0, "Loading the network …"),
        (
            JobStatus("running", frames=50, expected=200, elapsed=40.0, pace=0.2),
            0.25,
            "50 of 200 frames, 30 s left",
        ),
        (JobStatus("running", frames=7, elapsed=10.0), 0.0, "7 frames"),
        (
            JobStatus("running", video="b.avi", number=2, of=4, frames=1, expected=2, pace=60),
            0.375,
            "Video 2 of 4, b.avi: 1 of 2 frames, 1 min left",
        ),
    ],
)
def test_progress_is_told_in_words(job: JobStatus, share: float, said: str) -> None:
    assert overall(job) == share
    assert words(job) == said


def test_while_the_network_is_loaded_its_seconds_count() -> None:
    began = clock_gettime(CLOCK_BOOTTIME) - 75.2

    assert words(JobStatus("running", born=began, boot="this")) == (
        "Loading the network … 1 min 15 s"
    )


def test_the_time_left_is_not_guessed_at_once() -> None:
    assert time_left(JobStatus("running", frames=1, expected=100, elapsed=40.0)) is None


def test_files_are_named_after_the_film_and_the_network() -> None:
    named = Analysis("token", "My film (2)/à la ville.mp4", "some-net", several=False)

    assert named.file_name == "à_la_ville-some-net"
    assert Analysis("token", "...", "net", several=False).file_name == "video-net"


def test_an_upload_keeps_its_name_in_a_folder_of_its_own(tmp_path: Path) -> None:
    upload = Chosen("../../À la ville (2).MP4", upload=BytesIO(b"film"))

    target = upload.on_disk(tmp_path)

    assert target == tmp_path / "film" / "À_la_ville_2.mp4"
    assert target.read_bytes() == b"film"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("a" * 100 + " b.MP4", "a" * 100 + "_b.mp4"),
        ("ü" * 120 + ".mov", "ü" * 80 + ".mov"),  # two bytes each
        ("x" + "ü" * 120 + ".mov", "x" + "ü" * 79 + ".mov"),
        ("../??.avi", "video.avi"),
    ],
)
def test_a_long_name_is_cut_where_files_cannot_have_it(
    tmp_path: Path, title: str, name: str
) -> None:
    assert Chosen(title, upload=BytesIO(b"film")).on_disk(tmp_path).name == name
