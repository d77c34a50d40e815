/// @file
/// What a machine offers the engines: one page, one template, `backend<Memory>`, specialised once for each memory.
#pragma once

#include "dalib/core/gradients.hpp"
#include "dalib/core/sample.hpp"
#include "dalib/reduction/accumulators.hpp"
#include "dalib/reduction/reductions.hpp"

#include <span>
#include <tuple>
#include <type_traits>

namespace dalib {

struct quadruple_plan;

namespace engine {

template <class T, class Memory>
struct joint_sample;
template <class T, class Profile, class Memory>
struct layer;
template <class T, class Memory>
struct domain_coefficients;
struct row_problem;
struct value_visitor;

/// How gradients are written: times `scale`, over what is there or added to it.
template <class T>
struct gradient_rule {
  T scale = T(1);
  write_mode mode = write_mode::overwrite;
};

/// A product is written as alpha A B + beta C. With beta 0 what was in C is not read, so it may be NaN.
template <class T>
struct product_scale {
  T alpha = T(1);
  T beta = T(0);
};

/// Which pairs a kernel matrix holds: all of the joint sample; the same with 0 on its diagonal; rows of the source with rows of the target.
enum class pair_set { all, distinct, across };

/// out[k] = K_k right; see engine/kernel_products.hpp.
template <class T, class Memory = host_memory>
struct product_request {
  pair_set pairs;
  matrix_view<const T, Memory> right;
  std::span<const matrix_view<T, Memory>> out;
};

/// out[k] = the k-th matrix that a visitor keeps: of all pairs of the source's rows, symmetric, or of the source's rows with the target's.
template <class T, class Memory = host_memory>
struct matrix_request {
  bool across;
  std::span<const matrix_view<T, Memory>> out;
};

/// out(i) = a state of row i over its pairs; see engine/row_states.hpp.
template <class T, class Memory = host_memory>
struct row_request {
  pair_set pairs;
  matrix_view<const T, Memory> potential;
  matrix_view<T, Memory> out;
};

} // namespace engine

namespace detail {
template <class Memory>
inline constexpr bool has_backend = false; // is asked only where there is none
}

/// The machine whose tensors lie in `Memory`. The library has that of the host's memory (engine/host/backend.hpp) and that of a Thrust
/// device (engine/thrust/backend.hpp). Another machine specialises this template and needs nothing else: a memory is any empty struct, and
/// `matrix_view<T, Memory>` is its tensor. Members are static; `exec` is an execution policy with that memory, `scratch` a workspace.
/// Whatever the order in which a machine visits pairs or rows, it must not change from call to call.
///
/// Types:
/// - `execution`: the policy of calls without one
/// - `workspace`: scratch memory: a `basic_workspace`
/// - `vector<T>`: numbers in this memory, made with `(count)` or `(count, number)`; `data()`, `size()`, copies
/// - `summary<T>`: mean and spread of a joint sample, made with `(exec, joint_sample, scratch)`; members `origin`, `offset_sums`,
///   `mean_squared_distance` and `median_squared_distance` as engine/sample/joint_sample.hpp has them
/// - `cached_bytes`: a number: what a pass writes for the next one to read is best at most so large
///
/// Data:
/// - `synchronise(exec)`: waits until all that was run is done
/// - `copy_from_host(exec, from, count, to)`: copies contiguous numbers of the host into this memory; the host's may change on return
/// - `copy_to_host(exec, from, count, to)`: copies them back, and waits for them
/// - `filled_for<T>(exec, count, fill, scratch)`: a few numbers that `fill(T*)` writes on the host, in `scratch`, where tasks can read them
/// - `clear(exec, view)`: fills with zeros; a view without data is left alone
/// - `total_weight(sample)`: the sum of a sample's weights; n without weights
/// - `counted_rows(exec, sample, scratch)`: the sample with a copy of a row that counts for each row of weight 0
/// - `require_finite(measure, which, view)`: throws std::invalid_argument if an element is not finite
///
/// Pairs:
/// - `visit_pairs<Accumulator>(exec, visitor, coefficients, layers, gradient_rule, scratch)`: shows all ordered pairs of rows to a visitor
///   (engine/pair/visitor.hpp) and returns the numbers it adds up; if it pulls, also the layers' gradients by the rule. `coefficients` are
///   engine/pair/coefficients.hpp's (`only_across`: pairs within a sample need not be looked at), `layers` a tuple of engine::layer
/// - `sum_of_quadruples<Gradient, Accumulator>(exec, plan, layers, scale, mode, scratch)`: the same for the pairs of a quadruple_plan,
///   without its constant
/// - `kernel_products(exec, visitor, layer, product_request, scratch)`: out[k] = K_k Z for the matrices K_k that the visitor keeps
/// - `row_states(exec, state, layer, row_request, scratch)`: what a state gathers of each row over the rows it is paired with
/// - `kernel_entries(exec, visitor, layer, matrix_request, scratch)`: the matrices that the visitor keeps
///
/// Rows: tasks are function objects that are valid where `exec` runs them, see engine/row/class_column.hpp.
/// - `for_each_row(exec, rows, task)`: calls `task(row)` for every row
/// - `sum_over_rows(exec, rows, task, scratch)`: adds up the doubles that `task(row)` returns
/// - `for_each_entry(exec, rows, cols, task)`: calls `task(row, col, count)` for parts of rows that cover a matrix: whole rows, or single
///   entries
/// - `visit_groups<T>(exec, row_problem, task, scratch)`: calls `task(group, scratch)` for every group of rows of class scores
/// - `reduce_groups<T, Reduction>(exec, row_problem, task, scratch)`: the same with a value for each row, reduced
/// - `sum_classes<T>(exec, row_problem, task, scratch)`: sums over the rows of what `task` leaves in each entry of its class columns,
///   on the host: a range of doubles
///
/// Products:
/// - `product(exec, a, b, c, scale, scratch)`: c = alpha a b + beta c, for views with any strides; see engine/product.hpp
template <class Memory>
struct backend {
  static_assert(detail::has_backend<Memory>,
                "dalib: no machine works on tensors in this memory. Include its header (dalib/thrust.hpp ...), or specialise "
                "dalib::backend; dalib/engine/backend.hpp says what it must offer");
};

namespace detail {

/// Stands for what a signature leaves open.
struct anything {};

/// Whether backend<Memory> has the types.
template <class Memory, class B = backend<Memory>>
concept machine_types = requires {
  typename B::execution;
  typename B::workspace;
  typename B::template vector<float>;
  typename B::template summary<float>;
  requires std::is_same_v<std::remove_cvref_t<decltype(B::cached_bytes)>, index_t>;
};

/// Which operations backend<Memory> has: their names, with arguments as the engines pass them.
template <class Memory>
struct machine_operations {
  using B = backend<Memory>;
  using E = typename B::execution;
  using W = typename B::workspace;
  using view = matrix_view<float, Memory>;
  using const_view = matrix_view<const float, Memory>;
  using rows = sample<float, Memory>;
  using layer = engine::layer<float, anything, Memory>;
  using layers = std::tuple<layer>;
  using coefficients = engine::domain_coefficients<float, Memory>;
  using problem = engine::row_problem;
  using plus = accumulator::plain;

