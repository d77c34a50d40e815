// Two samples too large for one machine's patience: every rank has its own rows, all together have the MMD, and each moves its rows.
//   mpirun -np 4 build/bin/mpi_two_samples 4000
#include <dalib/mpi.hpp>

#include <cstdio>
#include <cstdlib>
#include <random>

using namespace dalib;

namespace {

Eigen::MatrixXf normal_rows(index_t rows, float shift, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  return Eigen::MatrixXf::NullaryExpr(rows, 16, [&] { return shift + normal(generator); });
}

} // namespace

int main(int argc, char** argv) {
  return mpi_session::run(argc, argv, [&] {
    const exec::mpi ranks{MPI_COMM_WORLD};
    const int rank = ranks.communicator().rank(), size = ranks.communicator().size();
    const index_t all = argc > 1 ? std::atol(argv[1]) : 2000;
    const index_t own = all * (rank + 1) / size - all * rank / size; // any other share would do
    const Eigen::MatrixXf source = normal_rows(own, 0.5f, 2 * static_cast<unsigned>(rank));
    Eigen::MatrixXf target = normal_rows(own, 0, 2 * static_cast<unsigned>(rank) + 1), gradient(own, 16);

    const mmd loss{kernel::gaussian_ladder(0.125, 5), estimator::biased{}};
    const matrix_view<float> unwanted;
    workspace scratch;
    float first = 0, last = 0;
    for (int step = 0; step < 10; ++step) { // the target walks towards the source
      last = loss.value_and_gradient(ranks, source, target, gradients{unwanted, gradient}, scratch);
      if (step == 0) first = last;
      target -= static_cast<float>(all) * 0.5f * gradient;
    }
    if (rank == 0)
      std::printf("%ld + %ld rows on %d ranks: MMD^2 %.5f, after ten steps %.5f\n", static_cast<long>(all), static_cast<long>(all), size,
                  static_cast<double>(first), static_cast<double>(last));
    if (!(last < first)) throw std::runtime_error("the samples have not come closer");
  });
}
