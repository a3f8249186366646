"""What other libraries call our networks, where it is neither our name nor an alias, and how they are built there."""

from __future__ import annotations

from typing import Any, NamedTuple


class Theirs(NamedTuple):
    """What a library calls a network, where it is not our name or an alias, and how it is built."""

    name: str
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed


# fmt: off
NAMES: dict[tuple[str, str], Theirs] = {
    ("torchvision", "alexnet_torchvision"): Theirs("alexnet"),
    ("torchvision", "googlenet_torchvision"): Theirs("googlenet", {"aux_logits": False, "init_weights": False}),
    ("torchvision", "googlenet_torchvision_aux"): Theirs("googlenet", {"aux_logits": True, "init_weights": False}),
    ("torchvision", "inception_v3"): Theirs("inception_v3", {"aux_logits": False, "init_weights": False}),
    ("torchvision", "inception_v3_aux"): Theirs("inception_v3", {"aux_logits": True, "init_weights": False}),
    ("torchvision", "mobilenet_v2_050"): Theirs("mobilenet_v2", {"width_mult": 0.5}),
    ("torchvision", "mobilenet_v2_140"): Theirs("mobilenet_v2", {"width_mult": 1.4}),
    ("timm", "inception_v3_aux"): Theirs("inception_v3", {"aux_logits": True}),
    ("timm", "mobilenet_v1"): Theirs("mobilenetv1_100"),
    ("timm", "mobilenet_v2"): Theirs("mobilenetv2_100"),
    ("timm", "mobilenet_v2_050"): Theirs("mobilenetv2_050"),
    ("timm", "mobilenet_v2_140"): Theirs("mobilenetv2_140"),
    ("timm", "se_resnet18"): Theirs("legacy_seresnet18"),
    ("timm", "se_resnet34"): Theirs("legacy_seresnet34"),
    ("timm", "se_resnet50"): Theirs("legacy_seresnet50"),
    ("timm", "se_resnet101"): Theirs("legacy_seresnet101"),
    ("timm", "se_resnet152"): Theirs("legacy_seresnet152"),
    ("timm", "se_resnext50_32x4d"): Theirs("legacy_seresnext50_32x4d"),
    ("timm", "se_resnext101_32x4d"): Theirs("legacy_seresnext101_32x4d"),
    ("timm", "senet154"): Theirs("legacy_senet154"),
    ("timm", "xception"): Theirs("legacy_xception"),
    **{("timm", f"efficientnet_lite{n}"): Theirs(f"tf_efficientnet_lite{n}") for n in range(5)},
    ("keras", "vgg16"): Theirs("VGG16"),
    ("keras", "vgg19"): Theirs("VGG19"),
    ("keras", "densenet121"): Theirs("DenseNet121"),
    ("keras", "densenet169"): Theirs("DenseNet169"),
    ("keras", "densenet201"): Theirs("DenseNet201"),
    ("keras", "inception_v3"): Theirs("InceptionV3"),
    ("keras", "inception_resnet_v2"): Theirs("InceptionResNetV2"),
    ("keras", "xception"): Theirs("Xception"),
    ("keras", "mobilenet_v1"): Theirs("MobileNet", {"dropout": 0.0}),
    ("keras", "mobilenet_v1_075"): Theirs("MobileNet", {"alpha": 0.75, "dropout": 0.0}),
    ("keras", "mobilenet_v1_050"): Theirs("MobileNet", {"alpha": 0.5, "dropout": 0.0}),
    ("keras", "mobilenet_v1_025"): Theirs("MobileNet", {"alpha": 0.25, "dropout": 0.0}),
    ("keras", "mobilenet_v2"): Theirs("MobileNetV2"),
    ("keras", "mobilenet_v2_050"): Theirs("MobileNetV2", {"alpha": 0.5}),
    ("keras", "mobilenet_v2_140"): Theirs("MobileNetV2", {"alpha": 1.4}),
    ("keras", "resnet50"): Theirs("ResNet50"),
    ("keras", "resnet50_v1"): Theirs("ResNet50"),
    ("keras", "resnet101_v1"): Theirs("ResNet101"),
    ("keras", "resnet152_v1"): Theirs("ResNet152"),
    ("keras", "resnet50_v2"): Theirs("ResNet50V2"),
    ("keras", "resnet101_v2"): Theirs("ResNet101V2"),
    ("keras", "resnet152_v2"): Theirs("ResNet152V2"),
}
# fmt: on
