import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from worker.crop import FIVE_POINTS_112, five_points, mtcnn_margin, similarity


@given(
    st.floats(0.05, 20),
    st.floats(-np.pi, np.pi),
    st.floats(-2000, 2000),
    st.floats(-2000, 2000),
)
def test_a_known_transform_is_found_again(scale: float, angle: float, x: float, y: float) -> None:
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = FIVE_POINTS_112.astype(np.float64) @ linear.T + [x, y]
    matrix = similarity(FIVE_POINTS_112, moved)  # type: ignore[arg-type]
    np.testing.assert_allclose(matrix[:, :2], linear, rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(matrix[:, 2], [x, y], rtol=1e-5, atol=1e-3)


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=5, max_size=5, unique=True))
def test_it_is_the_least_squares_solution(points: list[tuple[float, float]]) -> None:
    p = np.array(points)
    if ((p - p.mean(0)) ** 2).sum() < 1:
        return
    t = FIVE_POINTS_112.astype(np.float64)
    rows = np.concatenate([[[x, -y, 1, 0], [y, x, 0, 1]] for x, y in p])  # a, b, tx, ty
    (a, b, tx, ty), *_ = np.linalg.lstsq(rows, t.ravel(), rcond=None)
    np.testing.assert_allclose(similarity(p, t), [[a, -b, tx], [b, a, ty]], rtol=1e-3, atol=1e-3)  # type: ignore[arg-type]


def test_landmarks_on_one_spot_are_refused() -> None:
    with pytest.raises(ValueError, match="lie on one spot"):
        five_points(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 7, np.float32))


def test_landmarks_land_where_the_template_has_them() -> None:
    frame = np.zeros((400, 600, 3), np.uint8)
    landmarks = FIVE_POINTS_112 * 1.5 + [200, 120]
    for x, y in landmarks:
        frame[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4] = 255
    for size in (112, 224):
        chip = five_points(frame, landmarks.astype(np.float32), size)
        assert chip.shape == (size, size, 3)
        for x, y in FIVE_POINTS_112 * (size / 112):
            assert chip[round(y), round(x)].min() > 200


@pytest.mark.parametrize("shift", [(-30, -30), (560, 0), (0, 360), (2000, 2000)])
def test_a_face_at_the_edge_gets_a_chip_with_black_outside(shift: tuple[int, int]) -> None:
    frame = np.full((400, 600, 3), 200, np.uint8)
    chip = five_points(frame, (FIVE_POINTS_112 + np.array(shift)).astype(np.float32))
    assert chip.shape == (112, 112, 3)
    assert (chip == 0).any()


def box(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_margin_chips_are_square_cuts_around_the_box() -> None:
    frame = np.zeros((400, 600, 3), np.uint8)
    frame[:, :, 0] = np.arange(600) * 255 // 599
    chip = mtcnn_margin(frame, box(200, 100, 300, 220))
    assert chip.shape == (224, 224, 3)
    side = 120 * (1 + 44 / 160)
    assert chip[:, 0, 0].mean() == pytest.approx((250 - side / 2) * 255 / 599, abs=1.5)
    assert chip[:, -1, 0].mean() == pytest.approx((250 + side / 2) * 255 / 599, abs=1.5)


@pytest.mark.parametrize("values", [(-50, -50, 60, 60), (560, 350, 700, 500), (0, 0, 600, 400), (-900, -900, 900, 900)])
def test_margin_chips_are_clipped_at_the_frame(values: tuple[float, ...]) -> None:
    assert mtcnn_margin(np.full((400, 600, 3), 9, np.uint8), box(*values), 64).mean() == 9


@pytest.mark.parametrize(
    "values", [(700, 10, 800, 100), (-300, 10, -200, 100), (10, -500, 60, -400), (100, 100, 100, 100)]
)
def test_a_box_with_nothing_of_the_frame_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="outside the 600×400 frame"):
        mtcnn_margin(np.zeros((400, 600, 3), np.uint8), box(*values))
