"""A recipe: everything that a training run does, typed and bounded, from a TOML file. A value that isn't known is refused.

`recipes/thesis.toml` shows every section. Reading a file and overriding its values is recipe_file.py's.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Architecture = Literal["resnet50", "resnet34", "resnet18", "inception-resnet-v2", "inception-resnet-v1"]
Share = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DataRecipe(Section):
    """Which pictures; where they lie is said on the command line."""

    crop: Literal["mtcnn-margin", "five-points"] = Field(
        default="mtcnn-margin", description="how `prepare` cut the faces; goes into the bundle, so it must be true"
    )
    held_out_share: Share = Field(
        default=0.1, description="share of the identities kept for validation where no --valid is given"
    )
    people: int | None = Field(default=None, ge=2, description="use only so many identities, drawn by the seed")
    loader_processes: int = Field(default=2, ge=0, le=256)
    source: str = Field(default="", description="name of the data, for report and model card")


class TransformRecipe(Section):
    """Training pictures: a named set of changes, and single values of it. Validation pictures are resized and cut only."""

    augment: Literal["thesis", "mild", "kiosk", "none"] = Field(
        default="thesis", description="mild and kiosk (a bad camera: kiosk_camera.py) are for aligned faces"
    )
    rotation_degrees: float | None = Field(default=None, ge=0, le=180)
    scale: tuple[Share, float] | None = Field(
        default=None, description="share of the area that a crop takes, from … to"
    )
    ratio: tuple[float, float] | None = Field(default=None, description="width / height of a crop, from … to")
    flip: float | None = Field(default=None, ge=0, le=1)
    brightness: float | None = Field(default=None, ge=0, le=1)
    contrast: float | None = Field(default=None, ge=0, le=1)
    saturation: float | None = Field(default=None, ge=0, le=1)
    hue: float | None = Field(default=None, ge=0, le=0.5)
    grey: float | None = Field(default=None, ge=0, le=1)
    smooth_rotation: bool | None = None
    harm: float | None = Field(
        default=None, ge=0, le=1, description="kiosk: its chances of blur, noise, JPEG … times this"
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> "TransformRecipe":
        for name, span, highest in (("scale", self.scale, 1.0), ("ratio", self.ratio, 10.0)):
            if span is not None and not 0 < span[0] <= span[1] <= highest:
                raise ValueError(f"{name} {list(span)}: two rising numbers above 0 and up to {highest:g} are needed")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """The single values that were given."""
        return self.model_dump(exclude_none=True, exclude={"augment"})


class NetworkRecipe(Section):
    architecture: Architecture = "resnet50"
    head: Literal["flatten", "pooled"] = Field(
        default="flatten", description="flatten is the thesis' and needs 224 px; pooled takes any size, and no bundle"
    )
    input_px: int = Field(default=224, ge=32, le=512)
    embedding_size: int = Field(default=128, ge=2, le=2048)
    alpha: float = Field(default=10.0, gt=0, le=1000, description="length of every embedding")
    init: str = Field(default="random", min_length=1, description="random, imagenet, a file of weights or a bundle")

    @model_validator(mode="after")
    def _head_fits(self) -> "NetworkRecipe":
        if self.head == "flatten" and not self.architecture.startswith("resnet"):
            raise ValueError(f"{self.architecture} has no flatten head here; set network.head=pooled")
        if self.head == "flatten" and self.input_px != 224:
            raise ValueError(f"the flatten head is made for 224 px, not {self.input_px}; set network.head=pooled")
        return self


class RandomTriplets(Section):
    """The thesis' way: blind triplets, drawn anew each epoch."""

    kind: Literal["triplets"] = "triplets"
    count: int = Field(default=10_000, ge=1, description="triplets an epoch, over all processes")
    batch: int = Field(default=64, ge=1, le=65_536, description="triplets a step, over all processes")
    forward: Literal["separate", "together"] = Field(
        default="separate", description="three passes as in the thesis (batch norm sees each third alone), or one"
    )

    @property
    def views_an_epoch(self) -> int:
        return 3 * self.count


