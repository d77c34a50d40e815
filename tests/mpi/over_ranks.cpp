// Measures over ranks: what one process gives, with bits that no number of ranks and no dealing of rows changes.
#include "conformance/samples.hpp"

#include <dalib/mpi.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <vector>

using namespace dalib;
using conformance::matrix;
using conformance::normal_rows;

namespace {

int world_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}
int world_size() {
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/// How rows are dealt to the ranks of the world: evenly, in growing shares, all to the last one.
enum class dealing { even, growing, last };

/// Rows [first, last) of `rows` that this rank has.
std::pair<index_t, index_t> share(index_t rows, dealing how) {
  const int rank = world_rank(), size = world_size();
  const auto begin = [&](int r) {
    if (r == size) return rows;
    if (how == dealing::even) return rows * r / size;
    if (how == dealing::growing) return rows * r * r / (size * size);
    return r == size - 1 ? index_t{0} : index_t{0};
  };
  if (how == dealing::last) return rank == size - 1 ? std::pair<index_t, index_t>{0, rows} : std::pair<index_t, index_t>{0, 0};
  return {begin(rank), begin(rank + 1)};
}
template <class T>
matrix<T> share_of(const matrix<T>& rows, dealing how) {
  const auto [first, last] = share(rows.rows(), how);
  return rows.middleRows(first, last - first);
}

template <class T>
bool same_bits(const matrix<T>& a, const matrix<T>& b) {
  return a.rows() == b.rows() && std::memcmp(a.data(), b.data(), sizeof(T) * static_cast<std::size_t>(a.size())) == 0;
}

/// exec::mpi over the world, and over this rank alone: one rank that has all rows is the reference for bits.
struct policies {
  exec::mpi<exec::openmp> world, alone;
  policies(index_t gathered_rows)
      : world(MPI_COMM_WORLD, exec::openmp{2}, gathered_rows), alone(MPI_COMM_SELF, exec::openmp{1}, gathered_rows) {}
};

struct tolerance {
  double value, gradient;
};

/// Value and gradients over the world against one rank's, bit for bit, and against shared memory.
template <class T, class Measure>
void check(const policies& by, const Measure& measure, const matrix<T>& zs, const matrix<T>& zt, tolerance bound) {
  matrix<T> gs = zs, gt = zt;
  const T shared = measure.value_and_gradient(zs, zt, gradients{gs, gt, T(0.5)});
  matrix<T> alone_s = zs, alone_t = zt;
  const T alone = measure.value_and_gradient(by.alone, zs, zt, gradients{alone_s, alone_t, T(0.5)});
  CHECK(std::abs(static_cast<double>(alone - shared)) <= bound.value);
  CHECK((alone_s - gs).norm() <= bound.gradient * gs.norm());
  CHECK((alone_t - gt).norm() <= bound.gradient * gt.norm());
  CHECK(gs.norm() > 0);
  for (const dealing how : {dealing::even, dealing::growing, dealing::last}) {
    CAPTURE(static_cast<int>(how));
    const matrix<T> own_s = share_of(zs, how), own_t = share_of(zt, how);
    matrix<T> g_s = matrix<T>::Ones(own_s.rows(), own_s.cols()), g_t = own_t;
    const T value = measure.value_and_gradient(by.world, own_s, own_t, gradients{g_s, g_t, T(0.5)});
    CHECK(std::memcmp(&value, &alone, sizeof(T)) == 0);
    CHECK(same_bits<T>(g_s, share_of(alone_s, how)));
    CHECK(same_bits<T>(g_t, share_of(alone_t, how)));
  }
}

} // namespace

TEST_CASE_TEMPLATE("mmd with shared pairs", T, float, double) {
  const policies by(0);
  const tolerance bound = std::is_same_v<T, float> ? tolerance{2e-6, 1e-5} : tolerance{1e-13, 1e-12};
  const mmd<> ladder;
  check<T>(by, ladder, normal_rows<T>(201, 17, 1), normal_rows<T>(150, 17, 2, 1.1, 0.3), bound);
  check<T>(by, ladder, normal_rows<T>(3, 5, 1), normal_rows<T>(2, 5, 2), bound);
  if (std::is_same_v<T, double>) check<T>(by, ladder, normal_rows<T>(1500, 9, 1), normal_rows<T>(40, 9, 2), bound);
}

