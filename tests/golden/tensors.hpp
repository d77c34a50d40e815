/// @file
/// The kinds of tensors through which a tensor measure is checked. Each kind makes a tensor of an array and reads it back. Most groups see
/// them all as one type, `any_tensor`, and are compiled once; the groups `kernel` and `mcd` call the library with each type itself.
#pragma once

#include "groups.hpp"

#include <dalib/dalib.hpp>
#ifdef DALIB_TEST_THRUST
#  include <dalib/thrust.hpp>
#endif
#ifdef DALIB_TEST_MPI
#  include "mpi/dealt.hpp"
#endif
#ifdef DALIB_TEST_XTENSOR
#  include <dalib/xtensor.hpp>

#  if __has_include(<xtensor/xarray.hpp>)
#    include <xtensor/xarray.hpp>
#    include <xtensor/xtensor.hpp>
#  else
#    include <xtensor/containers/xarray.hpp>
#    include <xtensor/containers/xtensor.hpp>
#  endif
#endif

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace golden {

/// Elements of an array as T.
template <class T>
std::vector<T> values_as(const array& source) {
  std::vector<T> result(source.values.size());
  std::transform(source.values.begin(), source.values.end(), result.begin(), [](double value) { return static_cast<T>(value); });
  return result;
}

/// Eigen matrix of (rows, the other dimensions flattened).
template <class T, int Order>
class eigen_tensor {
public:
  explicit eigen_tensor(const array& source) : shape_(source.shape), matrix_(source.rows(), source.cols()) {
    const std::vector<T> values = values_as<T>(source);
    matrix_ = Eigen::Map<const row_major>(values.data(), matrix_.rows(), matrix_.cols());
  }
  static std::string kind() { return Order == Eigen::RowMajor ? "Eigen row-major" : "Eigen column-major"; }
  auto& get() { return matrix_; }
  const auto& get() const { return matrix_; }
  array read() const {
    const row_major copy = matrix_;
    return {shape_, {copy.data(), copy.data() + copy.size()}};
  }

private:
  using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  std::vector<std::ptrdiff_t> shape_;
  Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Order> matrix_;
};

/// A raw pointer with strides: rows stand apart, and every second element between them belongs to nobody.
template <class T>
class strided_tensor {
public:
  explicit strided_tensor(const array& source) : shape_(source.shape), storage_(values_as<T>(source).size() * step + gap(source), unused) {
    const std::vector<T> values = values_as<T>(source);
    view_ = {storage_.data(), source.rows(), source.cols(), source.cols() * step + 3, step};
    for (std::ptrdiff_t i = 0; i < view_.rows; ++i)
      for (std::ptrdiff_t j = 0; j < view_.cols; ++j) view_(i, j) = values[static_cast<std::size_t>(i * view_.cols + j)];
  }
  strided_tensor(const strided_tensor&) = delete;
  strided_tensor& operator=(const strided_tensor&) = delete;
  static std::string kind() { return "raw view"; }
  auto& get() { return view_; }
  array read() const {
    array result(shape_, std::vector<double>(array::element_count(shape_)));
    for (std::ptrdiff_t i = 0; i < view_.rows; ++i)
      for (std::ptrdiff_t j = 0; j < view_.cols; ++j)
        result.values[static_cast<std::size_t>(i * view_.cols + j)] = static_cast<double>(view_(i, j));
    return result;
  }

private:
  static constexpr std::ptrdiff_t step = 2;
  static constexpr T unused = T(1e30); // would show in any result that reads it
  static std::size_t gap(const array& source) { return static_cast<std::size_t>(source.rows() * 3); }

  std::vector<std::ptrdiff_t> shape_;
  std::vector<T> storage_;
  dalib::matrix_view<T> view_;
};

#ifdef DALIB_TEST_XTENSOR
/// xtensor of static rank 2, further dimensions flattened by us.
template <class T>
class xtensor_matrix {
public:
  explicit xtensor_matrix(const array& source)
      : shape_(source.shape),
        tensor_(xt::xtensor<T, 2>::from_shape({static_cast<std::size_t>(source.rows()), static_cast<std::size_t>(source.cols())})) {
    const std::vector<T> values = values_as<T>(source);
    std::copy(values.begin(), values.end(), tensor_.begin());
  }
  static std::string kind() { return "xtensor 2-d"; }
  auto& get() { return tensor_; }
  array read() const { return {shape_, {tensor_.begin(), tensor_.end()}}; }

private:
  std::vector<std::ptrdiff_t> shape_;
  xt::xtensor<T, 2> tensor_;
};

/// xtensor array with the source's own dimensions, which the library flattens.
template <class T>
class xtensor_array {
public:
  explicit xtensor_array(const array& source)
      : shape_(source.shape), tensor_(std::vector<std::size_t>(source.shape.begin(), source.shape.end())) {
    const std::vector<T> values = values_as<T>(source);
    std::copy(values.begin(), values.end(), tensor_.begin());
  }
  static std::string kind() { return "xtensor n-d"; }
  auto& get() { return tensor_; }
  array read() const { return {shape_, {tensor_.begin(), tensor_.end()}}; }

private:
  std::vector<std::ptrdiff_t> shape_;
  xt::xarray<T> tensor_;
};
#endif

#ifdef DALIB_TEST_THRUST
/// A matrix in device memory.
template <class T>
class device_tensor {
public:
  explicit device_tensor(const array& source) : shape_(source.shape), matrix_(eigen_tensor<T, Eigen::RowMajor>(source).get()) {}
  static std::string kind() { return "device_matrix"; }
  auto& get() { return matrix_; }
  const auto& get() const { return matrix_; }
  array read() const {
    const auto host = matrix_.to_host();
    return {shape_, {host.data(), host.data() + host.size()}};
  }

private:
  std::vector<std::ptrdiff_t> shape_;
  dalib::device_matrix<T> matrix_;
};

/// A pointer to device memory with strides, column by column and with a gap behind every column.
template <class T>
class device_view {
public:
  explicit device_view(const array& source)
      : shape_(source.shape), storage_(source.cols(), source.rows() + 3),
        view_(storage_.data(), source.rows(), source.cols(), 1, source.rows() + 3) {
    dalib::copy_to_device(dalib::exec::thrust{}, eigen_tensor<T, Eigen::RowMajor>(source).get(), view_);
  }
  device_view(device_view&&) = default;
  device_view& operator=(device_view&&) = default;
  static std::string kind() { return "device view"; }
  auto& get() { return view_; }
  array read() const {
    eigen_tensor<T, Eigen::RowMajor> host(array(shape_, std::vector<double>(array::element_count(shape_))));
    dalib::copy_to_host(dalib::exec::thrust{}, view_, host.get());
    return host.read();
  }

private:
  std::vector<std::ptrdiff_t> shape_;
  dalib::device_matrix<T> storage_;
  dalib::matrix_view<T, dalib::device_memory> view_;
};
#endif

/// An owning kind of tensor, for what is computed once and not for every kind.
#ifdef DALIB_TEST_THRUST
template <class T>
using plain_tensor = device_tensor<T>;
#else
template <class T>
using plain_tensor = eigen_tensor<T, Eigen::ColMajor>;
#endif

/// The memory that the tensors' elements are in, and the execution policy that measures use there.
using tensor_memory = dalib::memory_of<decltype(std::declval<plain_tensor<float>&>().get())>;
#ifdef DALIB_TEST_MPI
using tensor_policy = dealt::policy;
#else
using tensor_policy = dalib::exec::default_for<tensor_memory>;
#endif

/// Calls visit(tag<Tensor>{}) for each kind of tensor with elements T.
template <class T, class Visit>
void for_each_tensor_type(Visit&& visit) {
#ifdef DALIB_TEST_THRUST
  visit(tag<device_tensor<T>>{});
  visit(tag<device_view<T>>{});
#else
  visit(tag<eigen_tensor<T, Eigen::ColMajor>>{});
  visit(tag<eigen_tensor<T, Eigen::RowMajor>>{});
  visit(tag<strided_tensor<T>>{});
#  ifdef DALIB_TEST_XTENSOR
  visit(tag<xtensor_matrix<T>>{});
  visit(tag<xtensor_array<T>>{});
#  endif
#endif
}

/// A tensor of any kind: to the library a type of a user's own, see matrix_traits below.
template <class T>
class any_tensor {
public:
  template <class Tensor>
  any_tensor(tag<Tensor>, const array& source) {
    auto made = std::make_unique<held<Tensor>>(source);
    view_ = dalib::view_of(made->tensor.get());
    positions_ = dalib::positions_of(made->tensor.get());
    tensor_ = std::move(made);
  }
  any_tensor& get() { return *this; }
  const any_tensor& get() const { return *this; }
  array read() const { return tensor_->read(); }

  dalib::matrix_view<T, tensor_memory> view() { return view_; }
  dalib::matrix_view<const T, tensor_memory> view() const { return view_; }
  dalib::index_t positions() const { return positions_; }

private:
  struct holder {
    virtual ~holder() = default;
    virtual array read() const = 0;
  };
  template <class Tensor>
  struct held final : holder {
    explicit held(const array& source) : tensor(source) {}
    array read() const override { return tensor.read(); }
    Tensor tensor;
  };
  std::unique_ptr<holder> tensor_;
  dalib::matrix_view<T, tensor_memory> view_;
  dalib::index_t positions_ = 1;
};

/// A kind of tensor, known when the test runs: makes tensors of it.
template <class T>
struct tensor_kind {
  std::string name;
  any_tensor<T> (*make)(const array&);
  any_tensor<T> operator()(const array& source) const { return make(source); }
};

template <class T, class Tensor>
tensor_kind<T> kind_of() {
  return {Tensor::kind(), [](const array& source) { return any_tensor<T>(tag<Tensor>{}, source); }};
}

template <class T>
std::vector<tensor_kind<T>> all_tensor_kinds() {
  std::vector<tensor_kind<T>> kinds;
  for_each_tensor_type<T>([&]<class Tensor>(tag<Tensor>) { kinds.push_back(kind_of<T, Tensor>()); });
  return kinds;
}

/// Calls visit(kind) for each kind of tensor with elements T.
template <class T, class Visit>
void for_each_tensor_kind(Visit&& visit) {
  for (const tensor_kind<T>& kind : all_tensor_kinds<T>()) visit(kind);
}

/// An array of zeros of the shape of another, for gradients.
inline array zeros_like(const array& source) { return {source.shape, std::vector<double>(source.values.size(), 0.0)}; }

} // namespace golden

template <class T>
struct dalib::matrix_traits<golden::any_tensor<T>> {
  static constexpr bool owning = false;
  static auto view(golden::any_tensor<T>& tensor) { return tensor.view(); }
  static auto view(const golden::any_tensor<T>& tensor) { return tensor.view(); }
  static dalib::index_t positions(const golden::any_tensor<T>& tensor) { return tensor.positions(); }
};
