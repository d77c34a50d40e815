#pragma once
// dalib_train: its main function but for the process.

namespace dalib::train {

/// Trains and compares methods of domain adaptation on the bundled digits, known image data sets and the user's own data.
/// Returns the exit code; complaints go to the standard error stream.
int run_command(int argc, const char* const* argv);

} // namespace dalib::train
