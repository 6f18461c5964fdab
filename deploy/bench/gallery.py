"""Exact 1:N search at three sizes of gallery, checked against brute force."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.bench.figures import median_ms
from worker.gallery import PROBES_A_PRODUCT, GalleryIndex
from worker.network import ALPHA, EMBEDDING_SIZE
from worker.protocol.entries import GalleryPerson

SIZES = (1_000, 100_000, 1_000_000)
TEMPLATES_A_PERSON = 4
PROBES = PROBES_A_PRODUCT


def measure(sizes: tuple[int, ...] = SIZES, rounds: int = 25) -> dict[str, Any]:
    """ms of one probe alone, ms a probe in batches of 16, memory, and whether every answer was brute force's."""
    alone, batch, memory, identical = {}, {}, {}, True
    for size in sizes:
        random = np.random.default_rng(size)
        matrix = _on_sphere(random.standard_normal((size, EMBEDDING_SIZE), np.float32))
        index = _index(matrix)
        noise = 0.3 * random.standard_normal((PROBES, EMBEDDING_SIZE), np.float32)
        probes = _on_sphere(matrix[random.integers(size, size=PROBES)] + noise)
        identical &= _equals_brute_force(index, matrix, probes)
        alone[str(size)] = round(median_ms(lambda i=index, p=probes: i.search(p[:1]), rounds), 3)  # type: ignore[misc]
        took = median_ms(lambda i=index, p=probes: i.search(p), max(3, rounds // 3))  # type: ignore[misc]
        batch[str(size)] = round(took / PROBES, 3)
        # The matrix that is searched, and the same templates once more in the people they belong to.
        memory[str(size)] = round(2 * index.matrix.nbytes / 2**20, 1)
    return {
        "gallery_ms": alone,
        "gallery_batch_ms": batch,
        "gallery_memory_mb": memory,
        "gallery_identical": identical,
        "gallery_probes_checked": PROBES * len(sizes),
    }


def _on_sphere(points: NDArray[np.float32]) -> NDArray[np.float32]:
    points *= ALPHA / np.linalg.norm(points, axis=1, keepdims=True)
    return points


def _index(matrix: NDArray[np.float32]) -> GalleryIndex:
    people = []
    for number in range(0, len(matrix), TEMPLATES_A_PERSON):
        rows = [row.tobytes() for row in matrix[number : number + TEMPLATES_A_PERSON]]
        # Unchecked: a quarter of a million people are made here, and it is the search that is measured.
        people.append(GalleryPerson.model_construct(employee_id=_name(number), name="", templates=rows))
    return GalleryIndex(people, ALPHA)


def _name(row: int) -> str:
    return f"e{row // TEMPLATES_A_PERSON:07}"


def _equals_brute_force(index: GalleryIndex, matrix: NDArray[np.float32], probes: NDArray[np.float32]) -> bool:
    """Against Euclidean distances in float32, of every template one by one."""
    alike = True
    for probe, match in zip(probes, index.search(probes), strict=True):
        difference = matrix - probe
        distances = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        row = int(distances.argmin())
        start = row - row % TEMPLATES_A_PERSON
        nearest, distances[start : start + TEMPLATES_A_PERSON] = distances[row], np.inf
        same = np.allclose([match.distance, match.runner_up_distance], [nearest, distances.min()], atol=1e-4)
        alike &= match.employee_id == _name(row) and bool(same)
    return alike
