// Our side of compare_losses.py: value and gradient of a loss of float rows (double ones for the Sinkhorn divergence's reference),
// serially.
//
//     losses_speed FOLDER MEASURE ROWS COLUMNS SETTING SECONDS
//
// reads x.f32, y.f32 and what else the loss takes from the folder, writes the gradients gx.f32, gy.f32 (gx.f64 ...), and prints the
// processor time of the fastest of the runs that SECONDS are enough for, and the value.
#include <dalib/losses.hpp>
#include <dalib/tensor/eigen.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace dalib;
template <class T>
using rows_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double processor_time() {
  std::timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct task {
  std::string folder, measure;
  Eigen::Index rows, columns;
  double setting, seconds;

  template <class T = float>
  rows_of<T> read(const std::string& name, Eigen::Index count, Eigen::Index width) const {
    rows_of<float> to(count, width);
    std::ifstream from(folder + "/" + name + ".f32", std::ios::binary);
    if (!from.read(reinterpret_cast<char*>(to.data()), static_cast<std::streamsize>(to.size() * 4)))
      throw std::runtime_error("cannot read " + name);
    return to.template cast<T>();
  }
  template <class T>
  void write(const std::string& name, const rows_of<T>& from) const {
    std::ofstream to(folder + "/" + name + (sizeof(T) == 4 ? ".f32" : ".f64"), std::ios::binary);
    to.write(reinterpret_cast<const char*>(from.data()), static_cast<std::streamsize>(from.size() * static_cast<Eigen::Index>(sizeof(T))));
  }
  void time(const std::function<double()>& run) const {
    double best = std::numeric_limits<double>::infinity(), value = 0;
    const double start = processor_time();
    do {
      const double before = processor_time();
      value = run();
      best = std::min(best, processor_time() - before);
    } while (processor_time() - start < seconds);
    std::printf("%.9g %.17g\n", best, value);
  }

  /// Of two samples, and what else the loss takes.
  template <class T = float, class Loss, class... Others>
  void two_samples(const Loss& loss, const Others&... others) const {
    const auto x = read<T>("x", rows, columns), y = read<T>("y", rows, columns);
    rows_of<T> gx(rows, columns), gy(rows, columns);
    workspace scratch;
    time([&] { return static_cast<double>(loss.value_and_gradient(exec::serial{}, x, y, others..., gradients{gx, gy}, scratch)); });
    write("gx", gx), write("gy", gy);
  }
  template <class Loss>
  void logits(const Loss& loss) const {
    const auto x = read("x", rows, columns);
    rows_of<float> gx(rows, columns);
    workspace scratch;
    time([&] { return static_cast<double>(loss.value_and_gradient(exec::serial{}, x, gradient{gx}, scratch)); });
    write("gx", gx);
  }
  void run() const {
    if (measure == "sinkhorn") {
      const sinkhorn_divergence loss{{.blur = std::sqrt(static_cast<double>(columns)) / 4, .tolerance = setting}};
      setting < 1e-8 ? two_samples<double>(loss) : two_samples(loss);
    } else if (measure == "swd") {
      two_samples(sliced_wasserstein{2}, read("directions", columns, static_cast<Eigen::Index>(setting)));
    } else if (measure == "coral") {
      two_samples(coral{});
    } else if (measure == "lmmd") {
      const auto classes = static_cast<Eigen::Index>(setting);
      const auto known = read("labels", rows, 1);
      std::vector<std::int64_t> labels;
      for (Eigen::Index i = 0; i < rows; ++i) labels.push_back(static_cast<std::int64_t>(known(i, 0)));
      two_samples(local_mmd{labels}, read("probabilities", rows, classes));
    } else if (measure == "mcc") {
      logits(minimum_class_confusion{});
    } else if (measure == "bnm") {
      logits(batch_nuclear_norm{});
    } else {
      throw std::runtime_error("no such measure: " + measure);
    }
  }
};

} // namespace

int main(int count, char** words) {
  if (count != 7) return std::fputs("usage: losses_speed FOLDER MEASURE ROWS COLUMNS SETTING SECONDS\n", stderr), 2;
  try {
    task{words[1], words[2], std::atol(words[3]), std::atol(words[4]), std::atof(words[5]), std::atof(words[6])}.run();
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "losses_speed: %s\n", error.what()), 1;
  }
}