TEST_CASE("kernels, estimators and bandwidth rules with shared pairs") {
  const policies by(0);
  const matrix<double> zs = normal_rows<double>(90, 6, 1), zt = normal_rows<double>(77, 6, 2, 1.2, 0.4);
  const tolerance bound{1e-13, 1e-12};
  check(by, mmd{kernel::gaussian{bandwidth::median{}} + 0.2 * kernel::linear{}, estimator::biased{}}, zs, zt, bound);
  check(by, mmd{kernel::cosine{} + kernel::laplacian_l1{2.0}, estimator::unbiased{}, accumulator::compensated{}}, zs, zt, bound);
  check(by, energy_distance{1.5}, zs, zt, bound);
  check(by, weighted_mmd{kernel::gaussian_ladder(0.5, 3), estimator::biased{}, compat::quadratic_program{}}, zs, zt, bound);
}

TEST_CASE("what is gathered has the bits of shared memory: few rows, other estimators, linear kernels, row losses") {
  const policies by(1000);
  const matrix<double> zs = normal_rows<double>(90, 6, 1), zt = normal_rows<double>(77, 6, 2, 1.2, 0.4);
  const tolerance none{0, 0};
  check(by, mmd{kernel::gaussian{}, estimator::linear_time{}}, zs, zt, none);
  check(by, mmd{kernel::gaussian{}, estimator::block{16}}, zs, zt, none);
  check(by, mmd<>{}, zs, zt, none);
  check(policies(0), mmd{kernel::linear{}, estimator::biased{}}, zs, zt, none);
  check(by, domain_adversarial<>{}, matrix<double>(zs.leftCols(1)), matrix<double>(zt.leftCols(1)), none);

  const class_balance<> balance{};
  matrix<double> whole = zs, mine = share_of(zs, dealing::even);
  const double expected = balance.value_and_gradient(zs, gradient{whole});
  CHECK(balance.value_and_gradient(by.world, share_of(zs, dealing::even), gradient{mine}) == expected);
  CHECK(same_bits<double>(mine, share_of(whole, dealing::even)));
}

TEST_CASE("weights; rows of weight 0 may hold anything; gradients are added where asked; the value alone") {
  const policies by(0);
  matrix<float> zs = normal_rows<float>(130, 8, 1), zt = normal_rows<float>(121, 8, 2, 1.2, 0.4);
  std::vector<float> ws, wt;
  for (int i = 0; i < 130; ++i) ws.push_back(static_cast<float>(i % 4));
  for (int i = 0; i < 121; ++i) wt.push_back(static_cast<float>(1 + i % 2));
  for (int i = 0; i < 130; i += 4) zs.row(i).setConstant(std::nanf(""));
  const mmd loss{kernel::gaussian_ladder{0.5, 3, bandwidth::median{}}, estimator::biased{}};
  matrix<float> gs = zs, gt = zt;
  const float shared = loss.value_and_gradient(weighted(zs, ws), weighted(zt, wt), gradients{gs, gt});
  const auto [first_s, last_s] = share(130, dealing::even);
  const auto [first_t, last_t] = share(121, dealing::even);
  const matrix<float> own_s = share_of(zs, dealing::even), own_t = share_of(zt, dealing::even);
  const sample<float> s{const_view_of(own_s), ws.data() + first_s}, t{const_view_of(own_t), wt.data() + first_t};
  matrix<float> to_s = matrix<float>::Ones(own_s.rows(), 8), to_t = to_s;
  to_t.setZero(own_t.rows(), 8);
  const float value = loss.value_and_gradient(by.world, s, t, gradients{to_s, to_t, 1.f, write_mode::accumulate});
  CHECK(std::abs(value - shared) < 1e-6f);
  CHECK((to_s.array() - 1 - gs.middleRows(first_s, last_s - first_s).array()).abs().maxCoeff() < 1e-6f);
  CHECK((to_t - gt.middleRows(first_t, last_t - first_t)).norm() <= 1e-5f * gt.norm());
  CHECK(loss(by.world, s, t) == value);
}

TEST_CASE("joint_mmd over ranks, and a running average that all ranks keep alike") {
  const policies by(0);
  const matrix<double> fs = normal_rows<double>(90, 6, 1), ft = normal_rows<double>(77, 6, 2, 1.2, 0.4), ps = normal_rows<double>(90, 3, 3),
                       pt = normal_rows<double>(77, 3, 4);
  bandwidth::running_state here, there;
  const auto measure = [](bandwidth::running_state* state) {
    return joint_mmd{layer_kernels(kernel::gaussian{bandwidth::running_average{state}}, kernel::gaussian{1.0}), estimator::unbiased{}};
  };
  const auto own = [](const matrix<double>& rows) { return share_of(rows, dealing::growing); };
  for (int turn = 0; turn < 2; ++turn) {
    const auto [value, gs, gt] = value_and_gradient(measure(&here), layers(fs, ps), layers(ft, pt));
    const matrix<double> o1 = own(fs), o2 = own(ps), o3 = own(ft), o4 = own(pt);
    const auto [mine, ms, mt] = value_and_gradient(measure(&there), by.world, layers(o1, o2), layers(o3, o4));
    CHECK(std::abs(mine - value) < 1e-13);
    CHECK((std::get<0>(ms) - own(std::get<0>(gs))).norm() < 1e-12);
    CHECK((std::get<1>(mt) - own(std::get<1>(gt))).norm() < 1e-12);
    CHECK(there.updates == turn + 1);
    CHECK(std::abs(there.value - here.value) < 1e-12 * here.value);
  }
}

