/// @file
/// Kernel matrices over ranks: each has the rows of K that belong to its own rows.
#pragma once

#include "dalib/engine/kernel_matrix.hpp"
#include "dalib/measure/mpi/all_rows.hpp"
#include "dalib/measure/mpi/spread_measures.hpp"

namespace dalib {

namespace detail {

/// out = K of rows[0] and rows[1], with entries as those of a matrix of all rows, which `around` and `profile` know.
template <class Exec, class T, class Profile>
void write_kernel_rows(const Exec& exec, const Profile& profile, const engine::sample_summary<T>& around,
                       const std::array<matrix_view<const T>, 2>& rows, const matrix_view<T>& out, workspace& scratch) {
  if (out.rows == 0) return;
  const engine::layer<T, Profile> one{{{rows[0], nullptr}, {rows[1], nullptr}}, &around, profile, matrix_view<T>{}, matrix_view<T>{}};
  const engine::matrix_request<T> request{true, {&out, 1}};
  engine::with_units(exec, "kernel_matrix", std::tuple{one}, scratch, [&](const auto& layers) {
    backend<host_memory>::kernel_entries(exec, engine::matrix_visitor{}, std::get<0>(layers), request, scratch);
  });
}

} // namespace detail

/// kernel_matrix over ranks: K(i, j) = k(x_i, x_j) for this rank's rows i, (n_rank, F), and all ranks' rows j, in the ranks' order. `out`
/// is (n_rank, n), the rows of K that are this rank's, with the bits of the matrix on one machine; bandwidths are resolved on all rows.
/// Each rank gets all rows: O(n_rank n F) time, O(n F) memory beside the result; every pair is evaluated by both of its rows' ranks.
/// Collective; a rank may have no rows. @throws refused_by_rank on all ranks, with nothing written, as kernel_matrix throws, or if ranks
/// have other features, types or kernel parameters.
///
/// @code{.cpp}
/// int argc = 0;
/// char** argv = nullptr;
/// const mpi_session session(argc, argv);
/// const exec::mpi ranks{MPI_COMM_SELF};
/// const Eigen::MatrixXd mine = Eigen::MatrixXd::Random(30, 4);
/// Eigen::MatrixXd k(30, 30), alone(30, 30);
/// kernel_matrix(ranks, kernel::gaussian{}, mine, k);
/// kernel_matrix(exec::serial{}, kernel::gaussian{}, mine, alone);
/// assert(k == alone);
/// @endcode
template <class Inner, class Kernel, matrix_like X, matrix_like K>
void kernel_matrix(const exec::mpi<Inner>& exec, const Kernel& kernel, const X& x, K&& out) {
  kernel_matrix(exec, kernel, x, matrix_view<const value_type_of<X>>{}, out);
}

/// The same of two samples: K(i, j) = k(x_i, y_j), (n_x of this rank, n_y of all ranks).
template <class Inner, class Kernel, matrix_like X, matrix_like Y, matrix_like K>
void kernel_matrix(const exec::mpi<Inner>& exec, const Kernel& kernel, const X& x, const Y& y, K&& out) {
  constexpr const char* name = "kernel_matrix";
  using T = value_type_of<X>;
  require_tensor_types<T, host_memory, Inner, X, Y, K>();
  const mpi_communicator& ranks = exec.communicator();
  const matrix_view<const T> own = view_of(x), others = view_of(y);
  const matrix_view<T> to = view_of(out);
  const bool two = others.data != nullptr || others.cols > 0 || !std::is_same_v<Y, matrix_view<const T>>;
  engine::require_same(ranks, name, two ? 2 : 1, "the numbers of samples");
  engine::require_same(ranks, name, engine::fingerprint_of_type<std::tuple<Kernel, T>>(), "the kernel's type");
  const detail::all_rows<T, 2> all(ranks, name, {own, two ? others : own.rows_from(0, 0)});
  const auto& columns = two ? all[1] : all[0];
  workspace scratch;
  std::optional<detail::kernel_problem<Inner, Kernel, T, host_memory>> whole;
  std::optional<engine::sample_summary<T>> around;
  engine::fingerprint settings;
  using profile_type = decltype(whole->bind(kernel));
  std::optional<std::remove_const_t<profile_type>> profile;
  engine::agree(ranks, engine::outcome_of([&] {
                  require_two_samples(name, all[0], columns);
                  require_shapes(to.rows == own.rows && to.cols == columns.rows, name,
                                 "the result must have a row for each row of this rank, and a column for each row of all ranks", own, to);
                  require_apart(name, {own, others}, {to});
                  two ? whole.emplace(exec.inner(), all[0], all[1]) : whole.emplace(exec.inner(), all[0]);
                  // As the matrix on one machine is written: of one sample around the mean of its rows twice.
                  around.emplace(exec.inner(), engine::joint_sample<T>{{all[0], nullptr}, {columns, nullptr}}, scratch);
                  profile.emplace(whole->bind(kernel));
                  detail::add_values(settings, *profile);
                }));
  engine::require_same(ranks, name, settings.value(), "kernel parameters");
  detail::write_kernel_rows<Inner, T>(exec.inner(), *profile, *around, {all[0].rows_from(all.rows_before(0), own.rows), columns}, to,
                                      scratch);
}

} // namespace dalib
