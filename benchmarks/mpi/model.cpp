// How long an MMD over many ranks takes: plays the plan of include/dalib/mpi.md round by round, with tile times measured on this machine
// and a network that the user describes. No MPI is needed.
//   build/bin/mpi_model 10000000 256 1000 16 10 2     rows of both domains together, features, ranks, threads of a rank, GB/s, microseconds
#include <dalib/dalib.hpp>
#include <dalib/engine/host/row_blocks.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <vector>

using namespace dalib;

namespace {

struct machine {
  double tile = 0; ///< seconds for all pairs of two blocks, value and gradient
  double pack = 0; ///< for a block that has arrived
};

struct network {
  double bytes_per_second;
  double latency;
};

double seconds_of(int times, const auto& work) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

/// Two blocks of random rows on one thread.
machine measured(index_t rows, index_t features) {
  workspace scratch;
  const Eigen::Matrix<float, -1, -1, Eigen::RowMajor> z = Eigen::MatrixXf::Random(2 * rows, features);
  const engine::sample_summary<float> summary(exec::serial{}, {sample_of(z), {const_view_of(z).rows_from(0, 0), nullptr}}, scratch);
  const auto ladder = bind(kernel::gaussian_ladder<>{}, summary);
  const std::tuple layers{engine::layer<float, std::remove_const_t<decltype(ladder)>>{{}, &summary, ladder, {}, {}}};
  const engine::block_pairs pairs(engine::value_and_gradient_visitor{}, pair_coefficients{1, 1, -1}, layers, 1.0f);
  const engine::block_layout<1> layout{.capacity = rows, .features = {features}, .with_gradient = true};
  auto worker = pairs.make_worker(layout, scratch);
  auto a = pairs.make_block(layout, scratch), b = pairs.make_block(layout, scratch);
  for (auto* one : {&a, &b}) {
    one->data.count = rows;
    std::copy_n(z.data() + (one == &b ? rows * features : 0), rows * features, one->data.memory);
    pairs.pack(*one);
  }
  engine::accumulated<accumulator::plain, decltype(pairs)::numbers> sum;
  return {seconds_of(30, [&] { pairs.across(worker, a, b, sum); }), seconds_of(30, [&] { pairs.pack(a); })};
}

/// Seconds until the last rank has played its last round. A rank begins a round when it has done the one before and both blocks that it
/// waits for have arrived; they leave when the columns at the border are done.
double simulated(const engine::travel_plan& plan, index_t ranks, index_t threads, double block_bytes, machine by, network net) {
  std::vector<double> begin(static_cast<std::size_t>(ranks)), sent(begin), end(begin);
  const double journey = net.latency + block_bytes / net.bytes_per_second;
  for (index_t round = 0; round < plan.rounds(); ++round) {
    for (std::size_t r = 0; r < begin.size(); ++r) {
      const auto which = static_cast<index_t>(r);
      const index_t columns = plan.first_column(which + 1, ranks) - plan.first_column(which, ranks);
      const index_t turns = (columns + threads - 1) / threads;
      sent[r] = begin[r] + (columns > 0 ? by.tile : 0);
      end[r] = begin[r] + static_cast<double>(turns) * by.tile;
    }
    for (std::size_t r = 0; r < begin.size(); ++r) {
      begin[r] = end[r];
      if (r > 0) begin[r] = std::max(begin[r], sent[r - 1] + journey);
      if (r + 1 < begin.size()) begin[r] = std::max(begin[r], sent[r + 1] + journey);
      begin[r] += by.pack;
    }
  }
  return *std::max_element(begin.begin(), begin.end());
}

} // namespace

int main(int argc, char** argv) {
  const auto number = [&](int i, double otherwise) { return argc > i ? std::atof(argv[i]) : otherwise; };
  const auto rows = static_cast<index_t>(number(1, 1e7)), features = static_cast<index_t>(number(2, 256));
  const auto ranks = static_cast<index_t>(number(3, 1000)), threads = static_cast<index_t>(number(4, 16));
  const network net{number(5, 10) * 1e9, number(6, 2) * 1e-6};
  const auto deal = engine::block_deal::of(rows / 2, rows - rows / 2, engine::row_unit<float>, engine::block_rows_limit);
  const engine::travel_plan plan{deal.blocks()};
  const machine by = measured(deal.most_rows, features);
  const double bytes = 2.0 * static_cast<double>(deal.most_rows * features) * sizeof(float);
  std::printf("%ld blocks of %ld rows; a tile takes %.0f us, packing a block %.0f us, a block's journey %.0f us\n",
              static_cast<long>(plan.blocks), static_cast<long>(deal.most_rows), by.tile * 1e6, by.pack * 1e6,
              (net.latency + bytes / net.bytes_per_second) * 1e6);
  const double one = static_cast<double>(plan.rounds()) * static_cast<double>(plan.columns()) * by.tile;
  std::printf("%8s %12s %12s\n", "ranks", "seconds", "efficiency");
  for (index_t p = std::max<index_t>(1, ranks / 8); p <= 4 * ranks; p *= 2) {
    const double seconds = simulated(plan, p, threads, bytes, by, net);
    std::printf("%8ld %12.2f %12.2f\n", static_cast<long>(p), seconds, one / (seconds * static_cast<double>(p * threads)));
  }
}
