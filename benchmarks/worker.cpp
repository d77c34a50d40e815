// Our side of compare.py: reads one command per line, answers with one line of JSON.
//
//   prepare id=A measure=mmd dtype=float n_s=32 n_t=32 features=256 classes=0 mode=gradient    makes the inputs and runs once
//   measure id=A seconds=0.1     runs for that long, at least once: the median of one run
//   memory id=A                  the peak of memory of one run beyond inputs and outputs
//   store id=A path=prefix       writes output k to prefix.k
//   quit
#include "support/commands.hpp"
#include "support/networks.hpp"
#include "support/process_memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace {

using namespace dalib::benchmarks;
using nlohmann::json;

class worker {
public:
  json answer(const request& asked) {
    if (asked.command() == "hello") return {{"openmp_threads", omp_get_max_threads()}, {"compiler", __VERSION__}};
    if (asked.command() == "prepare") return prepare(asked);
    if (asked.command() == "measure") return median_seconds(asked.number("seconds"), [&one = named(asked)] { one.run(); });
    if (asked.command() == "memory") return memory(named(asked));
    if (asked.command() == "errors") return errors(named(asked), contestants_.at(asked.text("exact")));
    if (asked.command() == "store") return store(named(asked), asked.text("path"));
    throw std::invalid_argument("unknown command " + asked.command());
  }

private:
  contestant& named(const request& asked) {
    const auto found = contestants_.find(asked.text("id"));
    if (found == contestants_.end()) throw std::invalid_argument("nothing was prepared as " + asked.text("id"));
    return found->second;
  }

  template <class T>
  static contestant make(const request& asked) {
    const std::string& name = asked.text("measure");
    return is_network(name) ? make_network<T>(name, task_shape(asked)) : make_contestant<T>(asked);
  }

  json prepare(const request& asked) {
    contestant made = asked.text("dtype") == "double" ? make<double>(asked) : make<float>(asked);
    double value = 0;
    const double seconds = seconds_of([&] { value = made.run(); }), flops = made.flops;
    contestants_[asked.text("id")] = std::move(made);
    return {{"value", value}, {"seconds", seconds}, {"flops", flops}};
  }

  static json memory(contestant& one) {
    *one.scratch = dalib::workspace();
    one.forget();
    return {{"bytes", peak_growth([&] { one.run(); })}};
  }

  static json store(const contestant& one, const std::string& path) {
    for (std::size_t k = 0; k < one.outputs.size(); ++k) write_output(path, k, one.outputs[k].data(), one.outputs[k].size());
    return {{"outputs", one.outputs.size()}};
  }

  static double element(std::span<const std::byte> bytes, std::size_t count, std::size_t i) {
    if (bytes.size() == count * sizeof(double)) return reinterpret_cast<const double*>(bytes.data())[i];
    return static_cast<double>(reinterpret_cast<const float*>(bytes.data())[i]);
  }

  /// The largest error of an output, relative to the largest entry of the same output of a contestant in double.
  static json errors(const contestant& one, const contestant& exact) {
    double worst = 0;
    for (std::size_t k = 0; k < one.outputs.size(); ++k) {
      const std::size_t count = exact.outputs[k].size() / sizeof(double);
      double error = 0, largest = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const double wanted = element(exact.outputs[k], count, i);
        error = std::max(error, std::abs(element(one.outputs[k], count, i) - wanted));
        largest = std::max(largest, std::abs(wanted));
      }
      worst = std::max(worst, error / largest);
    }
    return {{"worst", worst}};
  }

  std::map<std::string, contestant> contestants_;
};

} // namespace

int main() {
  worker ours;
  answer_commands([&](const request& asked) { return ours.answer(asked); });
}
