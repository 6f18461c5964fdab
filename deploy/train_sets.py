"""What `attendance train fairface` and `clean` do around the training room: progress and words."""

from pathlib import Path

from deploy.errors import Problem, settings_from
from deploy.train_prepare import progress_bar
from training import cleaning, fairface
from training.dataset import BadData
from training.packing import write_pack
from training.pictures import BadPicture, open_faces
from training.run_data import prepared_crop
from training.template_cache import BadCache
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings


def sort_fairface(source: Path, destination: Path) -> None:
    """Raises Problem."""
    try:
        counts = fairface.sort_out(source, destination)
    except BadData as error:
        raise Problem(str(error)) from None
    for part in ("train", "calibrate", "test"):
        print(f"{destination / part}: {counts[part]} pictures")


def clean(faces: Path, others: list[Path], pack: Path, cosine: float, copy_cosine: float) -> None:
    """Write the packed file, and beside it FILE.left-out.json; raises Problem."""
    cache = settings_from(WorkerSettings).cache
    try:
        crop = prepared_crop(faces)
        if crop is None:
            raise BadData(f"{faces}: not a folder that `attendance train prepare` made; clean what it makes")
        with progress_bar("looking at faces") as (progress, task):
            cleaned = cleaning.clean(
                open_faces(faces),
                crop,
                others,
                cosine=cosine,
                copy_cosine=copy_cosine,
                cache=cache,
                on_progress=lambda what, done, of: progress.update(
                    task, description=f"looking at {what}", completed=done, total=of
                ),
            )
        size = write_pack(cleaned.kept, pack)
        cleaned.write(pack.with_name(f"{pack.name}.left-out.json"))
    except (BadData, BadPicture, BadCache, BadBundle) as error:
        raise Problem(str(error)) from None
    print("\n".join([*cleaned.words(), f"packed: {pack}, {size / 1e6:.1f} MB"]))
