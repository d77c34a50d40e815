/// @file
/// Measures over the ranks of an MPI program: `exec::mpi`. Link dalib::mpi; include/dalib/mpi.md is the page.
#pragma once

#include "dalib/dalib.hpp"
#include "dalib/execution/mpi.hpp"
#include "dalib/measure/mpi/kernel_rows.hpp"
#include "dalib/measure/mpi/over_ranks.hpp"
