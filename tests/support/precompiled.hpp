/// @file
/// What most test files include, compiled once for all of them. Every file still includes what it uses: with
/// -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON nothing of this is there.
#pragma once

#include <dalib/dalib.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <vector>
