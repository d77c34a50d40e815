/// @file
/// Measures as they are, over the ranks of the world: every rank calls with all rows, which are dealt to the ranks in several ways.
#pragma once

#include <dalib/mpi.hpp>

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace dealt {

using dalib::index_t;

/// All to the first rank, in equal shares, in growing ones. A refusal comes from the first rank then, which has all rows.
enum class dealing { first, even, growing };

inline int world_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}
inline int world_size() {
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/// First of `rows` rows that a rank has.
inline index_t first_row(index_t rows, dealing how, int rank) {
  const int size = world_size();
  if (how == dealing::first) return rank == 0 ? 0 : rows;
  return how == dealing::even ? rows * rank / size : rows * rank * rank / (size * size);
}
inline std::pair<index_t, index_t> share(index_t rows, dealing how) {
  const index_t first = first_row(rows, how, world_rank());
  return {first, first_row(rows, how, world_rank() + 1) - first};
}

/// Not gathered, however few rows there are.
inline const dalib::exec::mpi<dalib::exec::openmp>& world() {
  static const dalib::exec::mpi<dalib::exec::openmp> ranks{MPI_COMM_WORLD, dalib::exec::openmp{2}, 0};
  return ranks;
}

/// In the place of an execution policy: to measures the ranks of the world, to other functions this rank.
struct policy : dalib::exec::serial {
  using ranks = dalib::mpi_communicator;
};

template <class T>
bool same_bits(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// What every rank must find alike is compared by its bits.
inline void require_on_all_ranks(bool condition, const std::string& what) {
  int own = condition ? 1 : 0, all = 0;
  MPI_Allreduce(&own, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  if (all == 0) throw std::runtime_error(what);
}
template <class T>
bool same_on_all_ranks(const T& value) {
  dalib::engine::fingerprint bits;
  if constexpr (requires { value.size(); })
    for (const auto one : value) bits.add(one);
  else
    bits.add(value);
  const auto own = static_cast<std::int64_t>(bits.value());
  std::int64_t least = 0, most = 0;
  MPI_Allreduce(&own, &least, 1, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce(&own, &most, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD);
  return least == most;
}

template <class Measure, class Call, class... Inputs>
class call_of_all {
  static constexpr std::size_t count = (dalib::detail::tensor_count<Inputs> + ... + 0);
  using tensors_tuple = decltype(std::tuple_cat(dalib::detail::tensors_of_input(std::declval<const Inputs&>())...));
  using T = typename std::tuple_element_t<0, tensors_tuple>::value_type;

public:
  call_of_all(const Measure& measure, const Call& call, const Inputs&... inputs)
      : measure_(measure), call_(call), inputs_(inputs...),
        tensors_(std::apply([](const auto&... one) { return std::array<dalib::sample<T>, count>{one...}; },
                            std::tuple_cat(dalib::detail::tensors_of_input(inputs)...))) {}

  auto evaluate() {
    auto value = dealt_in(dealing::first);
    const std::vector<std::vector<T>> written = gradients_;
    for (const dealing how : {dealing::even, dealing::growing}) {
      const auto again = dealt_in(how);
      require_on_all_ranks(same_bits(again, value), std::string(Measure::name) + ": the value depends on how rows are dealt");
      for (std::size_t o = 0; o < written.size(); ++o)
        require_on_all_ranks(same_bits(gradients_[o], written[o]),
                             std::string(Measure::name) + ": a gradient depends on how rows are dealt");
    }
    [[maybe_unused]] std::size_t place = 0;
    std::apply([&](const auto&... output) { (copy_to(output, place), ...); }, call_.outputs);
    return value;
  }

private:
  using inner_policy = dalib::exec::mpi<dalib::exec::openmp>;

  auto dealt_in(dealing how) {
    gradients_.clear();
    return std::apply(
        [&](const auto&... output) {
          const std::tuple parts{outputs_of(how, output)...}; // in their order
          return std::apply([&](const auto&... part) { return with_outputs(how, part...); }, parts);
        },
        call_.outputs);
  }

  /// The output with this rank's rows of copies of its tensors, which hold what was there before.
  template <class Output>
  auto outputs_of(dealing how, const Output& given) {
    const auto whole = dalib::detail::tensors_of_output(given);
    std::vector<dalib::matrix_view<T>> parts;
    for (const dalib::matrix_view<T>& one : whole) {
      std::vector<T>& copy = gradients_.emplace_back();
      if (one.data == nullptr) {
        parts.push_back(one);
        continue;
      }
      for (index_t i = 0; i < one.rows; ++i)
        for (index_t f = 0; f < one.cols; ++f) copy.push_back(one(i, f));
      copy.push_back(T(0)); // never without memory
      const auto [first, rows] = share(one.rows, how);
      parts.emplace_back(copy.data() + first * one.cols, rows, one.cols);
    }
    auto made = dalib::detail::output_like(given, parts.data());
    made.mode = given.mode;
    return made;
  }

  template <class... Outputs>
  auto with_outputs(dealing how, const Outputs&... outputs) {
    return evaluate_dealt(how, std::make_index_sequence<sizeof...(Inputs)>{}, outputs...);
  }
  template <std::size_t... I, class... Outputs>
  auto evaluate_dealt(dealing how, std::index_sequence<I...>, const Outputs&... outputs) {
    std::array<dalib::sample<T>, count> parts = tensors_;
    for (dalib::sample<T>& one : parts) {
      const auto [first, rows] = share(one.rows.rows, how);
      one = {one.rows.rows_from(first, rows), one.weights ? one.weights + first : nullptr};
    }
    const dalib::measure_call<inner_policy, dalib::workspace, Outputs...> call{world(), call_.scratch, {outputs...}};
    const std::tuple inputs{input<I>(std::make_index_sequence<dalib::detail::tensor_count<Inputs>>{}, parts)...};
    auto value = dalib::distributed_call<inner_policy>::evaluate(measure_, call, std::get<I>(inputs)...);
    require_on_all_ranks(same_on_all_ranks(value), std::string(Measure::name) + ": the value is not the same on all ranks");
    [[maybe_unused]] std::size_t place = 0;
    (gather(how, outputs, place), ...);
    return value;
  }

  template <std::size_t Input, std::size_t... Part>
  auto input(std::index_sequence<Part...>, const std::array<dalib::sample<T>, count>& parts) const {
    constexpr std::array<std::size_t, sizeof...(Inputs)> counts{dalib::detail::tensor_count<Inputs>...};
    std::size_t first = 0;
    for (std::size_t i = 0; i < Input; ++i) first += counts[i];
    return dalib::detail::input_like(std::get<Input>(inputs_), parts[first + Part]...);
  }

  template <class Output>
  void gather(dealing how, const Output& output, std::size_t& place) {
    for (const dalib::matrix_view<T>& part : dalib::detail::tensors_of_output(output)) {
      std::vector<T>& whole = gradients_[place++];
      if (part.data == nullptr || part.cols == 0) continue;
      const index_t rows = (static_cast<index_t>(whole.size()) - 1) / part.cols;
      std::vector<index_t> counts;
      for (int r = 0; r < world_size(); ++r) counts.push_back(first_row(rows, how, r + 1) - first_row(rows, how, r));
      world().communicator().complete_rows(part.cols, counts, whole.data());
    }
  }

  template <class Output>
  void copy_to(const Output& output, std::size_t& place) const {
    for (const dalib::matrix_view<T>& to : dalib::detail::tensors_of_output(output)) {
      const std::vector<T>& from = gradients_[place++];
      for (index_t i = 0; to.data != nullptr && i < to.rows; ++i)
        for (index_t f = 0; f < to.cols; ++f) to(i, f) = from[static_cast<std::size_t>(i * to.cols + f)];
    }
  }

  const Measure& measure_;
  const Call& call_;
  std::tuple<const Inputs&...> inputs_;
  std::array<dalib::sample<T>, count> tensors_;
  std::vector<std::vector<T>> gradients_; ///< whole, of every output's tensor
};

/// A measure that is always called over the ranks of the world, by whatever policy it is asked for.
template <class Measure>
struct over_world : dalib::call_forms<over_world<Measure>> {
  static constexpr const char* name = Measure::name;
  static constexpr std::size_t arity = Measure::arity;
  Measure measure;

  explicit over_world(Measure of) : measure(of) {}
  template <class Call, class... Inputs>
  auto evaluate(const Call& call, const Inputs&... inputs) const {
    return call_of_all<Measure, Call, Inputs...>(measure, call, inputs...).evaluate();
  }
};

} // namespace dealt

template <>
struct dalib::distributed_call<dealt::policy> {
  template <class Measure, class Call, class... Inputs>
  static auto evaluate(const Measure& measure, const Call& call, const Inputs&... inputs) {
    return dealt::call_of_all<Measure, Call, Inputs...>(measure, call, inputs...).evaluate();
  }
  /// Tests of two samples, from dalib/inference/mpi.hpp; the same bits however rows are dealt.
  template <class Test, class ZS, class ZT, class Options>
  static auto test(const Test& test, const dealt::policy&, const ZS& zs, const ZT& zt, const Options& options) {
    using T = typename dalib::two_sample_types<ZS, ZT>::value_type;
    const dalib::matrix_view<const T> all_s = dalib::view_of(zs), all_t = dalib::view_of(zt);
    const auto dealt_in = [&](dealt::dealing how) {
      const auto part = [&](const dalib::matrix_view<const T>& all) {
        const auto [first, rows] = dealt::share(all.rows, how);
        return all.rows_from(first, rows);
      };
      auto found = test(dealt::world(), part(all_s), part(all_t), options);
      dealt::require_on_all_ranks(dealt::same_on_all_ranks(std::vector<double>{found.statistic, found.p_value, found.threshold}),
                                  std::string(Test::name) + ": not the same on all ranks");
      return found;
    };
    const auto first = dealt_in(dealt::dealing::first);
    for (const dealt::dealing how : {dealt::dealing::even, dealt::dealing::growing}) {
      const auto again = dealt_in(how);
      dealt::require_on_all_ranks(dealt::same_bits(again.statistic, first.statistic) &&
                                      dealt::same_bits(again.null_sample, first.null_sample),
                                  std::string(Test::name) + ": depends on how rows are dealt");
    }
    return first;
  }
};
