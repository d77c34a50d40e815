/// @file
/// What most files of the trainer include, compiled once for all of them. Every file still includes what it uses.
#pragma once

#include "../../autodiff/dalib_graph.hpp"
#include "../../nn/nn.hpp"

#include <dalib/dalib.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>
