/// @file
/// @internal
/// v' K v of hundreds of vectors over ranks: all have all rows and vectors, and share the pairs.
#pragma once

#include "dalib/engine/mpi/exact_sums.hpp"
#include "dalib/engine/mpi/shared_rows.hpp"
#include "dalib/inference/label_vectors.hpp"
#include "dalib/inference/quadratic_forms.hpp"

#include <algorithm>
#include <vector>

namespace dalib::inference::detail {

/// The forms of a kernel, each unordered pair of rows evaluated once by one rank. Slabs of rows that depend on n alone meet themselves and
/// all rows behind them: K_II Z_I and K_I> Z_>, from which slab I's part of z'Kz, z'K1 and 1'K1 follows for both triangles of K. A rank
/// does slabs from both ends, so that all have as many pairs. What travels is two sums for each vector, exact, so that the bits are the
/// same for any number of ranks and threads. O(n^2 (F + vectors) / 2 P) time; O(n (F + vectors)) memory, as on one machine.
template <class Inner, class T, class Profile>
class shared_form_sums {
  using layer_type = engine::layer<T, Profile>;

public:
  shared_form_sums(const engine::shared_rows<Inner>& exec, const kernel_blocks<T, Profile>& kernel, const vector_rows<T>& vectors,
                   own_pairs own)
      : exec_(exec), layer_(kernel.layer()), terms_(kernel.terms()), n_(kernel.rows()), count_(vectors.view().rows), own_(own),
        sums_(terms_ * (2 * count_ + 1)), rows_(static_cast<std::size_t>(n_ * layer_.data.features())),
        vectors_(static_cast<std::size_t>((count_ + 1) * n_)) {
    for (index_t i = 0; i < n_; ++i)
      for (index_t f = 0; f < layer_.data.features(); ++f)
        rows_[static_cast<std::size_t>(i * layer_.data.features() + f)] = layer_.data.view_of_row(i)(layer_.data.place_of_row(i), f);
    std::fill(std::copy_n(vectors.view().data, count_ * n_, vectors_.begin()), vectors_.end(), T(1)); // the last one: ones
  }

  quadratic_forms run() {
    const index_t slabs = std::clamp<index_t>(n_ / least_rows, 1, most_slabs), couples = (slabs + 1) / 2;
    const index_t size = exec_.ranks().size(), rank = exec_.ranks().rank();
    const auto first = [&](index_t slab) { return n_ * slab / slabs; };
    for (index_t couple = couples * rank / size; couple < couples * (rank + 1) / size; ++couple) {
      add_slab(first(couple), first(couple + 1));
      if (const index_t other = slabs - 1 - couple; other != couple) add_slab(first(other), first(other + 1));
    }
    sums_.add_up(exec_.ranks());
    quadratic_forms result{count_, terms_, {}, {}, {}};
    for (index_t k = 0; k < terms_; ++k) {
      for (index_t v = 0; v < count_; ++v) {
        result.form.push_back(sums_.value(form_at(k, v)));
        result.linear.push_back(sums_.value(form_at(k, v) + 1));
      }
      result.total.push_back(sums_.value(total_at(k)));
    }
    return result;
  }

private:
  static constexpr index_t least_rows = 128, most_slabs = 512;
  static constexpr index_t most_bytes = index_t{256} << 20;

  index_t total_at(index_t term) const { return term * (2 * count_ + 1); }
  index_t form_at(index_t term, index_t vector) const { return total_at(term) + 1 + 2 * vector; }
  const T* vector(index_t which, index_t row) const { return vectors_.data() + which * n_ + row; }
  sample<T> part(index_t first, index_t last) const {
    const index_t features = layer_.data.features();
    return {matrix_view<const T>(rows_.data() + first * features, last - first, features), nullptr};
  }

  void add_slab(index_t first, index_t last) {
    layer_type one = layer_;
    one.data = {part(first, last), part(last, last)};
    add_products(one, own_ == own_pairs::with ? engine::pair_set::all : engine::pair_set::distinct, {first, last - first},
                 {first, last - first});
    one.data.target = part(last, n_);
    if (last < n_) add_products(one, engine::pair_set::across, {first, last - first}, {last, n_ - last});
  }

