#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include "row_share.hpp"
#include "tensor.hpp"

namespace dalib::ad {

/// What the rows of a matrix are: pixels of `images` images of height x width (NHWC), row (n * height + y) * width + x,
/// with the channels as columns. Plain features are images of 1 x 1 pixel.
struct geometry {
  index_t images = 0;
  index_t height = 1;
  index_t width = 1;
  index_t rows() const { return images * height * width; }
  friend bool operator==(const geometry&, const geometry&) = default;
};

/// How a kernel writes into a gradient: the first contribution overwrites, later ones add.
enum class write { overwrite, accumulate };

/// True while operations record what backward() needs. See no_gradient.
inline bool& recording() {
  static thread_local bool on = true;
  return on;
}

/// Operations record nothing while an object of this type lives (evaluation).
class no_gradient {
public:
  no_gradient() : before_(std::exchange(recording(), false)) {}
  ~no_gradient() { recording() = before_; }
  no_gradient(const no_gradient&) = delete;
  no_gradient& operator=(const no_gradient&) = delete;

private:
  bool before_;
};

template <class Scalar>
class variable;

/// Computes the input gradients from the gradient of the result (which it may take over and overwrite).
template <class Scalar>
using backward_function = std::function<void(tensor<Scalar> upstream, const std::vector<variable<Scalar>>& inputs)>;

/// One value of the computation graph. Users hold it through `variable`.
template <class Scalar>
struct node {
  tensor<Scalar> value;
  tensor<Scalar> gradient; // empty until the first contribution
  geometry shape;
  std::shared_ptr<const row_share> share; // where the rows are this rank's of a batch
  bool requires_gradient = false;
  bool leaf = true;
  bool summed = false;        // of a leaf: the gradient is the sum over the ranks already
  std::uint64_t sequence = 0; // creation order, which is a topological order
  std::vector<variable<Scalar>> inputs;
  backward_function<Scalar> backward;
  std::string name;
};

/// A matrix in a computation graph: shared handle of value, gradient and the operation that made it.
///
/// Copies refer to the same node. Leaves are made by constant() and parameter(); operations make the others.
template <class Scalar>
class variable {
public:
  using scalar = Scalar;

  variable() = default;
  explicit variable(std::shared_ptr<node<Scalar>> n) : node_(std::move(n)) {}

  index_t rows() const { return node_->value.rows(); }
  index_t cols() const { return node_->value.cols(); }
  const geometry& shape() const { return node_->shape; }
  /// The batch of which the rows are this rank's; null where they are all that there is.
  const std::shared_ptr<const row_share>& share() const { return node_->share; }
  bool valid() const { return node_ != nullptr; }
  const std::string& name() const { return node_->name; }

  const_map<Scalar> value() const { return {node_->value.data(), rows(), cols()}; }
  /// Write access, for leaves only (optimiser, import of weights). @throws std::logic_error for the result of an operation
  map<Scalar> mutable_value() const {
    if (!node_->leaf) throw std::logic_error("variable: only leaves can be written");
    return node_->value.view();
  }
  const tensor<Scalar>& storage() const { return node_->value; }
  /// The value of a 1 x 1 variable.
  Scalar item() const {
    if (node_->value.size() != 1) throw std::invalid_argument("variable: item() needs one element");
    return *node_->value.data();
  }

  bool requires_gradient() const { return node_->requires_gradient; }
  /// Switches a leaf's gradient off and on (frozen layers). Graphs recorded before are not affected by switching it on.
  void set_requires_gradient(bool on) const {
    if (!node_->leaf) throw std::logic_error("variable: only leaves can be frozen");
    node_->requires_gradient = on;
  }

  /// Leaves keep their gradient, summed over calls of backward(), until clear_gradient(); other nodes give theirs up.
  bool has_gradient() const { return !node_->gradient.empty(); }
  const_map<Scalar> gradient() const {
    if (!has_gradient()) throw std::logic_error("variable: there is no gradient");
    return {node_->gradient.data(), rows(), cols()};
  }
  void clear_gradient() const {
    node_->gradient = {};
    node_->summed = false;
  }

  /// Gives up a value that nobody reads any more, so that a recorded graph does not keep its memory; size and gradient stay. Operations
  /// have shared what they need to run backward.
  void discard_value() const { node_->value = node_->value.without_elements(); }

  /// For operations: calls kernel(map, write) to put a contribution into the gradient, unless none is needed.
  template <class Kernel>
  void add_gradient(Kernel&& kernel) const {
    if (!requires_gradient()) return;
    const bool first = node_->gradient.empty();
    if (node_->summed) throw std::logic_error("variable: a gradient that was summed over the ranks takes no more before it is cleared");
    if (first) node_->gradient = tensor<Scalar>(rows(), cols());
    kernel(node_->gradient.view(), first ? write::overwrite : write::accumulate);
  }
  /// For operations: adds an Eigen expression of the gradient's size.
  template <class Derived>
  void add_expression(const Eigen::MatrixBase<Derived>& contribution) const {
    add_gradient([&](map<Scalar> target, write mode) {
      if (mode == write::overwrite)
        target = contribution;
      else
        target += contribution;
    });
  }
  /// For operations: adds a finished contribution, taking its memory over where possible.
  void add_gradient(tensor<Scalar> contribution) const {
    if (!requires_gradient()) return;
    if (node_->gradient.empty() && contribution.unique()) {
      node_->gradient = contribution.reshaped(rows(), cols());
      return;
    }
    add_expression(contribution.reshaped(rows(), cols()).view());
  }

