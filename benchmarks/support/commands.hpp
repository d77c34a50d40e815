// What both workers share: lines of commands on the standard input, answered with lines of JSON, and how a run is timed.
#pragma once

#include "task.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace dalib::benchmarks {

template <class Work>
double seconds_of(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The median of the runs that fit into that many seconds, at least of one.
template <class Work>
nlohmann::json median_seconds(double at_least, Work&& work) {
  // Another process ran before: the first run of a short one only wakes the threads and fills the caches.
  std::vector<double> times{seconds_of(work)};
  if (times[0] < at_least) {
    times.clear();
    for (double total = 0; total < at_least; total += times.back()) times.push_back(seconds_of(work));
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return {{"seconds", *middle}, {"runs", times.size()}};
}

/// Writes output `number` to PATH.NUMBER.
inline void write_output(const std::string& path, std::size_t number, const void* data, std::size_t bytes) {
  std::ofstream file(path + "." + std::to_string(number), std::ios::binary);
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

/// Answers requests until `quit`; what `answer(request)` throws is an answer too.
template <class Answer>
void answer_commands(Answer&& answer) {
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    nlohmann::json reply;
    try {
      reply = answer(request(line));
    } catch (const std::exception& error) {
      reply = {{"error", error.what()}};
    }
    std::cout << reply.dump() << std::endl;
  }
}

} // namespace dalib::benchmarks
