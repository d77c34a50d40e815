// Our side of gpu_compare.py: reads one command per line, answers with one line of JSON, as worker.cpp does.
//
//   prepare id=A measure=mmd dtype=float precision=tf32 n_s=32 n_t=32 features=256 classes=0 mode=gradient
//                                makes the inputs and runs once; measure=product: the square product of cuBLAS that is the yardstick
//   measure id=A seconds=0.1     runs for that long, at least once: the median of one run
//   memory id=A                  growth of the device's used memory by one run, beyond inputs and outputs
//   store id=A path=prefix       writes output k to prefix.k
//   compare id=A path=prefix     largest difference of the outputs from stored ones, relative to their largest entries
//   quit
#include "support/commands.hpp"
#include "support/inputs.hpp"

#include <dalib/thrust.hpp>

#include <cstdint>
#include <map>
#include <memory>

namespace {

using namespace dalib::benchmarks;
using dalib::device_matrix;
using dalib::detail::require_cuda;
using nlohmann::json;

dalib::product_precision precision_of(const std::string& name) {
  if (name == "full") return dalib::product_precision::full;
  if (name == "tf32") return dalib::product_precision::tf32;
  if (name == "bfloat16") return dalib::product_precision::bfloat16;
  throw std::invalid_argument("unknown precision " + name);
}

/// Something that runs on the device. Its run ends when the device has finished.
class contestant {
public:
  virtual ~contestant() = default;
  virtual double run() = 0;
  virtual double flops() const { return 0; } ///< of one run, where it is a plain matrix product
  virtual void forget() {}                   ///< gives memory that is kept between runs back
  virtual void store(const std::string&) const {}
  virtual double worst_difference(const std::string&) const { return 0; }
};

/// The measure of peers/torch_mmd.py.
template <class T>
class mmd_contestant : public contestant {
public:
  mmd_contestant(const task_shape& shape, dalib::product_precision precision)
      : exec_(nullptr, precision), zs_(draw<T>(shape.n_s, shape.features, {1})), zt_(draw<T>(shape.n_t, shape.features, {2, 1, 0.25})) {
    if (!shape.gradient) return;
    outputs_.emplace_back(shape.n_s, shape.features);
    outputs_.emplace_back(shape.n_t, shape.features);
  }

  double run() override {
    const T value = outputs_.empty() ? measure_(exec_, zs_, zt_, scratch_)
                                     : measure_.value_and_gradient(exec_, zs_, zt_, dalib::gradients{outputs_[0], outputs_[1]}, scratch_);
    exec_.synchronise(); // the gradients are still being written
    return static_cast<double>(value);
  }
  void forget() override { scratch_ = dalib::device_workspace(); }

  void store(const std::string& path) const override {
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const matrix<T> host = outputs_[k].to_host();
      write_output(path, k, host.data(), static_cast<std::size_t>(host.size()) * sizeof(T));
    }
  }
  double worst_difference(const std::string& path) const override {
    double worst = 0;
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const matrix<T> mine = outputs_[k].to_host();
      matrix<T> theirs(mine.rows(), mine.cols());
      std::ifstream file(path + "." + std::to_string(k), std::ios::binary);
      if (!file.read(reinterpret_cast<char*>(theirs.data()), static_cast<std::streamsize>(theirs.size() * Eigen::Index{sizeof(T)})))
        throw std::runtime_error("cannot read " + path);
      const T difference = (mine - theirs).cwiseAbs().maxCoeff(), largest = theirs.cwiseAbs().maxCoeff();
      worst = std::max(worst, static_cast<double>(difference / largest));
    }
    return worst;
  }

private:
  dalib::exec::thrust exec_;
  dalib::mmd<dalib::kernel::gaussian_ladder<>, dalib::estimator::unbiased> measure_{dalib::kernel::gaussian_ladder(0.125, 5)};
  device_matrix<T> zs_, zt_;
  std::vector<device_matrix<T>> outputs_;
  dalib::device_workspace scratch_;
};

/// The yardstick: a large square product by the same call of cuBLAS as the measure's.
template <class T>
class product_contestant : public contestant {
public:
  explicit product_contestant(dalib::product_precision precision) : exec_(nullptr, precision) {}

  double run() override {
    dalib::engine::device_product(
        exec_, dalib::engine::stored_product<T>{size, size, size, {a_.data(), size}, {b_.data(), size}, c_.data(), size});
    exec_.synchronise();
    return 0;
  }
  double flops() const override { return 2.0 * size * size * size; }

private:
  static constexpr dalib::index_t size = 8192;
  dalib::exec::thrust exec_;
  device_matrix<T> a_{draw<T>(size, size, {1})}, b_{draw<T>(size, size, {2})}, c_{size, size};
};

template <class T>
std::unique_ptr<contestant> make_contestant(const request& asked) {
  const dalib::product_precision precision = precision_of(asked.text("precision"));
  if (asked.text("measure") == "product") return std::make_unique<product_contestant<T>>(precision);
  if (asked.text("measure") == "mmd") return std::make_unique<mmd_contestant<T>>(task_shape(asked), precision);
  throw std::invalid_argument("unknown measure " + asked.text("measure"));
}

std::size_t used_device_memory() {
  std::size_t free = 0, total = 0;
  require_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  require_cuda(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return total - free;
}

class worker {
public:
  json answer(const request& asked) {
    if (asked.command() == "hello") return hello();
    if (asked.command() == "prepare") return prepare(asked);
    if (asked.command() == "measure") return median_seconds(asked.number("seconds"), [&one = named(asked)] { one.run(); });
    if (asked.command() == "memory") return memory(named(asked));
    if (asked.command() == "store") return named(asked).store(asked.text("path")), json{{"stored", true}};
    if (asked.command() == "compare") return {{"worst", named(asked).worst_difference(asked.text("path"))}};
    throw std::invalid_argument("unknown command " + asked.command());
  }

private:
  contestant& named(const request& asked) {
    const auto found = contestants_.find(asked.text("id"));
    if (found == contestants_.end()) throw std::invalid_argument("nothing was prepared as " + asked.text("id"));
    return *found->second;
  }

  static json hello() {
    int device = 0, runtime = 0, driver = 0;
    cudaDeviceProp properties{};
    require_cuda(cudaGetDevice(&device), "cudaGetDevice");
    require_cuda(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    require_cuda(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    require_cuda(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    return {{"gpu", properties.name},
            {"compute_capability", std::to_string(properties.major) + "." + std::to_string(properties.minor)},
            {"device_memory_bytes", properties.totalGlobalMem},
            {"cuda_runtime", runtime},
            {"cuda_driver", driver},
            {"host_compiler", __VERSION__}};
  }

  json prepare(const request& asked) {
    auto made = asked.text("dtype") == "double" ? make_contestant<double>(asked) : make_contestant<float>(asked);
    double value = 0;
    const double seconds = seconds_of([&] { value = made->run(); });
    const double flops = made->flops();
    contestants_[asked.text("id")] = std::move(made);
    return {{"value", value}, {"seconds", seconds}, {"flops", flops}};
  }

  static json memory(contestant& one) {
    one.forget();
    const std::size_t before = used_device_memory();
    one.run(); // draws its memory in pieces
    one.run(); // keeps the same memory in one piece
    return {{"bytes", static_cast<std::int64_t>(used_device_memory()) - static_cast<std::int64_t>(before)}};
  }

  std::map<std::string, std::unique_ptr<contestant>> contestants_;
};

} // namespace

int main() {
  worker ours;
  answer_commands([&](const request& asked) { return ours.answer(asked); });
}
