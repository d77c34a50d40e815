#include "data/number_table.hpp"
#include "input.hpp"

#include <cmath>
#include <string_view>

// A table that is accepted has a finite or missing number for each row and column, and as many classes as rows or none.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* const label : {"label", "b"})
    fuzz::allow_refusal([&] {
      const dalib::data::number_table table = dalib::data::parse_table(text, "input", {label, {}});
      fuzz::require(table.values.rows() == static_cast<Eigen::Index>(table.lines.size()));
      fuzz::require(table.values.cols() == static_cast<Eigen::Index>(table.columns.size()));
      fuzz::require(table.labels.empty() || table.labels.size() == table.lines.size());
      for (const double value : table.values.reshaped()) fuzz::require(std::isnan(value) || std::isfinite(value));
    });
  return 0;
}
