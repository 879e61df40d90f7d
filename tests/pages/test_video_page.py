"""The video page: a film is chosen, analysed beside the app, and looked through."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import streamlit as st
from clips import face_frame, walking_face, write_clip
from live_world import Person, World
from streamlit.testing.v1 import AppTest

from core.files import write_json
from core.video import JobRecord, analyse_folder, analyse_video, job_log, read_job
from core.video.analysis import drop
from webapp.video import result
from webapp.video.store import KEPT, Analysis, forget_old, place

PAGE = "../pages/video.py"
TOKEN = "abcdefghijklmnop"
Made = Callable[..., Path]


@pytest.fixture(autouse=True)
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder and a cache of this test's own."""
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    st.cache_data.clear()
    return tmp_path / "data"


def opened(app: AppTest, **query: str) -> AppTest:
    app.run()
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(PAGE).run()
    assert not app.exception
    return app


def chosen(app: AppTest, name: str) -> AppTest:
    app.button_group(key="video_source").set_value("Data folder").run()
    app.selectbox(key="video_path").set_value(name).run()
    return app


def analysis_of(app: AppTest) -> Analysis:
    asked = app.query_params["analysis"]
    return Analysis(asked if isinstance(asked, str) else asked[0], "", "", several=False)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def bars(app: AppTest) -> int:
    return sum("probability-bars" in element.proto.body for element in app.get("html"))


def kept(*, several: bool = False) -> Analysis:
    """An analysis whose results the test writes itself."""
    analysis = Analysis(TOKEN, "in.mp4", "some-net", several)
    analysis.results.mkdir(parents=True)
    write_json(analysis.folder / "request.json", asdict(analysis))
    return analysis


def world_film(path: Path, world: World, frames: int = 8) -> Path:
    return write_clip(path, [world.frame() for _ in range(frames)])


def test_before_anything_is_chosen_the_page_says_what_it_needs(
    app: AppTest, made_checkpoint: Made
) -> None:
    made_checkpoint()

    opened(app)

    assert "Everyone in the video must know and agree" in texts(app)
    assert app.button(key="video_start").disabled
    app.button_group(key="video_source").set_value("Data folder").run()
    assert "There is no video below the data folder" in texts(app)


@pytest.mark.slow
def test_a_film_is_analysed_found_again_and_looked_through(
    app: AppTest, made_checkpoint: Made, films: Path
) -> None:
    made_checkpoint(share=0.9, weight=1.0)
    write_clip(films / "walk.mp4", walking_face(12), sound=True)
    chosen(opened(app), "walk.mp4").button(key="video_start").click().run()
    analysis = analysis_of(app)
    assert "is being analysed" in texts(app)
    assert "video_cancel" in [button.key for button in app.button]

    until(lambda: (read_job(analysis.results) or pytest.fail("no job")).state == "finished")
    again = opened(AppTest.from_file(app._script_path), analysis=analysis.token)

    assert not again.exception
    assert "video_go_on" not in [button.key for button in again.button]  # nothing is left to do
    figures = {metric.label: metric.value for metric in again.metric}
    assert figures == {"Length": "0 s", "Faces": "1", "Frames": "12", "Without a face": "0"}
    assert len(again.get("video")) == 1
    assert len(again.get("plotly_chart")) == 1
    assert len(again.get("download_button")) == 3
    assert "The frame at 0.00 s" in texts(again)
    again.slider(key="video_moment").set_value(0.3).run()
    assert "The frame at 0.28 s" in texts(again)
    assert "**surprise**" in texts(again)
    assert bars(again) == 1