class PeopleBatches(Section):
    """PK batches: `people` identities with `pictures` each, for mining inside the batch."""

    kind: Literal["pk"] = "pk"
    people: int = Field(default=16, ge=2, le=4096)
    pictures: int = Field(default=4, ge=2, le=256)
    batches: int = Field(default=200, ge=1, description="batches an epoch")

    @property
    def views_an_epoch(self) -> int:
        return self.people * self.pictures * self.batches


class PictureBatches(Section):
    """Pictures in a shuffled order, each once before any comes twice: for classifiers and distillation."""

    kind: Literal["pictures"] = "pictures"
    batch: int = Field(default=64, ge=2, le=65_536)
    batches: int = Field(default=200, ge=1, description="batches an epoch")

    @property
    def views_an_epoch(self) -> int:
        return self.batch * self.batches


class NearStrangers(Section):
    """Batches for data without identities: views of a picture, and people whom a teacher finds like it (near_strangers.py)."""

    kind: Literal["near-strangers"] = "near-strangers"
    groups: int = Field(default=4, ge=1, le=4096)
    size: int = Field(default=4, ge=2, le=64, description="people of a group who look alike")
    views: int = Field(default=2, ge=2, le=16, description="of each picture, each seen through another bad camera")
    batches: int = Field(default=200, ge=1, description="batches an epoch")
    teacher: str = Field(default="sface", description="who says who looks alike: sface, or the folder of a bundle")
    ceiling: float = Field(default=0.45, gt=-1, lt=1, description="cosine from which the teacher sees one person")
    nearest: int = Field(default=64, ge=2, le=4096, description="of these likest strangers some are drawn")

    @property
    def views_an_epoch(self) -> int:
        return self.groups * self.size * self.views * self.batches


class TripletLoss(Section):
    kind: Literal["triplet"] = "triplet"
    margin: float = Field(default=0.5, ge=0, le=100)
    distance: Literal["plain", "squared"] = Field(
        default="plain", description="the thesis' code has plain, its text squared"
    )
    keep: Literal["margin", "hard", "all"] = Field(
        default="margin",
        description="random triplets that count: d(a,n) − d(a,p) < margin (the code's), d(a,n) < d(a,p) (the text's), all",
    )
    mining: Literal["batch-hard", "semi-hard", "distance-weighted"] | None = Field(
        default=None, description="how PK batches are searched for triplets"
    )
    anchor: float = Field(
        default=0.0, ge=0, description="near-strangers: weight of |student − teacher|², so that nothing learnt is lost"
    )


class ContrastiveLoss(Section):
    kind: Literal["contrastive"] = "contrastive"
    positive_margin: float = Field(
        default=0.0, ge=0, description="distance below which a pair of one person is left alone"
    )
    negative_margin: float = Field(default=10.0, gt=0, description="distance beyond which a pair of strangers is")


class ClassifierLoss(Section):
    """Learning to name the training identities; the classifier is thrown away after the stage."""

    kind: Literal["softmax", "arcface", "cosface"]
    margin: float | None = Field(
        default=None, ge=0, le=90, description="arcface: degrees (28.6); cosface: cosine (0.35)"
    )
    scale: float = Field(
        default=64.0, gt=0, le=1000, description="arcface and cosface; softmax has the network's alpha"
    )


class DistillLoss(Section):
    """Learning a teacher's embeddings: the same direction, and the same distances inside a batch."""

    kind: Literal["distill"] = "distill"
    teacher: str = Field(default="sface", description="a model of 128 numbers as ATTENDANCE_MODEL names it")
    direction: float = Field(default=1.0, ge=0, description="weight of |student − teacher|² on the unit sphere")
    distances: float = Field(default=0.0, ge=0, description="weight of the difference of distances inside the batch")

    @model_validator(mode="after")
    def _something_to_learn(self) -> "DistillLoss":
        if self.direction == 0 and self.distances == 0:
            raise ValueError("direction and distances are both 0: nothing would be learnt")
        return self


class ImitateLoss(Section):
    """Learning a teacher's inner maps and its answer, from views that the teacher sees unharmed: training/imitation.py."""

    kind: Literal["imitate"] = "imitate"
    teacher: Literal["sface"] = "sface"
    direction: float = Field(default=1.0, ge=0, description="weight of |student − teacher|² on the unit sphere")
    maps: float = Field(default=1.0, ge=0, description="weight of the maps' mean squared errors, four of them")
    alone: int | None = Field(
        default=None, ge=1, le=4, description="one stage of the network, fed with the teacher's map before it: fast"
    )


