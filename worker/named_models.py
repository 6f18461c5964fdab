"""What a model is called: ATTENDANCE_MODEL, `--model` and `attendance model` all take a name or a bundle's folder.

Light on purpose: nothing here loads weights, torch or OpenVINO, so commands can ask before they start anything.
"""

import logging
from pathlib import Path

from worker.protocol.bundle import INFO, BadBundle, ModelInfo, expected_id, read_info

log = logging.getLogger(__name__)

SFACE = "sface"
FUSION = "fusion"
SHIPPED = ("resnet50-triplet", FUSION)
"""Bundles that lie in FOLDER, each in a folder of its name. No fusion comes with the product as long as none is better than its
parts (docs/accuracy.md); `attendance train fuse` makes one."""
NAMES = (SFACE, *SHIPPED)
DEFAULT = SFACE
"""What recognises where nothing else was said."""
FOLDER = Path(__file__).parent / "models"
HELP = f"{', '.join(NAMES)}, or the folder of a model bundle"


def folder_of(name: str) -> Path | None:
    """The bundle's folder that a name means; None for SFace, which has none. Raises BadBundle where there is none.

    A name wins over a folder that is called like it; `./sface` is the folder.
    """
    if name == SFACE:
        return None
    if name in SHIPPED:
        if not (FOLDER / name / INFO).is_file():
            if name == FUSION:
                raise BadBundle(
                    f"{FOLDER / name}: no fusion comes with this version, since none is better than {DEFAULT} alone "
                    "(docs/accuracy.md); make one by attendance train fuse … --to that folder, or take another model"
                )
            raise BadBundle(
                f"{FOLDER / name}: this installation lacks {name}, which comes with a checkout and not with a wheel; "
                f"copy the folder there, or give ATTENDANCE_MODEL its path or {DEFAULT}"
            )
        return FOLDER / name
    folder = Path(name)
    if not name or not folder.is_dir():
        raise BadBundle(
            f"{name or 'an empty name'}: neither one of {', '.join(NAMES)} nor the folder of a model bundle"
        )
    return folder


def info_of(name: str) -> ModelInfo:
    """Metadata of the model that a name means, without its weights; raises BadBundle."""
    folder = folder_of(name)
    if folder is None:
        from worker import sface  # needs onnx

        return sface.info()
    return read_info(folder / INFO)


def name_of_part(model_id: str) -> str:
    """The named model that has this very id; raises BadBundle saying what there is instead."""
    name = next((one for one in NAMES if one != FUSION and model_id.startswith(f"{one}-")), None)
    if name is None:
        raise BadBundle(f"part {model_id} is none of the models that come with the product")
    found = info_of(name).id
    if found != model_id:
        raise BadBundle(
            f"made of {model_id}, but {name} is {found} here; take the fusion that comes with this version, or fit one anew"
        )
    return name


def here() -> dict[str, str]:
    """Model id → name of all named models that this installation has whole metadata of; a damaged one is told and left out."""
    found = {}
    for name in NAMES:
        if name in SHIPPED and not (FOLDER / name).is_dir():
            continue
        try:
            info = info_of(name)
            if name in SHIPPED and info.id != expected_id(info):
                raise BadBundle(f"{FOLDER / name / INFO}: id {info.id} doesn't follow from weights and preprocessing")
            for part in info.parts or ():
                name_of_part(part)
        except BadBundle as error:
            log.error("%s can't serve: %s", name, error)
        else:
            found[info.id] = name
    return found