  struct run_of_rows {
    index_t first, count;
  };

  /// Adds what K(rows, others) does: for both of its sides if they are not the same rows.
  void add_products(const layer_type& one, engine::pair_set pairs, run_of_rows rows, run_of_rows others) {
    const bool both = pairs == engine::pair_set::across;
    // The vector of ones comes first: the others need its product.
    products(one, pairs, rows, others, {count_, 1});
    const std::vector<T> row_sums = products_;
    for (index_t k = 0; k < terms_; ++k) sums_.add(total_at(k), (both ? 2 : 1) * sum_of(row_sums.data() + k * rows.count, rows.count));
    const index_t most = std::max<index_t>(32, most_bytes / (static_cast<index_t>(sizeof(T)) * (terms_ * rows.count + others.count)));
    for (index_t start = 0; start < count_; start += most) {
      const index_t now = std::min(most, count_ - start);
      products(one, pairs, rows, others, {start, now});
      std::vector<double> found(static_cast<std::size_t>(2 * terms_ * now));
      exec_.run(now, [&](index_t v, int) {
        const T* const own = vector(start + v, rows.first);
        for (index_t k = 0; k < terms_; ++k) {
          const T* const product = products_.data() + (k * now + v) * rows.count;
          double* const to = found.data() + 2 * (k * now + v);
          to[0] = (both ? 2 : 1) * dot(own, product, rows.count);
          to[1] = dot(own, row_sums.data() + k * rows.count, rows.count) + (both ? sum_of(product, rows.count) : 0);
        }
      });
      for (index_t k = 0; k < terms_; ++k)
        for (index_t v = 0; v < now; ++v)
          for (index_t which = 0; which < 2; ++which)
            sums_.add(form_at(k, start + v) + which, found[static_cast<std::size_t>(2 * (k * now + v) + which)]);
    }
  }

  /// products_ = K(rows, others) times some vectors, term by term, a vector's numbers together.
  void products(const layer_type& one, engine::pair_set pairs, run_of_rows rows, run_of_rows others, run_of_rows vectors) {
    workspace scratch;
    products_.resize(static_cast<std::size_t>(terms_ * vectors.count * rows.count));
    std::vector<matrix_view<T>> out;
    for (index_t k = 0; k < terms_; ++k)
      out.emplace_back(products_.data() + k * vectors.count * rows.count, rows.count, vectors.count, index_t{1}, rows.count);
    const matrix_view<const T> right(vector(vectors.first, others.first), others.count, vectors.count, index_t{1}, n_);
    engine::kernel_products(exec_.inner(), one, pairs, right, out, scratch);
  }

  const engine::shared_rows<Inner>& exec_;
  layer_type layer_;
  int terms_;
  index_t n_, count_;
  own_pairs own_;
  engine::exact_sums sums_;
  std::vector<T> rows_, vectors_, products_;
};

/// Found for shared_rows in the place of the forms of one machine.
template <class Inner, class T, class Profile>
quadratic_forms forms_of(const engine::shared_rows<Inner>& exec, const kernel_blocks<T, Profile>& kernel, const vector_rows<T>& vectors,
                         own_pairs own) {
  return shared_form_sums<Inner, T, Profile>(exec, kernel, vectors, own).run();
}

/// The same of vectors of two values, multiplied out: slabs are no tiles.
template <class Inner, class T, class Profile>
quadratic_forms forms_of(const engine::shared_rows<Inner>& exec, const kernel_blocks<T, Profile>& kernel, const label_vectors& vectors,
                         own_pairs own) {
  vector_rows<T> rows(vectors.count(), vectors.length());
  for (index_t v = 0; v < vectors.count(); ++v)
    for (index_t i = 0; i < vectors.length(); ++i) rows.row(v)[i] = static_cast<T>(vectors.is_high(v, i) ? vectors.high() : vectors.low());
  return forms_of(exec, kernel, rows, own);
}

} // namespace dalib::inference::detail