Sampling = Annotated[RandomTriplets | PeopleBatches | PictureBatches | NearStrangers, Field(discriminator="kind")]
Loss = Annotated[
    TripletLoss | ContrastiveLoss | ClassifierLoss | DistillLoss | ImitateLoss, Field(discriminator="kind")
]


class Schedule(Section):
    kind: Literal["step", "cosine", "constant"] = "step"
    step_epochs: int = Field(default=50, ge=1, description="step: epochs after which the rate falls")
    gamma: float = Field(default=0.1, gt=0, le=1, description="step: by which factor")
    warmup_epochs: float = Field(default=0.0, ge=0, description="cosine: epochs of rising from 0")
    final_share: float = Field(default=0.0, ge=0, le=1, description="cosine: last rate as a share of the first")


class Stage(Section):
    """Some epochs with one loss, one set of layers that learn, one schedule. Optimiser: Adam, or AdamW with decay."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    epochs: int = Field(ge=0, le=100_000, description="0 leaves the stage out")
    train: Literal["fc", "all-but-fc", "all", "named"] = "all"
    unfreeze: list[str] = Field(default=[], description="train=named: layers that learn; all others don't")
    freeze: list[str] = Field(default=[], description="train=named: layers that don't learn; all others do")
    frozen_batch_norm: Literal["moves", "fixed"] = Field(
        default="moves", description="whether statistics of frozen layers follow the data, as in the thesis"
    )
    sampling: Sampling = RandomTriplets()
    loss: Loss = TripletLoss()
    lr: float = Field(default=1e-3, gt=0, le=100)
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    schedule: Schedule = Schedule()
    accumulate: int = Field(default=1, ge=1, le=4096, description="batches a step")
    clip_norm: float | None = Field(default=None, gt=0, description="largest norm of the gradient")
    keep_optimizer: bool = Field(
        default=False, description="go on with the moments of the stage before, whose layers must be the same"
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> "Stage":
        if (self.train == "named") != bool(self.unfreeze or self.freeze):
            raise ValueError("unfreeze or freeze go with train=named, and train=named needs one of them")
        if self.unfreeze and self.freeze:
            raise ValueError("give unfreeze or freeze, not both: each says what the others do")
        sampling, loss = self.sampling.kind, self.loss
        if sampling == "triplets" and not (loss.kind == "triplet" and loss.mining is None):
            raise ValueError("random triplets go with loss.kind=triplet without mining")
        if isinstance(self.sampling, NearStrangers) and self.sampling.nearest < self.sampling.size - 1:
            raise ValueError(
                f"nearest {self.sampling.nearest} is less than the {self.sampling.size - 1} that a group needs"
            )
        if sampling == "near-strangers" and loss.kind != "triplet":
            raise ValueError("near-strangers knows no identities: it goes with loss.kind=triplet")
        if loss.kind == "triplet" and loss.anchor and sampling != "near-strangers":
            raise ValueError("loss.anchor needs a teacher: it goes with sampling.kind=near-strangers")
        if sampling != "triplets" and loss.kind == "triplet" and loss.mining is None:
            raise ValueError("PK batches need loss.mining: batch-hard, semi-hard or distance-weighted")
        if loss.kind == "imitate" and sampling != "pictures":
            raise ValueError("imitate goes with sampling.kind=pictures: nobody's identity is needed")
        if sampling == "pictures" and loss.kind in ("triplet", "contrastive"):
            raise ValueError(f"{loss.kind} needs several pictures of a person in a batch: sampling.kind=pk")
        if self.schedule.kind == "cosine" and self.schedule.warmup_epochs > self.epochs > 0:
            raise ValueError(
                f"warmup_epochs {self.schedule.warmup_epochs} is longer than the stage's {self.epochs} epochs"
            )
        return self


class ValidationRecipe(Section):
    triplets: int = Field(default=10_000, ge=10)
    batch: int = Field(default=64, ge=1, le=65_536, description="also the mini-batches of section 3.3.3's accuracy")
    redraw: bool = Field(
        default=True, description="new triplets each epoch, as in the thesis; false keeps the first ones"
    )
    best_by: Literal["accuracy", "auc", "tar_at_far_0.01", "tar_at_far_0.001"] = "accuracy"
    margin: float = Field(default=0.5, ge=0, description="of the validation's loss")
    distance: Literal["plain", "squared"] = "plain"


class ComputeRecipe(Section):
    device: Literal["auto", "cpu", "cuda"] = "auto"
    amp: bool = Field(default=False, description="bfloat16 where it is safe")
    channels_last: bool = False
    compile: bool = Field(default=False, description="torch.compile: slower start, faster steps on a GPU")
    threads: int | None = Field(default=None, ge=1, le=256, description="of torch on the CPU; none takes torch's own")
    ema_decay: float | None = Field(default=None, gt=0, lt=1, description="average of the weights over steps")
    checkpoint_every_s: float = Field(default=600, gt=0, description="seconds between checkpoints inside an epoch")
    checkpoint_every_batches: int | None = Field(default=None, ge=1)


class Recipe(Section):
    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    words: str = Field(default="", description="what it is, for the report")
    seed: int = Field(default=2019, ge=0, lt=2**31)
    data: DataRecipe = DataRecipe()
    transform: TransformRecipe = TransformRecipe()
    network: NetworkRecipe = NetworkRecipe()
    stages: list[Stage] = Field(min_length=1)
    validation: ValidationRecipe = ValidationRecipe()
    compute: ComputeRecipe = ComputeRecipe()

    @model_validator(mode="after")
    def _stages_fit(self) -> "Recipe":
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"two stages have one name: {', '.join(names)}")
        layers = [(s.train, s.unfreeze, s.freeze, s.loss.kind) for s in self.stages]
        for i, stage in enumerate(self.stages):
            if stage.keep_optimizer and (i == 0 or layers[i] != layers[i - 1]):
                raise ValueError(f"stage {stage.name}: keep_optimizer needs the layers and loss of the stage before")
        if any(isinstance(stage.loss, ImitateLoss) for stage in self.stages):
            self._can_imitate()
        if self.epochs == 0:
            raise ValueError("all stages have 0 epochs")
        return self

    def _can_imitate(self) -> None:
        form = self.network
        if not form.architecture.startswith("resnet") or form.embedding_size != 128:
            raise ValueError("imitate is for a ResNet with 128 numbers, whose four stages are the teacher's")
        if self.data.crop != "five-points" or self.transform.augment != "kiosk":
            raise ValueError("imitate needs data.crop=five-points and transform.augment=kiosk, for its teacher's sake")
        for stage in self.stages:
            if isinstance(stage.loss, ImitateLoss) and stage.loss.alone is not None:
                wanted = [["conv1", "bn1", "layer1"], ["layer2"], ["layer3"], ["layer4"]][stage.loss.alone - 1]
                if form.architecture != "resnet50" or form.head != "flatten" or stage.unfreeze != wanted:
                    raise ValueError(
                        f"stage {stage.name}: imitate with alone={stage.loss.alone} is for resnet50 with the flatten head, "
                        f"train=named and unfreeze={wanted}"
                    )
            elif stage.loss.kind == "imitate" and (form.head == "flatten") != ("fc" in stage.freeze):
                raise ValueError(
                    f"stage {stage.name}: imitate makes a flatten head of what it learns (train=named, freeze=['fc']), "
                    "and lets a pooled one learn"
                )

    @property
    def epochs(self) -> int:
        return sum(stage.epochs for stage in self.stages)

    @property
    def views(self) -> int:
        """Pictures that go through the network in training."""
        return sum(stage.epochs * stage.sampling.views_an_epoch for stage in self.stages)


def teacher_of(stage: Stage) -> str | None:
    """Whose templates of the training pictures a stage needs: sface, or the folder of a bundle."""
    if isinstance(stage.loss, DistillLoss):
        return stage.loss.teacher
    return stage.sampling.teacher if isinstance(stage.sampling, NearStrangers) else None
