#pragma once
// dalib_features: its main function but for the process.

namespace dalib::features {

/// Images and weights in, features and labels out, as arrays for any other program.
/// Returns the exit code; complaints go to the standard error stream.
int run_command(int argc, const char* const* argv);

} // namespace dalib::features