TEST_CASE("a refusal on one rank is a refusal on all, named with the rank, and nothing has been written") {
  const int size = world_size(), rank = world_rank(), culprit = size - 1;
  for (const index_t gathered : {index_t{0}, index_t{1000}}) {
    const policies by(gathered);
    const matrix<double> zs = normal_rows<double>(20, 4, 1), zt = normal_rows<double>(20, 4, 2), narrow = zs.leftCols(3);
    matrix<double> gs = matrix<double>::Constant(20, 4, 7.0), gt = gs, small(19, 4);
    const std::string named = "rank " + std::to_string(culprit);
    const mmd loss{kernel::gaussian{}};
    const auto refused = [&](const auto& call) {
      bool thrown = false;
      try {
        call();
      } catch (const refused_by_rank& error) {
        thrown = true;
        CHECK(error.rank == culprit);
        CHECK(std::string(error.what()).starts_with(named + ": mmd"));
      }
      CHECK(thrown);
      CHECK((gs.array() == 7.0).all());
    };
    refused([&] { loss.value_and_gradient(by.world, zs, zt, gradients{gs, rank == culprit ? small : gt}); });
    if (size > 1) {
      refused([&] { loss(by.world, rank == culprit ? narrow : zs, rank == culprit ? narrow : zt); });
      refused([&] { mmd{kernel::gaussian{rank == culprit ? 1.5 : 1.0}}.value_and_gradient(by.world, zs, zt, gradients{gs, gt}); });
    }
    const matrix<double> empty(0, 4);
    CHECK_THROWS_AS(loss(by.world, empty, zt), std::invalid_argument); // no source on any rank
    CHECK(loss(by.world, zs, zt) > -1);                                // all still work together
  }
}

TEST_CASE("what is sent is what the page's formula says, to the byte") {
  const policies by(0);
  const index_t n = 1600, features = 32;
  const engine::block_deal deal = engine::block_deal::of(n, n, engine::row_unit<float>, engine::block_rows_limit);
  const engine::travel_plan plan{deal.blocks()};
  const int size = world_size(), rank = world_rank();
  const index_t first = plan.first_column(rank, size), last = plan.first_column(rank + 1, size);
  for (const dealing how : {dealing::even, dealing::growing, dealing::last}) {
    const matrix<float> zs = share_of(normal_rows<float>(n, features, 1), how), zt = share_of(normal_rows<float>(n, features, 2), how);
    const auto [own_first, own_last] = share(n, how);
    index_t not_at_home = 0; // this rank's rows in others' blocks, and others' rows in its own: they come once and go once
    for (index_t b = 0; b < deal.blocks(); ++b) {
      const index_t here = std::max<index_t>(0, std::min(own_last, deal.first(b) + deal.count(b)) - std::max(own_first, deal.first(b)));
      not_at_home += b / 2 >= first && b / 2 < last ? deal.count(b) - here : here;
    }
    const auto travelling = [&](index_t numbers) { // of a block, over each border of this rank's columns
      return last > first ? ((first > 0) + (last < plan.columns())) * plan.rounds() * numbers * index_t{sizeof(float)} : 0;
    };
    // From each rank but the last to the next: moments of two domains and the value.
    const index_t passed = rank + 1 < size ? 2 * 8 * engine::sample_moments<float>::size(features) + 8 : 0;
    const index_t rows = not_at_home * features * index_t{sizeof(float)}, block = deal.most_rows * features;
    const auto sent = [&](const auto& call) {
      const std::uint64_t before = by.world.communicator().sent();
      call();
      return static_cast<index_t>(by.world.communicator().sent() - before);
    };
    CHECK(sent([&] { value_and_gradient(mmd<>{}, by.world, zs, zt); }) == travelling(2 * block) + rows + passed);
    index_t others = 0; // a value alone: only this rank's rows leave
    for (index_t b = 0; b < deal.blocks(); ++b)
      if (!(b / 2 >= first && b / 2 < last))
        others += std::max<index_t>(0, std::min(own_last, deal.first(b) + deal.count(b)) - std::max(own_first, deal.first(b)));
    CHECK(sent([&] { mmd<>{}(by.world, zs, zt); }) == travelling(block) + others * features * index_t{sizeof(float)} + passed);
  }
}
