"""What `attendance model fetch` does: terms first, then the download, the checks, and a bundle of what came."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from deploy import train_adopt
from deploy.download import address_words, check_address, check_sha256, download
from deploy.errors import Problem, settings_from
from training import facenet
from training.adopt import Terms
from training.export_run import BadExport
from worker.protocol.bundle import file_sha256
from worker.settings import WorkerSettings

LICENCE = "code MIT (facenet-pytorch); weights learnt from VGGFace2, pictures collected for research: no commercial use"
TERMS = """facenet-pytorch's InceptionResnetV1, trained on VGGFace2: 112 MB from
  {address}
The network's code is under the MIT licence. The weights were learnt from VGGFace2, pictures of celebrities that were collected
from the web for research; the package says nothing of its own about their terms. Take them as being for research and other
non-commercial use alone, unless you have cleared it yourself. This product doesn't carry them: you fetch them for yourself.
No digest of the file is published with the package. What is always checked: it holds exactly this network's tensors, and none
of it is run as code. --sha256 insists on a digest that you have from elsewhere or from an earlier fetch."""


@dataclass(frozen=True)
class FetchOptions:
    """As on the command line; see deploy/model_fetch_cli.py."""

    where: train_adopt.Where
    url: str | None
    sha256: str | None
    accept_licence: bool


def run(options: FetchOptions) -> None:
    """`attendance model fetch facenet`; raises Problem."""
    try:
        url = options.url or facenet.published_at()
    except facenet.BadWeights as error:
        raise Problem(str(error)) from None
    check_address(url)
    sets = train_adopt.begin(options.where)
    _ask(url, options.accept_licence)
    cache = settings_from(WorkerSettings).cache
    weights = cache / "downloads" / f"facenet-{hashlib.sha256(url.encode()).hexdigest()[:12]}.pt"
    network = _fetched(url, weights, options.sha256)
    digest = file_sha256(weights)
    train_adopt.say(f"SHA-256 {digest}: --sha256 insists on it next time")
    origin = (
        f"facenet-pytorch's InceptionResnetV1, trained on VGGFace2. Weights from {address_words(url)}, SHA-256 {digest}, "
        "made into ONNX by `attendance model fetch`"
    )
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        file = Path(scratch) / "facenet.onnx"
        try:
            facenet.write(network, file)
        except BadExport as error:
            raise Problem(str(error)) from None
        train_adopt.finish(file, facenet.FORM, options.where, Terms(LICENCE, origin), sets)


def _ask(url: str, accepted: bool) -> None:
    """Show the terms, and go on only with a yes; raises Problem."""
    train_adopt.say(TERMS.format(address=address_words(url)))
    if accepted:
        return
    try:
        accepted = typer.confirm("Fetch it under these terms?", err=True)
    except typer.Abort:  # nobody is there to say yes
        accepted = False
    if not accepted:
        raise Problem("nothing was fetched; --accept-licence says yes to these terms without being asked")


def _fetched(url: str, weights: Path, sha256: str | None) -> Any:
    """The network, of a file that was fetched now or earlier; one that isn't its weights goes. Raises Problem."""
    if weights.is_file():
        train_adopt.say(f"{weights}: fetched earlier")
    else:
        _download(url, weights, sha256)
    try:
        check_sha256(weights, sha256, str(weights))
        return facenet.read_network(weights)
    except facenet.BadWeights as error:
        weights.unlink(missing_ok=True)
        raise Problem(str(error)) from None
    except Problem:
        weights.unlink(missing_ok=True)
        raise


def _download(url: str, weights: Path, sha256: str | None) -> None:
    console = Console(stderr=True)
    columns = (TextColumn("fetching"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        download(
            url, weights, facenet.MOST_BYTES, sha256, lambda done, of: progress.update(task, completed=done, total=of)
        )
