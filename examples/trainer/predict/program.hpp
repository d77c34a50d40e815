#pragma once
// dalib_predict: its main function but for the process.

namespace dalib::predict {

/// Predicts the classes of any samples by a model that dalib_train wrote.
/// Returns the exit code; complaints go to the standard error stream.
int run_command(int argc, const char* const* argv);

} // namespace dalib::predict
