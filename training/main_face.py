"""Which of several found faces a picture is about."""

from collections.abc import Sequence

from worker.detector import Face

CENTRE_WEIGHT = 2.0
"""Of the squared distance from the picture's centre against the box's area; as in facenet's alignment, which the thesis used."""


def main_face(faces: Sequence[Face], width: int, height: int) -> Face | None:
    """The largest face, unless a somewhat smaller one is much nearer to the centre of the width × height picture."""

    def score(face: Face) -> float:
        left, top, right, bottom = face.box
        off_centre = ((left + right) / 2 - width / 2) ** 2 + ((top + bottom) / 2 - height / 2) ** 2
        return float(face.width * face.height - CENTRE_WEIGHT * off_centre)

    return max(faces, key=score, default=None)
