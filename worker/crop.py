"""Cutting faces out of frames: the two crop rules that a bundle can ask for. Also used to prepare training pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray

FIVE_POINTS_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
"""Left eye, right eye, nose, mouth corners in a 112 px chip: the template that SFace and the ArcFace family were trained on."""

MARGIN_SHARE = 44 / 160
"""Margin of the `mtcnn-margin` rule, both sides together, as a share of the box; facenet's 44 px around a 160 px crop."""


def similarity(points: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """2×3 matrix of the least-squares similarity (turn, scale, shift) from (n, 2) points to (n, 2) targets.

    Closed form for the plane; reflections can't come out of it. Source: Umeyama 1991, for two dimensions.
    """
    p_mean, t_mean = points.mean(0), target.mean(0)
    p, t = (points - p_mean).astype(np.float64), (target - t_mean).astype(np.float64)
    norm = (p**2).sum()
    if norm < 1e-9:
        raise ValueError("landmarks lie on one spot: no face can be aligned by them")
    a = (p * t).sum() / norm
    b = (p[:, 0] * t[:, 1] - p[:, 1] * t[:, 0]).sum() / norm
    linear = np.array([[a, -b], [b, a]])
    return np.hstack([linear, (t_mean - linear @ p_mean)[:, None]])


def by_rule(
    rule: str, frame: NDArray[np.uint8], box: NDArray[np.float32], landmarks: NDArray[np.float32], size_px: int
) -> NDArray[np.uint8]:
    """Chip (size, size, 3) of a face by the rule that a bundle or a recipe names; raises ValueError where nothing is left."""
    if rule == "five-points":
        return five_points(frame, landmarks, size_px)
    return mtcnn_margin(frame, box, size_px)


def five_points(frame: NDArray[np.uint8], landmarks: NDArray[np.float32], size_px: int = 112) -> NDArray[np.uint8]:
    """Aligned chip (size, size, 3) by five landmarks (5, 2) in frame pixels; outside the frame is black."""
    matrix = similarity(landmarks, FIVE_POINTS_112 * (size_px / 112))
    return np.asarray(cv2.warpAffine(frame, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR), np.uint8)


def mtcnn_margin(frame: NDArray[np.uint8], box: NDArray[np.float32], size_px: int = 224) -> NDArray[np.uint8]:
    """Square chip around the box (left, top, right, bottom in pixels) with the margin, resized; clipped at the frame."""
    height, width = frame.shape[:2]
    left, top, right, bottom = (float(v) for v in box)
    side = max(right - left, bottom - top) * (1 + MARGIN_SHARE)
    x, y = (left + right) / 2, (top + bottom) / 2
    x0, x1 = max(0, round(x - side / 2)), min(width, round(x + side / 2))
    y0, y1 = max(0, round(y - side / 2)), min(height, round(y + side / 2))
    if x1 - x0 < 2 or y1 - y0 < 2:
        raise ValueError(f"box {box.tolist()} lies outside the {width}×{height} frame")
    chip = cv2.resize(frame[y0:y1, x0:x1], (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(chip, np.uint8)
