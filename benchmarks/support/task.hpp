#pragma once

#include <Eigen/Core>

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

namespace dalib::benchmarks {

/// One line from the driver: a command and `key=value` words.
class request {
public:
  explicit request(const std::string& line) {
    std::istringstream words(line);
    words >> command_;
    for (std::string word; words >> word;) {
      const std::size_t sign = word.find('=');
      if (sign == std::string::npos) throw std::invalid_argument("expected key=value, got " + word);
      values_[word.substr(0, sign)] = word.substr(sign + 1);
    }
  }

  const std::string& command() const { return command_; }
  const std::string& text(const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) throw std::invalid_argument(command_ + " needs " + key + "=...");
    return found->second;
  }
  std::string text_or(const std::string& key, const std::string& otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }
  double number(const std::string& key) const { return std::stod(text(key)); }
  Eigen::Index size(const std::string& key) const {
    const Eigen::Index value = std::stol(text(key));
    if (value < 0) throw std::invalid_argument(key + " must not be negative");
    return value;
  }

private:
  std::string command_;
  std::map<std::string, std::string> values_;
};

/// The sizes of a task, as the driver names them.
struct task_shape {
  Eigen::Index n_s, n_t, features, classes;
  bool gradient;
  std::string data; ///< what the rows of a two-sample measure are like; see arranged()
  bool float_rows;  ///< the rows are what float holds of them, whatever the scalar type

  explicit task_shape(const request& asked)
      : n_s(asked.size("n_s")), n_t(asked.size("n_t")), features(asked.size("features")), classes(asked.size("classes")),
        gradient(asked.text("mode") == "gradient"), data(asked.text_or("data", "noise")), float_rows(asked.text_or("rows", "") == "float") {
  }
};

} // namespace dalib::benchmarks
