#include "all_headers.hpp"
#include "shared.hpp"

double second_value();

double second_value() { return shared_value(); }
