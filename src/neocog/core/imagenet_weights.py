"""Where ImageNet weights of our networks can be downloaded, with the preprocessing that each file expects.

Addresses, sizes and filters as torchvision 0.28 (IMAGENET1K_V1) and timm 1.0.31 give them; each file's name ends in the
first digits of its SHA-256. A network that has weights of its own in its record is not looked up here.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import NamedTuple

from neocog.core.pretrained import HALVES, IMAGENET, Weights

PYTORCH = "https://download.pytorch.org/models/"
TIMM = "https://github.com/rwightman/pytorch-image-models/releases/download/"
GLUON = "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/"


class Row(NamedTuple):
    """A file and its numbers: the crop's ``size``, the short side before it, the filter, mean and deviation."""

    file: str
    size: int = 224
    resize: int = 256
    filter: str = "bilinear"
    colours: Weights = IMAGENET


# fmt: off
TORCHVISION_FILES: dict[str, Row] = {
    "alexnet_torchvision": Row("alexnet-owt-7be5be79.pth"),
    "vgg11": Row("vgg11-8a719046.pth"),
    "vgg11_bn": Row("vgg11_bn-6002323d.pth"),
    "vgg13": Row("vgg13-19584684.pth"),
    "vgg13_bn": Row("vgg13_bn-abd245e5.pth"),
    "vgg16": Row("vgg16-397923af.pth"),
    "vgg16_bn": Row("vgg16_bn-6c64b313.pth"),
    "vgg19": Row("vgg19-dcbb9e9d.pth"),
    "vgg19_bn": Row("vgg19_bn-c79401a0.pth"),
    # Both were trained on inputs from -1 to 1: torchvision turns its usual ones into such inside the network.
    "googlenet_torchvision": Row("googlenet-1378be20.pth", colours=HALVES),
    "googlenet_torchvision_aux": Row("googlenet-1378be20.pth", colours=HALVES),
    "inception_v3": Row("inception_v3_google-0cc3c7bd.pth", 299, 342, colours=HALVES),
    "inception_v3_aux": Row("inception_v3_google-0cc3c7bd.pth", 299, 342, colours=HALVES),
    "resnet18": Row("resnet18-f37072fd.pth"),
    "resnet34": Row("resnet34-b627a593.pth"),
    "resnet50": Row("resnet50-0676ba61.pth"),
    "resnet101": Row("resnet101-63fe2227.pth"),
    "resnet152": Row("resnet152-394f9c45.pth"),
    "resnext50_32x4d": Row("resnext50_32x4d-7cdf4587.pth"),
    "resnext101_32x8d": Row("resnext101_32x8d-8ba56ff5.pth"),
    "resnext101_64x4d": Row("resnext101_64x4d-173b62eb.pth", 224, 232),
    "wide_resnet50_2": Row("wide_resnet50_2-95faca4d.pth"),
    "wide_resnet101_2": Row("wide_resnet101_2-32ee1156.pth"),
    "densenet121": Row("densenet121-a639ec97.pth"),
    "densenet161": Row("densenet161-8d451a50.pth"),
    "densenet169": Row("densenet169-b2777c0a.pth"),
    "densenet201": Row("densenet201-c1103571.pth"),
    "mobilenet_v2": Row("mobilenet_v2-b0353104.pth"),
    "shufflenet_v2_x0_5": Row("shufflenetv2_x0.5-f707e7126e.pth"),
    "shufflenet_v2_x1_0": Row("shufflenetv2_x1-5666bf0f80.pth"),
    "shufflenet_v2_x1_5": Row("shufflenetv2_x1_5-3c479a10.pth", 224, 232),
    "shufflenet_v2_x2_0": Row("shufflenetv2_x2_0-8be3c8ee.pth", 224, 232),
    "squeezenet1_0": Row("squeezenet1_0-b66bff10.pth"),
    "squeezenet1_1": Row("squeezenet1_1-b8a52dc0.pth"),
}

TIMM_FILES: dict[str, Row] = {
    "xception": Row(TIMM + "v0.1-cadene/xception-43020ad28.pth", 299, 333, "bicubic", HALVES),
    "resnext101_32x4d": Row(GLUON + "v0.1/gluon_resnext101_32x4d-b253c8c4.pth", filter="bicubic"),
    "se_resnet18": Row(TIMM + "v0.1-weights/seresnet18-4bb0ce65.pth", filter="bicubic"),
    "se_resnet34": Row(TIMM + "v0.1-weights/seresnet34-a4004e63.pth"),
    "se_resnet50": Row(TIMM + "v0.1-cadene/se_resnet50-ce0d4300.pth"),
    "se_resnet101": Row(TIMM + "v0.1-cadene/se_resnet101-7e38fcc6.pth"),
    "se_resnet152": Row(TIMM + "v0.1-cadene/se_resnet152-d17c99b7.pth"),
    "se_resnext50_32x4d": Row(TIMM + "v0.1-weights/legacy_se_resnext50_32x4d-f3651bad.pth"),
    "se_resnext101_32x4d": Row(TIMM + "v0.1-weights/legacy_se_resnext101_32x4d-37725eac.pth"),
    "senet154": Row(TIMM + "v0.1-weights/legacy_senet154-e9eb9fe6.pth"),
    "mobilenet_v2_050": Row(TIMM + "v0.1-weights/mobilenetv2_050-3d30d450.pth", filter="bicubic"),
    "mobilenet_v2_140": Row(TIMM + "v0.1-weights/mobilenetv2_140_ra-21a4e913.pth", filter="bicubic"),
    "efficientnet_lite1": Row(TIMM + "v0.1-weights/tf_efficientnet_lite1-bde8b488.pth", 240, 272, "bicubic", HALVES),
    "efficientnet_lite2": Row(TIMM + "v0.1-weights/tf_efficientnet_lite2-dcccb7df.pth", 260, 292, "bicubic", HALVES),
    "efficientnet_lite3": Row(TIMM + "v0.1-weights/tf_efficientnet_lite3-b733e338.pth", 300, 331, "bilinear", HALVES),
    "efficientnet_lite4": Row(TIMM + "v0.1-weights/tf_efficientnet_lite4-741542c3.pth", 380, 413, "bilinear", HALVES),
}
# fmt: on


def weights_for(network: str, namings: Container[str]) -> tuple[Weights, ...]:
    """Returns the ImageNet weights that can be downloaded for a network which knows these ``namings``, if there are."""
    for naming, files, base in (("torchvision", TORCHVISION_FILES, PYTORCH), ("timm", TIMM_FILES, "")):
        if network in files and naming in namings:
            row = files[network]
            address = base + row.file
            chosen = replace(
                row.colours, size=row.size, resize=row.resize, filter=row.filter, source=address, address=address
            )
            return (replace(chosen, naming=naming),)
    return ()
