"""The courses' worked examples: counting parameters, from one filter to whole networks."""

from __future__ import annotations

from neocog.core.arithmetic import (
    convolution_macs,
    convolution_parameters,
    dense_macs,
    dense_parameters,
    norm_parameters,
    output_size,
)


def square(inputs: int, outputs: int, kernel: int, **settings: object) -> int:
    return convolution_parameters(inputs, outputs, (kernel, kernel), **settings)


def test_s1_sixteen_3x3_filters_on_colour():
    SLIDE = 16 * 3 * 3 + 16  # the printed formula lost a factor 3; its result, 448, is right
    assert square(3, 16, 3) == 16 * 3 * 3 * 3 + 16 == 448
    assert SLIDE == 160


def network_c(padding: str) -> list[int]:
    side = output_size(output_size(32, 3, 1, padding), 5, 2, padding)
    return [square(3, 8, 3), square(8, 16, 5), dense_parameters(16 * side**2, 512), dense_parameters(512, 4)]


def test_s1_network_c():
    SLIDE = [8 * 3 * 3 + 8, 16 * 5 * 8 + 16, 16 * 512 + 512, 512 * 4 + 4]
    assert SLIDE == [80, 656, 8_704, 2_052]
    assert sum(SLIDE) == 11_492
    true = network_c("same")
    assert true == [224, 3_216, 2_097_664, 2_052]
    assert true == [8 * 3 * 3 * 3 + 8, 16 * 5 * 5 * 8 + 16, 16 * 16 * 16 * 512 + 512, 512 * 4 + 4]
    assert sum(true) == 2_103_156
    assert 16 * 16 * 16 == 4096
    assert network_c("valid") == [224, 3_216, 1_384_960, 2_052]
    assert sum(network_c("valid")) == 1_390_452


def test_s2_one_feature_map_on_colour():
    assert square(3, 1, 3) == 3 * 3 * 3 + 1 == 28


def test_s2_a_dense_layer_on_a_photograph():
    pixels = 800 * 600
    assert (pixels, 3 * pixels) == (480_000, 1_440_000)
    assert dense_parameters(3 * pixels, 1000, bias=False) == 1_440_000_000
    assert dense_parameters(3 * pixels, 1000) == 1_440_001_000
    assert 10 * 1_440_000_000 >= 14e9  # "at least 14 billion examples" for 10 %


def test_s4_a_dense_layer_of_a_thousand_by_a_thousand():
    assert dense_parameters(1000, 1000, bias=False) == 1_000_000
    assert dense_parameters(1000, 1000) == 1_001_000


def test_s0_an_autoencoder():
    assert [dense_parameters(100, 50), dense_parameters(50, 100)] == [5_050, 5_100]
    assert dense_parameters(100, 50) + dense_parameters(50, 100) == 10_150


VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # 0 is a pooling


def vgg16_base(side: int) -> tuple[int, int]:
    """Returns parameters and the side of the last maps."""
    maps, params = 3, 0
    for outputs in VGG16:
        if outputs:
            params, maps = params + square(maps, outputs, 3), outputs
        else:
            side = output_size(side, 2, 2)
    return params, side


def test_s2_vgg16_is_mostly_its_first_dense_layer():
    SLIDE = 140e6
    base, side = vgg16_base(224)
    dense = [dense_parameters(i, o) for i, o in ((side**2 * 512, 4096), (4096, 4096), (4096, 1000))]
    total = base + sum(dense)
    assert (total, dense[0]) == (138_357_544, 102_764_544)
    assert round(100 * dense[0] / total, 1) == 74.3
    assert round(total, -7) == SLIDE


def test_s1_vgg_is_not_3x3_exclusively():
    """Configuration C has three 1x1 convolutions where D, VGG-16, has 3x3."""
    saved = sum(square(maps, maps, 3) - square(maps, maps, 1) for maps in (256, 512, 512))
    assert 138_357_544 - saved == 133_638_952  # the paper's table 2: 134 million


def test_s2_vgg16_as_a_frozen_base_for_ten_classes():
    base, side = vgg16_base(300)
    assert (base, side, side**2 * 512) == (14_714_688, 9, 41_472)
    top = [dense_parameters(41_472, 1024), dense_parameters(1024, 10)]
    assert top == [42_468_352, 10_250]
    assert (base + sum(top), sum(top)) == (57_193_290, 42_478_602)


def test_s2_the_keras_network_for_cifar10():
    convolutions = ((3, 32, "same", False), (32, 32, "valid", True), (32, 64, "same", False), (64, 64, "valid", True))
    side, sides, params, macs = 32, [], [], 0
    for inputs, outputs, padding, pooled in convolutions:
        side = output_size(side, 3, 1, padding)
        params.append(square(inputs, outputs, 3))
        macs += convolution_macs(inputs, outputs, (3, 3), (side, side))
        sides.append(side)
        if pooled:
            side = output_size(side, 2, 2)
            sides.append(side)
    flat = side**2 * 64
    params += [dense_parameters(flat, 512), dense_parameters(512, 10)]
    macs += dense_macs(flat, 512) + dense_macs(512, 10)
    assert params == [896, 9_248, 18_496, 36_928, 1_180_160, 5_130]
    assert (sides, flat) == ([32, 30, 15, 15, 13, 6], 2304)
    assert (sum(params), macs) == (1_250_858, 20_741_120)