@pytest.mark.slow
def test_an_analysis_can_be_cancelled_and_what_was_done_is_kept(
    app: AppTest, made_checkpoint: Made, films: Path
) -> None:
    made_checkpoint()
    write_clip(films / "long.mp4", [face_frame(320, 240)] * 900)
    chosen(opened(app), "long.mp4").button(key="video_start").click().run()
    analysis = analysis_of(app)
    until(lambda: (read_job(analysis.results) or pytest.fail("no job")).frames > 0)

    app.run().button(key="video_cancel").click().run()
    assert [toast.value for toast in app.toast] == [
        "Ending after this frame; what was done is kept."
    ]

    until(lambda: (read_job(analysis.results) or pytest.fail("no job")).state == "stopped")
    app.run()
    assert "Cancelled: these are the first" in texts(app)
    assert len(app.get("download_button")) == 3
    assert "video_go_on" in [button.key for button in app.button]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.mp4", b"no video at all", "cannot be opened as a video"),
        ("half.mp4", None, "transfer broke off"),
    ],
)
def test_what_is_no_video_is_refused_in_one_sentence_and_not_kept(
    app: AppTest,
    made_checkpoint: Made,
    films: Path,
    name: str,
    content: bytes | None,
    sentence: str,
) -> None:
    made_checkpoint()
    if content is None:
        whole = write_clip(films / "whole.mp4", walking_face(20)).read_bytes()
        content = whole[: len(whole) // 2]  # the index of an mp4 stands at its end
    opened(app)
    app.file_uploader[0].upload(name, content, "video/mp4").run()

    app.button(key="video_start").click().run()

    assert [sentence in error.value for error in app.error] == [True]
    assert "Traceback" not in texts(app)
    assert list(place().iterdir()) == []


def test_a_file_that_is_too_large_is_refused(
    app: AppTest, made_checkpoint: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_checkpoint()
    monkeypatch.setattr("webapp.video.source.LARGEST_UPLOAD", 1)
    opened(app)

    app.file_uploader[0].upload("long.mp4", b"0" * (2**20 + 1), "video/mp4").run()

    assert ["it has 1.0 MB; expected at most 1." in error.value for error in app.error] == [True]


def test_a_read_only_server_starts_nothing(
    app: AppTest, made_checkpoint: Made, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_checkpoint()
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")
    world_film(films / "walk.mp4", World([Person(1, 160, 120)]))

    chosen(opened(app), "walk.mp4").button(key="video_start").click().run()

    assert "read-only" in app.error[0].value
    assert not place().exists()


def test_a_film_without_a_face_says_so(app: AppTest, films: Path) -> None:
    world = World()
    analyse_video(world_film(films / "in.mp4", world), kept().results, world, world)

    opened(app, analysis=TOKEN)

    assert "No face was found in any of the 8 frames" in texts(app)
    assert len(app.get("video")) == 1
    assert len(app.get("plotly_chart")) == 0


def test_results_that_others_began_to_replace_are_not_shown(app: AppTest, films: Path) -> None:
    world, analysis = World([Person(1, 80, 120)]), kept()
    analyse_video(world_film(films / "in.mp4", world), analysis.results, world, world)
    drop(analysis.results)

    opened(app, analysis=TOKEN)

    assert "may not belong together. Analyse the video again" in texts(app)
    assert len(app.get("video")) == 0


def test_every_face_has_its_own_timeline(app: AppTest, films: Path) -> None:
    world = World([Person(1, 80, 120), Person(2, 240, 120, logits=(0, 3, 0, 0, 0, 0))])
    analyse_video(world_film(films / "in.mp4", world), kept().results, world, world)

    opened(app, analysis=TOKEN)

    assert bars(app) == 2
    assert app.selectbox(key="video_face").options == [
        "Face 1, in 8 frames",
        "Face 2, in 8 frames",
    ]
    app.selectbox(key="video_face").set_value(2).run()
    assert not app.exception


def test_left_and_right_of_a_folder_are_compared(app: AppTest, films: Path) -> None:
    world = World([Person(1, 160, 120)])
    for side in ("Left", "Right"):
        world_film(films / f"{side}VideoSN001.avi", world)
    (films / "broken.mp4").write_text("no video")
    analyse_folder(
        films,
        kept(several=True).results,
        lambda source, out: analyse_video(source, out, world, world),
    )

    opened(app, analysis=TOKEN)

    assert "**2 videos analysed**, 1 file unreadable" in texts(app)
    pairs = app.dataframe[1].value
    assert pairs["same label"].tolist() == [1.0]
    assert app.selectbox(key="video_detail").options == [
        "LeftVideoSN001.avi",
        "RightVideoSN001.avi",
    ]
    assert len(app.get("video")) == 1


def test_a_click_on_a_line_turns_to_that_moment(app: AppTest, films: Path) -> None:
    world = World([Person(1, 160, 120)])
    analyse_video(world_film(films / "in.mp4", world), kept().results, world, world)
    with pytest.MonkeyPatch.context() as patch:
        state = {result.CHART: {"selection": {"points": [{"x": 0.16, "y": 0.5}]}}}
        patch.setattr(st, "session_state", state)
        result._clicked()

    assert state[result.MOMENT] == 0.16  # type: ignore[comparison-overlap]


def test_results_are_deleted_on_request(app: AppTest, films: Path) -> None:
    world = World([Person(1, 160, 120)])
    analysis = kept()
    analyse_video(world_film(films / "in.mp4", world), analysis.results, world, world)
    opened(app, analysis=TOKEN)

    assert "The video's copy goes with all results" in texts(app)
    app.button(key="video_delete").click().run()

    assert not analysis.folder.exists()
    assert "Everyone in the video must know" in texts(app)


@pytest.mark.parametrize("token", [TOKEN, "../../etc/passwd", "x"])
def test_an_address_that_leads_nowhere_says_so(app: AppTest, token: str) -> None:
    opened(app, analysis=token)

    assert "The analysis in this address is gone" in app.error[0].value


def test_while_a_film_is_analysed_its_latest_frame_is_seen(app: AppTest) -> None:
    analysis = kept()
    record = JobRecord(analysis.results)
    assert not opened(app, analysis=TOKEN).get("image")

    record.show(lambda: face_frame(320, 240))

    assert len(opened(app, analysis=TOKEN).get("image")) == 1
    assert "video_cancel" in [button.key for button in app.button]


def test_an_analysis_that_died_gives_its_reason_and_a_way_on(
    app: AppTest, made_checkpoint: Made
) -> None:
    made_checkpoint()
    analysis = kept()
    write_json(analysis.results / "job.json", {"state": "failed", "reason": "Out of luck."})
    job_log(analysis.results).write_text("Traceback: at the very end")
    opened(app, analysis=TOKEN)
    assert "in.mp4: Out of luck." in app.error[0].value
    assert app.code[0].value == "Traceback: at the very end"

    app.button(key="video_again").click().run()

    assert not app.error
    assert not analysis.folder.exists()


def test_an_analysis_that_was_broken_off_goes_on_at_a_click(
    app: AppTest, made_checkpoint: Made, films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_checkpoint()
    begun: list[tuple[Path, Path, list[str]]] = []

    def start(source: Path, out: Path, options: list[str]) -> None:
        begun.append((source, out, options))
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "job.json", {"state": "failed", "reason": "Out of luck."})

    monkeypatch.setattr("webapp.video.store.start_job", start)
    write_clip(films / "walk.mp4", walking_face(3))
    chosen(opened(app), "walk.mp4").button(key="video_start").click().run()
    assert "Out of luck." in app.error[0].value
    assert "*Start again* analyses the video from its beginning" in texts(app)

    app.button(key="video_go_on").click().run()

    assert begun[1] == begun[0]
    assert begun[0][0] == films / "walk.mp4"


def test_old_results_are_forgotten() -> None:
    old = kept().folder
    before = time.time() - KEPT - 60
    os.utime(old, (before, before))

    forget_old()

    assert not old.exists()