  static constexpr bool synchronise = requires(const E& e) { B::synchronise(e); };
  static constexpr bool copy_from_host = requires(const E& e, const float* from, float* to) { B::copy_from_host(e, from, index_t{}, to); };
  static constexpr bool copy_to_host = requires(const E& e, const float* from, float* to) { B::copy_to_host(e, from, index_t{}, to); };
  static constexpr bool filled_for = requires(const E& e, const anything& f, W& w) { B::template filled_for<float>(e, index_t{}, f, w); };
  static constexpr bool clear = requires(const E& e, const view& v) { B::clear(e, v); };
  static constexpr bool total_weight = requires(const rows& s) { B::total_weight(s); };
  static constexpr bool counted_rows = requires(const E& e, const rows& s, W& w) { B::counted_rows(e, s, w); };
  static constexpr bool require_finite = requires(const const_view& v) { B::require_finite("", "", v); };
  static constexpr bool visit_pairs = requires(const E& e, const coefficients& c, const layers& l, W& w) {
    B::template visit_pairs<plus>(e, std::declval<const engine::value_visitor&>(), c, l, engine::gradient_rule<float>{}, w);
  };
  static constexpr bool sum_of_quadruples = requires(const E& e, const quadruple_plan& p, const layers& l, W& w) {
    B::template sum_of_quadruples<false, plus>(e, p, l, 1.0f, write_mode::overwrite, w);
  };
  static constexpr bool kernel_products = requires(const E& e, const layer& l, const engine::product_request<float, Memory>& p, W& w) {
    B::kernel_products(e, std::declval<const engine::value_visitor&>(), l, p, w);
  };
  static constexpr bool row_states = requires(const E& e, const layer& l, const engine::row_request<float, Memory>& r, W& w) {
    B::row_states(e, anything{}, l, r, w);
  };
  static constexpr bool kernel_entries = requires(const E& e, const layer& l, const engine::matrix_request<float, Memory>& r, W& w) {
    B::kernel_entries(e, std::declval<const engine::value_visitor&>(), l, r, w);
  };
  static constexpr bool for_each_row = requires(const E& e, const anything& t) { B::for_each_row(e, index_t{}, t); };
  static constexpr bool sum_over_rows = requires(const E& e, const anything& t, W& w) { B::sum_over_rows(e, index_t{}, t, w); };
  static constexpr bool for_each_entry = requires(const E& e, const anything& t) { B::for_each_entry(e, index_t{}, index_t{}, t); };
  static constexpr bool visit_groups = requires(const E& e, const problem& p, const anything& t, W& w) {
    B::template visit_groups<float>(e, p, t, w);
  };
  static constexpr bool reduce_groups = requires(const E& e, const problem& p, const anything& t, W& w) {
    B::template reduce_groups<float, reduction::mean>(e, p, t, w);
  };
  static constexpr bool sum_classes = requires(const E& e, const problem& p, const anything& t, W& w) {
    B::template sum_classes<float>(e, p, t, w);
  };
  static constexpr bool product = requires(const E& e, const const_view& a, const view& c, W& w) {
    B::product(e, a, a, c, engine::product_scale<float>{}, w);
  };

