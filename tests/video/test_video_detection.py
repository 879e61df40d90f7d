from core.video.detection import FrameBudget


def searches(pace: FrameBudget, frames: int, wanted: int, seconds: float) -> int:
    count = 0
    for _ in range(frames):
        if pace.due(wanted):
            pace.searched()
            count += 1
        pace.spent(seconds)
    return count


def test_with_time_to_spare_every_nth_frame_is_searched() -> None:
    assert searches(FrameBudget(0.033), frames=50, wanted=5, seconds=0.01) == 10


def test_frames_over_budget_are_searched_more_rarely_but_still_searched() -> None:
    pace = FrameBudget(0.033)
    searches(pace, frames=50, wanted=5, seconds=0.05)

    assert pace.stretch == 4
    assert searches(pace, frames=100, wanted=5, seconds=0.05) == 5


def test_it_recovers() -> None:
    pace = FrameBudget(0.033)
    searches(pace, frames=50, wanted=5, seconds=0.05)
    searches(pace, frames=100, wanted=5, seconds=0.01)

    assert pace.stretch == 1


def test_a_file_takes_the_time_it_takes() -> None:
    assert searches(FrameBudget(0), frames=50, wanted=5, seconds=9.0) == 10
