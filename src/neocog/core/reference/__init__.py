"""The mathematics of the courses as short NumPy functions: read them in this order and you have followed the courses.

They are written to be read and to be tested against, not to be fast: one sample at a time where the courses draw one,
float64, loops where the formula has a sum.

==========================  =============================================================================
`perceptron`                a unit that fires, and how it learns
`activations`               sigmoid, tanh, ReLU and their relatives, with their derivatives
`convolution`               correlation and convolution of maps, and the layer: stride, padding, dilation, groups
`transposed`                the transposed convolution: every input lays its kernel on the output
`convolution_gradients`     the backward pass: the kernel turned by 180 degrees, the gradient spread by the stride
`pooling`                   maximum and average with their backward passes; decimation
`local`                     local connections: a kernel of its own at every place
`filters`                   Sobel, low-pass, high-pass
`softmax`                   softmax, cross-entropy and its gradient
`dropout`                   inverted dropout with a given mask
`mlp`                       back-propagation through dense layers, and a step of gradient descent
`sparse_autoencoder`        the cost of CS294A's sparse autoencoder and its gradient
`maximal_input`             the input that excites a unit most
`classification_error`      top-k error
`localisation`              overlap of boxes and ILSVRC's localisation error
`yolo`                      how many numbers YOLO gives
`voting`                    how often a majority of independent classifiers is right
`recurrent`                 Elman's network, long short-term memory, gated recurrent units, step by step
`text`                      vocabulary, coverage and parameters of the sentence network
==========================  =============================================================================
"""
