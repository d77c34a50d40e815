/// @file
/// K Z: kernel matrices times a right-hand side, without the matrices.
#pragma once

#include "dalib/core/check.hpp"
#include "dalib/engine/estimate.hpp"

#include <span>
#include <string>
#include <type_traits>

namespace dalib::engine {

namespace detail {
template <class Exec, class Visitor, class T, class Profile, class Memory>
void run_products(const Exec& exec, const Visitor& visitor, const layer<T, Profile, Memory>& one, const product_request<T, Memory>& request,
                  workspace_of<Memory>& scratch) {
  constexpr const char* name = "kernel_products";
  const auto& data = one.data;
  const bool across = request.pairs == pair_set::across;
  const index_t owns = across ? data.source.rows.rows : data.rows(), others = across ? data.target.rows.rows : data.rows();
  if (owns < 1 || others < 1 || data.features() < 1) fail(name, "needs rows in each sample and features");
  if (request.right.rows != others || request.right.cols < 1)
    fail(name, "the right-hand side must have " + std::to_string(others) + " rows and a column (got " + shape_of(request.right) + ")");
  for (const auto& out : request.out)
    if (out.rows != owns || out.cols != request.right.cols)
      fail(name,
           "every result must be " + std::to_string(owns) + " x " + std::to_string(request.right.cols) + " (got " + shape_of(out) + ")");
  const workspace_mark mark(scratch);
  with_units(exec, name, std::tuple{one}, scratch,
             [&](const auto& layers) { backend<Memory>::kernel_products(exec, visitor, std::get<0>(layers), request, scratch); });
}
} // namespace detail

/// out = K Z for the kernel matrix K of a layer's rows (kernel bound, see engine::bound_problem), which is never formed: K(z, z) of all n
/// rows, the same with 0 on its diagonal, or K(source, target); see pair_set. Z is (n, P), or (n_t, P) for pair_set::across; out is as
/// long as K has rows. For K(source, target)^T Z exchange the layer's samples. Weights of the samples are not read. Each unordered pair
/// of blocks of rows is evaluated once and used for both its sides. O(n^2 (F + P)) time, O(n (F + P)) memory; the same bits for any number
/// of threads, any strides. @throws std::invalid_argument for shapes that do not fit; nothing has been written then.
///
/// @code{.cpp}
/// const Eigen::MatrixXd x = Eigen::MatrixXd::Random(40, 3), y = Eigen::MatrixXd::Random(30, 3), z = Eigen::MatrixXd::Random(70, 5);
/// Eigen::MatrixXd out(70, 5);
/// workspace scratch;
/// const exec::serial exec;
/// const engine::layer_input<double, kernel::gaussian<>> input{{sample_of(x), sample_of(y)}, kernel::gaussian{}, {}, {}};
/// const engine::bound_problem problem(exec, scratch, input);
/// engine::kernel_product(exec, std::get<0>(problem.layers()), engine::pair_set::all, view_of(z), view_of(out), scratch);
/// Eigen::MatrixXd joint(70, 3), k(70, 70);
/// joint << x, y;
/// kernel_matrix(exec, kernel::gaussian{}, joint, k);
/// assert((out - k * z).norm() < 1e-12 * out.norm());
/// @endcode
template <class Exec, class T, class Profile, class Memory>
void kernel_product(const Exec& exec, const layer<T, Profile, Memory>& one, pair_set pairs,
                    const std::type_identity_t<matrix_view<const T, Memory>>& right,
                    const std::type_identity_t<matrix_view<T, Memory>>& out, workspace_of<Memory>& scratch) {
  detail::run_products(exec, matrix_visitor{}, one, product_request<T, Memory>{pairs, right, {&out, 1}}, scratch);
}

/// out[k] = K_k Z for every term k of the layer's kernel, in the order of kernel::for_each_term, in one pass over the pairs; a ladder has
/// one exponential for all its terms. Otherwise as kernel_product. @throws std::invalid_argument also unless there is one result for each
/// term.
template <class Exec, class T, class Profile, class Memory>
void kernel_products(const Exec& exec, const layer<T, Profile, Memory>& one, pair_set pairs,
                     const std::type_identity_t<matrix_view<const T, Memory>>& right,
                     std::type_identity_t<std::span<const matrix_view<T, Memory>>> out, workspace_of<Memory>& scratch) {
  const auto terms = static_cast<std::size_t>(kernel::term_count(one.profile));
  if (out.size() != terms)
    fail("kernel_products", "needs one result for each term (got " + std::to_string(out.size()) + " for " + std::to_string(terms) + ")");
  detail::run_products(exec, term_matrix_visitor{}, one, product_request<T, Memory>{pairs, right, out}, scratch);
}

} // namespace dalib::engine
