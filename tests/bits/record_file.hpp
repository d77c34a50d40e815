/// @file
/// Named arrays of raw numbers in a file, and the comparison of two such files.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace bits {

/// One array: its name, the bytes of a number (4: float, 8: double), and the numbers as they lie in memory.
struct record {
  std::string name;
  std::uint32_t width = 0;
  std::vector<char> bytes;

  std::size_t count() const { return bytes.size() / width; }
  double number(std::size_t i) const {
    float single = 0;
    double whole = 0;
    if (width == 4) return std::memcpy(&single, bytes.data() + 4 * i, 4), static_cast<double>(single);
    return std::memcpy(&whole, bytes.data() + 8 * i, 8), whole;
  }
  bool same(const record& other, std::size_t i) const { return std::memcmp(&bytes[i * width], &other.bytes[i * width], width) == 0; }
};

inline void write(std::ostream& to, const record& one) {
  const std::uint32_t head[3] = {static_cast<std::uint32_t>(one.name.size()), one.width, static_cast<std::uint32_t>(one.bytes.size())};
  to.write(reinterpret_cast<const char*>(head), sizeof(head));
  to.write(one.name.data(), static_cast<std::streamsize>(one.name.size()));
  to.write(one.bytes.data(), static_cast<std::streamsize>(one.bytes.size()));
}

/// All records of a file, in order. @throws std::runtime_error if it cannot be read to its end.
inline std::vector<record> read(const std::string& path) {
  std::ifstream from(path, std::ios::binary);
  if (!from) throw std::runtime_error(path + ": cannot be opened");
  std::vector<record> all;
  std::uint32_t head[3];
  while (from.read(reinterpret_cast<char*>(head), sizeof(head))) {
    record one;
    one.name.resize(head[0]);
    one.width = head[1];
    one.bytes.resize(head[2]);
    from.read(one.name.data(), head[0]);
    if (!from.read(one.bytes.data(), head[2]) || (one.width != 4 && one.width != 8)) throw std::runtime_error(path + ": is damaged");
    all.push_back(std::move(one));
  }
  if (all.empty()) throw std::runtime_error(path + ": has no records");
  return all;
}

/// Says where two records differ first and by how much at most; true if they do.
inline bool report_difference(const record& a, const record& b, bool& first) {
  if (a.width == b.width && a.bytes == b.bytes) return false;
  std::cout << a.name;
  if (a.width != b.width || a.bytes.size() != b.bytes.size()) return std::cout << ": other shape\n", true;
  std::size_t differing = 0, place = 0;
  double largest = 0, size = 0;
  for (std::size_t i = a.count(); i-- > 0;) {
    size = std::max(size, std::abs(a.number(i)));
    if (a.same(b, i)) continue;
    place = i;
    ++differing;
    largest = std::max(largest, std::abs(a.number(i) - b.number(i)));
  }
  std::cout << ": " << differing << " of " << a.count() << " numbers, by up to " << largest << " where the largest is " << size;
  std::cout.precision(17);
  if (first) std::cout << "; the first is number " << place << ": " << a.number(place) << " and " << b.number(place);
  std::cout.precision(6);
  std::cout << '\n';
  first = false;
  return true;
}

/// Names every record in which the files differ, the first difference with its numbers. Returns how many.
inline int compare(const std::string& before, const std::string& after) {
  std::map<std::string, record> rest;
  for (record& one : read(after)) rest.emplace(one.name, std::move(one));
  int differences = 0, records = 0;
  bool first = true;
  for (const record& one : read(before)) {
    ++records;
    const auto found = rest.find(one.name);
    if (found == rest.end()) {
      std::cout << one.name << ": only in " << before << '\n';
      ++differences;
      continue;
    }
    differences += report_difference(one, found->second, first);
    rest.erase(found);
  }
  for (const auto& [name, one] : rest) std::cout << name << ": only in " << after << '\n';
  differences += static_cast<int>(rest.size());
  std::cout << differences << " of " << records << " records differ\n";
  return differences;
}

} // namespace bits
