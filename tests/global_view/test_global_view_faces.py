"""Maps laid over one another, landmark on landmark."""

import numpy as np
from numpy.typing import NDArray
from skimage.transform import PiecewiseAffineTransform, warp

from core.global_view.faces import MeanShapeWarp

SIDE = 24


def shape_of(seed: int, spread: float = 0.0) -> NDArray[np.float64]:
    """Points well inside the picture, moved a little."""
    grid = np.stack(np.meshgrid(np.linspace(0.2, 0.8, 4), np.linspace(0.25, 0.75, 3)), axis=-1)
    points = grid.reshape(-1, 2) + np.random.default_rng(1).uniform(-0.02, 0.02, (12, 2))
    return points + np.random.default_rng(seed).uniform(-spread, spread, (12, 2))


def ramp() -> NDArray[np.float64]:
    """A map of the picture's x, plus twice its y, at the centres of the cells."""
    centres = (np.arange(SIDE) + 0.5) / SIDE
    return centres[None, :] + 2 * centres[:, None]


def test_a_face_of_the_mean_shape_keeps_its_map() -> None:
    shape = shape_of(0)

    warped = MeanShapeWarp(shape, SIDE)(ramp(), shape)

    np.testing.assert_allclose(warped, ramp(), atol=1e-9)


def test_every_landmark_falls_on_the_mean_landmark() -> None:
    shape, face = shape_of(0), shape_of(5, 0.04)

    # A cell's centre on a mean landmark comes from that landmark of the face.
    centres = (np.arange(SIDE) + 0.5) / SIDE
    shape[3] = (centres[14], centres[7])
    places = MeanShapeWarp(shape, SIDE).sources(face)

    np.testing.assert_allclose(places[7, 14], face[3], atol=1e-9)


def test_what_lies_at_a_landmark_moves_with_it() -> None:
    """A face shifted as a whole: inside the landmarks its map comes back unshifted."""
    shape = shape_of(0)
    moved = shape + np.array([0.05, 0.0])

    warped = MeanShapeWarp(shape, SIDE)(ramp(), moved)

    inner = slice(8, 16)
    np.testing.assert_allclose(warped[inner, inner], ramp()[inner, inner] + 0.05, atol=1e-9)


def test_it_agrees_with_scikit_image() -> None:
    shape, face = shape_of(0), shape_of(7, 0.04)
    frame = np.array([(0, 0), (0.5, 0), (1, 0), (1, 0.5), (1, 1), (0.5, 1), (0, 1), (0, 0.5)])
    heat = np.random.default_rng(3).uniform(size=(SIDE, SIDE))
    # scikit-image counts in pixels whose centres are whole numbers.
    mean, own = (np.concatenate([points, frame]) * SIDE - 0.5 for points in (shape, face))
    transform = PiecewiseAffineTransform.from_estimate(mean, own)  # type: ignore[no-untyped-call]

    expected = warp(heat, transform, order=1, mode="edge")  # type: ignore[no-untyped-call]

    found = MeanShapeWarp(shape, SIDE)(heat, face)
    inner = slice(1, -1)  # beyond the outermost centres it knows no triangles
    np.testing.assert_allclose(found[inner, inner], expected[inner, inner], atol=1e-6)


def test_a_finer_map_is_averaged_not_sampled() -> None:
    shape = shape_of(0)
    board = np.indices((2 * SIDE, 2 * SIDE)).sum(axis=0) % 2.0

    warped = MeanShapeWarp(shape, SIDE)(board, shape)

    np.testing.assert_allclose(warped, 0.5)


def test_landmarks_beyond_the_picture_are_bearable() -> None:
    face = shape_of(0)
    face[0] = (-0.2, 1.3)

    warped = MeanShapeWarp(shape_of(0), SIDE)(ramp(), face)

    assert np.isfinite(warped).all()