  static constexpr bool all = synchronise && copy_from_host && copy_to_host && filled_for && clear && total_weight && counted_rows &&
                              require_finite && visit_pairs && sum_of_quadruples && kernel_products && row_states && kernel_entries &&
                              for_each_row && sum_over_rows && for_each_entry && visit_groups && reduce_groups && sum_classes && product;
};

/// One sentence for each operation that is missing.
template <class Memory>
struct operations_check {
  using has = machine_operations<Memory>;
// The name in the code and in the sentence.
#define DALIB_OFFERS(operation)                                                                                                            \
  static_assert(has::operation, "dalib: dalib::backend of this memory does not offer `" #operation                                         \
                                "`, or with other arguments; dalib/engine/backend.hpp says which")
  DALIB_OFFERS(synchronise);
  DALIB_OFFERS(copy_from_host);
  DALIB_OFFERS(copy_to_host);
  DALIB_OFFERS(filled_for);
  DALIB_OFFERS(clear);
  DALIB_OFFERS(total_weight);
  DALIB_OFFERS(counted_rows);
  DALIB_OFFERS(require_finite);
  DALIB_OFFERS(visit_pairs);
  DALIB_OFFERS(sum_of_quadruples);
  DALIB_OFFERS(kernel_products);
  DALIB_OFFERS(row_states);
  DALIB_OFFERS(kernel_entries);
  DALIB_OFFERS(for_each_row);
  DALIB_OFFERS(sum_over_rows);
  DALIB_OFFERS(for_each_entry);
  DALIB_OFFERS(visit_groups);
  DALIB_OFFERS(reduce_groups);
  DALIB_OFFERS(sum_classes);
  DALIB_OFFERS(product);
#undef DALIB_OFFERS
};

/// What every measure asks of the machine of its tensors; looked at once for each memory.
template <class Memory>
struct machine_check {
  static_assert(machine_types<Memory>, "dalib: dalib::backend of this memory does not name one of the types `execution`, `workspace`, "
                                       "`vector<T>`, `summary<T>` and the number `cached_bytes`; see dalib/engine/backend.hpp");
  static constexpr bool done = sizeof(std::conditional_t<machine_types<Memory>, operations_check<Memory>, anything>) > 0;
};

} // namespace detail

/// A memory whose machine offers everything.
template <class Memory>
concept machine_backend = detail::machine_types<Memory> && detail::machine_operations<Memory>::all;

} // namespace dalib
