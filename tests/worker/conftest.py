"""What the worker's tests share: the public-domain portrait, and the real networks loaded once."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from numpy.typing import NDArray

from worker.engine import Engine
from worker.settings import WorkerSettings

# No deadlines and always the same examples: a loaded machine must not turn a good run into a bad one.
hypothesis_settings.register_profile(
    "worker", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("worker")
torch.set_num_threads(1)  # beside other tests on few cores, threads that wait for each other take many times longer


@pytest.fixture(scope="session")
def portrait() -> NDArray[np.uint8]:
    """NASA's portrait of Eileen Collins, 512×512 RGB, one face of about 100 px near the top (public domain)."""
    return np.asarray(skimage.data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def real_engine(model_cache: Path) -> Engine:
    """MTCNN and SFace, as a site without a bundle runs them."""
    return Engine(WorkerSettings(home=model_cache, name="w1", threads=1))


@pytest.fixture
def settings(tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(home=tmp_path, name="w1", votes_needed=3, votes_kept=5, device="cpu")