class Xception:
    """Counts, layer by layer as in figure 5 of the paper, parameters, normalised maps and the longest path."""

    def __init__(self) -> None:
        self.params, self.normed, self.depth = 0, 0, 1  # the input is a layer in Keras's count
        for inputs, outputs in ((3, 32), (32, 64)):
            self.convolution(inputs, outputs, 3)
            self.depth += 3  # with its norm and activation
        maps = 64
        for block, outputs in enumerate((128, 256, 728)):
            self.residual((maps, outputs, outputs), activations=1 if block == 0 else 2)
            self.convolution(maps, outputs, 1)
            maps = outputs
        for _ in range(8):
            for _ in range(3):
                self.separable(728, 728)
            self.depth += 3 * 3 + 1
        self.residual((728, 728, 1024), activations=2)
        self.convolution(728, 1024, 1)
        for inputs, outputs in ((1024, 1536), (1536, 2048)):
            self.separable(inputs, outputs)
            self.depth += 3
        self.params += dense_parameters(2048, 1000)
        self.depth += 2  # the global pooling and the classifier

    def convolution(self, inputs: int, outputs: int, kernel: int, groups: int = 1) -> None:
        self.params += square(inputs, outputs, kernel, groups=groups, bias=False) + norm_parameters(outputs)
        self.normed += outputs

    def separable(self, inputs: int, outputs: int) -> None:
        self.params += square(inputs, inputs, 3, groups=inputs, bias=False)
        self.convolution(inputs, outputs, 1)

    def residual(self, maps: tuple[int, int, int], activations: int) -> None:
        self.separable(*maps[:2])
        self.separable(*maps[1:])
        self.depth += 2 * 2 + activations + 2  # two separable ones with norms, pooling, addition


def test_s2_xception():
    SLIDE_PARAMS, SLIDE_LAYERS, SLIDE_MEGABYTES = 22e6, 126, 88
    network = Xception()
    moving = 2 * network.normed  # Keras counts means and variances, too
    assert (network.params, network.params + moving) == (22_855_952, 22_910_480)
    assert int(network.params / 1e6) * 1e6 == SLIDE_PARAMS  # truncated
    assert round(network.params / 1e6) == 23
    assert network.depth == SLIDE_LAYERS  # Keras's "depth": layers of any kind on the longest path
    assert SLIDE_MEGABYTES - 1 < 4 * 22_910_480 / 2**20 < SLIDE_MEGABYTES  # four bytes a number, in units of 2^20


def bottlenecks(blocks: tuple[int, ...]) -> int:
    """Returns the parameters of a ResNet with 1x1, 3x3, 1x1 blocks."""
    params, maps = square(3, 64, 7, bias=False) + norm_parameters(64), 64
    for stage, count in enumerate(blocks):
        width = 64 * 2**stage
        for block in range(count):
            for inputs, outputs, kernel in ((maps, width, 1), (width, width, 3), (width, 4 * width, 1)):
                params += square(inputs, outputs, kernel, bias=False) + norm_parameters(outputs)
            if block == 0:
                params += square(maps, 4 * width, 1, bias=False) + norm_parameters(4 * width)
            maps = 4 * width
    return params + dense_parameters(maps, 1000)


def densenet(blocks: tuple[int, ...], growth: int = 32) -> int:
    params, maps = square(3, 64, 7, bias=False) + norm_parameters(64), 64
    for number, layers in enumerate(blocks, 1):
        for _ in range(layers):
            params += norm_parameters(maps) + square(maps, 4 * growth, 1, bias=False)
            params += norm_parameters(4 * growth) + square(4 * growth, growth, 3, bias=False)
            maps += growth
        if number < len(blocks):
            params += norm_parameters(maps) + square(maps, maps // 2, 1, bias=False)
            maps //= 2
    return params + norm_parameters(maps) + dense_parameters(maps, 1000)


def test_s1_densenet_reduces_parameters():
    assert (densenet((6, 12, 24, 16)), bottlenecks((3, 4, 6, 3))) == (7_978_856, 25_557_032)


def test_s2_densenets_are_deeper_than_the_slide_says():
    SLIDE_BYPASSED, SLIDE_LAYERS = 5, 100  # five is the block that the paper's figure 1 draws
    depths = {sum(blocks) * 2 + 5: max(blocks) for blocks in ((6, 12, 24, 16), (6, 12, 32, 32), (6, 12, 48, 32))}
    assert depths == {121: 24, 169: 32, 201: 48}
    assert min(depths) > SLIDE_LAYERS
    assert max(depths.values()) > SLIDE_BYPASSED
    assert 3 * 41 * 2 + 4 == 250  # on CIFAR: three blocks of 41 bottleneck layers


def test_s2_the_thousand_layers_are_not_highways():
    SLIDE_HIGHWAY = 1000
    assert SLIDE_HIGHWAY > 900  # what the highway paper trains
    assert 9 * 111 + 2 == 1001  # the pre-activation ResNet: three stages of 111 blocks with three layers


def test_s0_resnet152_has_other_kernels_than_3x3():
    blocks = (3, 8, 36, 3)
    kernels = [7, *([1, 3, 1] * sum(blocks))]
    assert len(kernels) + 1 == 152  # and the dense layer
    assert (kernels.count(7), kernels.count(1), kernels.count(3)) == (1, 100, 50)
    assert bottlenecks(blocks) == 60_192_808
