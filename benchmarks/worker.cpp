// Our side of compare.py: reads one command per line, answers with one line of JSON.
//
//   prepare id=A measure=mmd dtype=float n_s=32 n_t=32 features=256 classes=0 mode=gradient    makes the inputs and runs once
//   measure id=A seconds=0.1     runs for that long, at least once: the median of one run
//   memory id=A                  the peak of memory of one run beyond inputs and outputs
//   store id=A path=prefix       writes output k to prefix.k
//   quit
#include "support/networks.hpp"
#include "support/process_memory.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>

namespace {

using namespace dalib::benchmarks;
using nlohmann::json;

using timer = std::chrono::steady_clock;

double seconds_since(timer::time_point start) { return std::chrono::duration<double>(timer::now() - start).count(); }

double seconds_of(const contestant& one) {
  const auto start = timer::now();
  one.run();
  return seconds_since(start);
}

class worker {
public:
  json answer(const request& asked) {
    if (asked.command() == "hello") return {{"openmp_threads", omp_get_max_threads()}, {"compiler", __VERSION__}};
    if (asked.command() == "prepare") return prepare(asked);
    if (asked.command() == "measure") return measure(named(asked), asked.number("seconds"));
    if (asked.command() == "memory") return memory(named(asked));
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
    const auto start = timer::now();
    const double value = made.run();
    const double seconds = seconds_since(start), flops = made.flops;
    contestants_[asked.text("id")] = std::move(made);
    return {{"value", value}, {"seconds", seconds}, {"flops", flops}};
  }

  static json measure(const contestant& one, double at_least) {
    // Another process ran before: the first run of a short one only wakes the threads and fills the caches.
    std::vector<double> times{seconds_of(one)};
    if (times[0] < at_least) {
      times.clear();
      for (double total = 0; total < at_least; total += times.back()) times.push_back(seconds_of(one));
    }
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return {{"seconds", *middle}, {"runs", times.size()}};
  }

  static json memory(contestant& one) {
    *one.scratch = dalib::workspace();
    one.forget();
    return {{"bytes", peak_growth([&] { one.run(); })}};
  }

  static json store(const contestant& one, const std::string& path) {
    for (std::size_t k = 0; k < one.outputs.size(); ++k) {
      std::ofstream file(path + "." + std::to_string(k), std::ios::binary);
      file.write(reinterpret_cast<const char*>(one.outputs[k].data()), static_cast<std::streamsize>(one.outputs[k].size()));
      if (!file.flush()) throw std::runtime_error("cannot write " + path);
    }
    return {{"outputs", one.outputs.size()}};
  }

  std::map<std::string, contestant> contestants_;
};

} // namespace

int main() {
  worker ours;
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    json reply;
    try {
      reply = ours.answer(request(line));
    } catch (const std::exception& error) {
      reply = {{"error", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
}
