"""Every detector on the same pictures, and the pool that lends native ones."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import cv2
import numpy as np
import pytest

from core.errors import ConfigError, ImageError
from core.faces import DETECTORS, detect
from core.faces.detection import Pool, distinct, largest_first, shrunk
from core.types import Box, Detection, Image

NAMES = list(DETECTORS)
LIMIT = 5.0  # seconds; nothing here waits unless something is wrong


def test_the_promised_detectors_are_there() -> None:
    assert {"auto", "blazeface", "dlib_hog", "haar"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_face_in_the_photo_is_found(name: str, photo: Image, face_box: Box) -> None:
    found = detect(photo, name)

    assert len(found) == 1
    assert found[0].box.overlap(face_box) > 0.6
    assert found[0].score > 0


def test_detectors_agree_where_the_face_is(photo: Image) -> None:
    boxes = {name: detect(photo, name)[0].box for name in NAMES}

    overlaps = {(a, b): boxes[a].overlap(boxes[b]) for a, b in combinations(boxes, 2)}

    assert {pair: value for pair, value in overlaps.items() if value <= 0.5} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_grey_photo_is_searched_as_well(name: str, photo: Image, face_box: Box) -> None:
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    image = np.repeat(np.asarray(grey, np.uint8)[:, :, None], 3, axis=2)

    assert detect(image, name)[0].box.overlap(face_box) > 0.5


@pytest.mark.parametrize("name", NAMES)
def test_a_flat_picture_has_no_face(name: str) -> None:
    assert detect(np.full((300, 400, 3), 128, dtype=np.uint8), name) == ()


@pytest.mark.parametrize("name", ["auto", "dlib_hog", "haar"])
def test_two_faces_come_largest_first(name: str, pair: Image) -> None:
    found = detect(pair, name)

    assert [each.box.centre[0] > 200 for each in found] == [True, False]
    assert found[0].box.area > found[1].box.area


@pytest.mark.parametrize("name", NAMES)
def test_four_threads_get_the_answer_of_one(name: str, photo: Image, pair: Image) -> None:
    alone = [detect(photo, name), detect(pair, name)]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda image: detect(image, name), [photo, pair] * 4))

    assert together == alone * 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((20, 20), dtype=np.uint8),
        np.zeros((20, 20, 4), dtype=np.uint8),
        np.zeros((20, 20, 3), dtype=np.float32),
        np.zeros((0, 20, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_rgb_picture_is_refused(name: str, image: Image) -> None:
    with pytest.raises(ImageError, match=r"expected uint8 RGB \(H, W, 3\)"):
        detect(image, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 700, 3), (700, 1, 3)])
def test_slivers_do_no_harm(name: str, shape: tuple[int, int, int]) -> None:
    found = detect(np.full(shape, 90, dtype=np.uint8), name)

    assert all(each.detector == "whole" for each in found)


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(ConfigError, match="no face detector 'psychic'"):
        detect(np.zeros((9, 9, 3), dtype=np.uint8), "psychic")


def detection(left: int, top: int, side: int, score: float = 1.0) -> Detection:
    return Detection(Box(left, top, left + side, top + side), score, "test")


def test_of_boxes_on_one_face_the_first_stays() -> None:
    face, shifted, inside, other = (
        detection(0, 0, 100),
        detection(10, 10, 100),  # overlap 81 / 119
        detection(20, 20, 40),  # a sixth of the area, yet wholly inside
        detection(90, 0, 100),  # a neighbour: overlap 10 / 190
    )

    assert distinct([face, shifted, inside, other]) == (face, other)


def test_sorting_is_by_area_and_then_by_place() -> None:
    right, left, large = detection(50, 0, 10), detection(0, 0, 10), detection(0, 0, 20)

    assert largest_first([right, left, large]) == (large, left, right)


def test_shrinking_keeps_small_pictures_and_proportions() -> None:
    image = np.zeros((300, 600, 3), dtype=np.uint8)

    same, one = shrunk(image, 600)
    half, factor = shrunk(image, 300)

    assert same is image
    assert one == 1.0
    assert half.shape == (150, 300, 3)
    assert factor == 0.5


def counting() -> Pool[int]:
    numbers = iter(range(100))
    return Pool(lambda: next(numbers))


def test_an_idle_object_is_lent_again() -> None:
    pool = counting()

    with pool.borrow() as first:
        pass
    with pool.borrow() as second:
        pass

    assert (first, second) == (0, 0)


def test_two_borrowers_have_different_objects() -> None:
    pool = counting()

    with pool.borrow() as first, pool.borrow() as second:
        assert first != second


def test_an_object_comes_back_after_an_error() -> None:
    pool = counting()

    with pytest.raises(RuntimeError), pool.borrow():
        raise RuntimeError

    with pool.borrow() as again:
        assert again == 0


def test_no_more_objects_exist_than_were_in_use_at_once() -> None:
    pool = counting()
    both_inside = threading.Barrier(2)
    seen: list[int] = []

    def work() -> None:
        with pool.borrow() as item:
            both_inside.wait(timeout=5)
            seen.append(item)

    for _ in range(3):
        pair = [threading.Thread(target=work) for _ in range(2)]
        for thread in pair:
            thread.start()
        for thread in pair:
            thread.join()

    assert set(seen) == {0, 1}


def test_a_pool_builds_no_more_than_it_may_and_lends_each_to_one_thread() -> None:
    built: list[object] = []
    lent: list[object] = []
    most = 0
    together = threading.Barrier(2)

    def build() -> object:
        built.append(object())
        return built[-1]

    pool: Pool[object] = Pool(build, most=2)

    def use(_number: int) -> None:
        nonlocal most
        with pool.borrow() as item:
            assert item not in lent
            lent.append(item)
            most = max(most, len(lent))
            together.wait(LIMIT)
            lent.remove(item)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(40)))

    assert (len(built), most) == (2, 2)