  const std::shared_ptr<node<Scalar>>& handle() const { return node_; }

private:
  std::shared_ptr<node<Scalar>> node_;
};

namespace detail {
template <class Scalar>
std::shared_ptr<node<Scalar>> make_node(tensor<Scalar> value, geometry shape) {
  static std::atomic<std::uint64_t> next{0};
  if (shape.rows() != value.rows()) throw std::invalid_argument("variable: geometry and number of rows differ");
  auto result = std::make_shared<node<Scalar>>();
  result->value = std::move(value);
  result->shape = shape;
  result->sequence = next++;
  return result;
}
} // namespace detail

/// A leaf without gradient that holds (shares) `value`; rows are features or the pixels of `shape`.
template <class Scalar>
variable<Scalar> constant(tensor<Scalar> value, geometry shape) {
  return variable<Scalar>(detail::make_node(std::move(value), shape));
}

/// A leaf without gradient with a copy of any Eigen matrix expression.
template <class Derived>
variable<typename Derived::Scalar> constant(const Eigen::MatrixBase<Derived>& value, geometry shape) {
  tensor<typename Derived::Scalar> copy(value.rows(), value.cols());
  copy.view() = value;
  return constant(std::move(copy), shape);
}
template <class Derived>
variable<typename Derived::Scalar> constant(const Eigen::MatrixBase<Derived>& value) {
  return constant(value, geometry{value.rows(), 1, 1});
}

/// A leaf with gradient and a copy of `value`.
template <class Derived>
variable<typename Derived::Scalar> parameter(const Eigen::MatrixBase<Derived>& value, std::string name = {}) {
  auto result = constant(value);
  result.handle()->requires_gradient = true;
  result.handle()->name = std::move(name);
  return result;
}

/// The same value, cut off from the graph (no copy).
template <class Scalar>
variable<Scalar> detach(const variable<Scalar>& x) {
  auto result = constant(x.storage(), x.shape());
  result.handle()->share = x.share();
  return result;
}

/// True if an operation on these inputs has to record itself.
template <class Scalar, class... Others>
bool needs_gradient(const variable<Scalar>& x, const Others&... others) {
  return recording() && (x.requires_gradient() || ... || others.requires_gradient());
}

/// The result of an operation: `backward` is recorded if an input needs a gradient, and dropped with all it holds otherwise.
template <class Scalar, class Backward>
variable<Scalar> make_result(tensor<Scalar> value, geometry shape, std::vector<variable<Scalar>> inputs, Backward&& backward) {
  auto result = detail::make_node(std::move(value), shape);
  for (const variable<Scalar>& x : inputs) // an operation that keeps the images keeps whose they are
    if (x.share() && x.shape().images == shape.images) result->share = x.share();
  const bool needed =
      recording() && std::any_of(inputs.begin(), inputs.end(), [](const variable<Scalar>& x) { return x.requires_gradient(); });
  if (needed) {
    result->leaf = false;
    result->requires_gradient = true;
    result->inputs = std::move(inputs);
    result->backward = std::forward<Backward>(backward);
  }
  return variable<Scalar>(std::move(result));
}

/// Whom backward() tells how far it is: begin(nodes) before it starts, with all that it will visit, and after each of them visited(inputs),
/// with what it added to. This one does not care.
struct unwatched {
  void begin(const auto&) const {}
  void visited(const auto&) const {}
};
inline constexpr unwatched nobody{};

/// Adds `upstream` times the gradient of `loss` to every leaf below it that needs one.
///
/// Nodes are visited once, in reverse order of creation. Each gives up its gradient, its saved intermediate results and its
/// inputs as soon as it has been visited, so a graph can be run backward once.
/// @throws std::invalid_argument if `loss` is not 1 x 1, std::logic_error if nothing below it needs a gradient
template <class Scalar, class Watcher = const unwatched>
void backward(const variable<Scalar>& loss, Scalar upstream = Scalar(1), Watcher& watcher = nobody) {
  if (loss.rows() != 1 || loss.cols() != 1) throw std::invalid_argument("backward: the loss must be 1 x 1");
  if (!loss.requires_gradient() || (!loss.handle()->leaf && !loss.handle()->backward))
    throw std::logic_error("backward: nothing to differentiate, or the graph has already been used");

  std::vector<std::shared_ptr<node<Scalar>>> order{loss.handle()};
  std::unordered_set<const node<Scalar>*> seen{loss.handle().get()};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto current = order[i];
    for (const auto& input : current->inputs)
      if (input.requires_gradient() && seen.insert(input.handle().get()).second) order.push_back(input.handle());
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a->sequence > b->sequence; });

  watcher.begin(order);
  loss.add_expression(matrix<Scalar>::Constant(1, 1, upstream));
  for (auto& current : order) {
    if (!current->leaf) {
      const auto run = std::exchange(current->backward, nullptr);
      const auto inputs = std::exchange(current->inputs, {});
      tensor<Scalar> gradient = std::exchange(current->gradient, {});
      if (run && !gradient.empty()) run(std::move(gradient), inputs);
      watcher.visited(inputs);
    }
    current = nullptr;
  }
}

} // namespace dalib::ad
