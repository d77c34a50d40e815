#pragma once
/// Variables and all operations.
#include "batch_norm.hpp"
#include "convolution.hpp"
#include "convolution_pool.hpp"
#include "elementwise.hpp"
#include "pooling.hpp"
#include "shape.hpp"
#include "softmax.hpp"
#include "variable.hpp"
#include "whole_batch.hpp"
