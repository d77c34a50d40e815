/// @file
/// Execution on the ranks of an MPI program, and its beginning and end.
#pragma once

#include "dalib/execution/mpi_communicator.hpp"
#include "dalib/execution/openmp.hpp"

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace dalib {

/// A call was refused on all ranks because one had to refuse it: its number, and its message behind that.
///
/// @code{.cpp}
/// const refused_by_rank error(2, "mmd: source and target must have the same number of features");
/// assert(error.rank == 2 && std::string(error.what()).starts_with("rank 2: mmd: "));
/// @endcode
struct refused_by_rank : std::invalid_argument {
  refused_by_rank(int which, const std::string& message)
      : std::invalid_argument("rank " + std::to_string(which) + ": " + message), rank(which) {}
  int rank;
};

/// MPI from here to the end of the scope, at level MPI_THREAD_FUNNELED. `run` is a main function around it: an exception on one rank ends
/// all of them with exit code 1 and its message, once; a refusal of all ranks ends them in order.
///
/// @code{.cpp}
/// const auto program = [](int argc, char** argv) { // int main(int argc, char** argv) { return mpi_session::run(argc, argv, [&] { ... });
/// }
///   return mpi_session::run(argc, argv, [] { exec::mpi ranks{MPI_COMM_WORLD}; });
/// };
/// static_assert(std::is_same_v<decltype(program(0, nullptr)), int>);
/// @endcode
class mpi_session {
public:
  mpi_session(int& argc, char**& argv) {
    int level = 0, initialised = 0;
    MPI_Initialized(&initialised);
    owns_ = !initialised;
    if (owns_) MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  }
  mpi_session(const mpi_session&) = delete;
  mpi_session& operator=(const mpi_session&) = delete;
  /// MPI_Finalize waits for the others: where an exception is on its way on one rank alone they would wait for ever.
  ~mpi_session() {
    if (std::uncaught_exceptions() > exceptions_before_) MPI_Abort(MPI_COMM_WORLD, 1);
    if (owns_) MPI_Finalize();
  }

  template <class Main>
  static int run(int argc, char** argv, const Main& main) {
    mpi_session session(argc, argv);
#if defined(__cpp_exceptions)
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    try {
      main();
    } catch (const refused_by_rank& error) {
      if (rank == error.rank) std::fprintf(stderr, "%s\n", error.what());
      return 1;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "rank %d: %s\n", rank, error.what());
      std::fflush(stderr);
      MPI_Abort(MPI_COMM_WORLD, 1);
    }
#else
    main();
#endif
    return 0;
  }

private:
  bool owns_ = false;
  int exceptions_before_ = std::uncaught_exceptions();
};

namespace exec {

/// All ranks of a communicator together; `inner` runs a rank's own tasks. Every rank makes the same call with its own rows (any number,
/// also none): the sample is all ranks' rows, in the ranks' order. Every rank gets the value, and the gradient of its own rows. Making a
/// policy is collective, and so is each call with it. Value and gradients have the same bits for any number of ranks and threads and
/// however the rows are dealt to the ranks, as long as their order is the same.
///
/// mmd, weighted_mmd, joint_mmd and energy_distance with estimators of all pairs share the pairs among the ranks: time O(n^2 F / P), memory
/// O(n F / P). Of the adversarial losses, MDD, MCD and the class balance only sums travel: O(n C / P). Any other measure, and up to
/// `gathered_rows` rows these too, has all rows sent to all ranks: O(n F) memory; sinkhorn_divergence shares its sweeps then, of others each
/// rank computes the whole. kernel_matrix gives each rank its rows of K; two-sample tests take it with dalib/inference/mpi.hpp.
/// include/dalib/mpi.md says what travels.
/// @throws refused_by_rank on all ranks, before any output is touched, if one refuses its arguments or if they do not fit together
///
/// @code{.cpp}
/// int argc = 0;
/// char** argv = nullptr;
/// const mpi_session session(argc, argv);
/// const exec::mpi ranks{MPI_COMM_WORLD};
/// const Eigen::MatrixXd mine_s = Eigen::MatrixXd::Random(30, 4), mine_t = Eigen::MatrixXd::Random(20, 4);
/// const mmd loss{kernel::gaussian{}};
/// const auto [value, gs, gt] = value_and_gradient(loss, ranks, mine_s, mine_t);
/// if (ranks.communicator().size() == 1) assert(value == loss(mine_s, mine_t));
/// @endcode
template <class Inner = default_policy>
class mpi {
public:
  using memory = host_memory;
  using ranks = mpi_communicator; ///< says that a call is many machines' together

  explicit mpi(MPI_Comm communicator, Inner inner = {}, index_t gathered_rows = 512)
      : communicator_(communicator, inner.workers()), inner_(inner), gathered_rows_(gathered_rows) {}

  const mpi_communicator& communicator() const { return communicator_; }
  const Inner& inner() const { return inner_; }
  index_t gathered_rows() const { return gathered_rows_; }

private:
  mpi_communicator communicator_;
  Inner inner_;
  index_t gathered_rows_;
};

} // namespace exec
} // namespace dalib
