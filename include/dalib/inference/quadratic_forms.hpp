/// @file
/// @internal
/// v' K v for hundreds of vectors v and every term of a kernel in one pass over the kernel matrix, which is never held.
#pragma once

#include "dalib/engine/kernel_products.hpp"
#include "dalib/inference/kernel_blocks.hpp"

#include <cstddef>
#include <vector>

namespace dalib::inference::detail {

/// For each term k of a kernel and each vector c: the form v'Kv, v'K1, and for each term 1'K1.
struct quadratic_forms {
  index_t vectors = 0;
  int terms = 0;
  std::vector<double> form, linear, total;

  double square(int term, index_t vector) const { return form[at(term, vector)]; }
  double with_ones(int term, index_t vector) const { return linear[at(term, vector)]; }
  double all(int term) const { return total[static_cast<std::size_t>(term)]; }

private:
  std::size_t at(int term, index_t vector) const { return static_cast<std::size_t>(term * vectors + vector); }
};

/// Forms of values that are no kernel's (Stein discrepancies). One pass over the blocks of the upper triangle; block (I, J) serves v_I'K
/// v_J and v_J'K v_I. O(n^2 (F + vectors * terms / 2)) time and O(n vectors) memory, which is the vectors' own.
///
/// The product of a vector with a block is one chain of multiply-adds, wherever the vector stands among the others, and every sum has a
/// fixed order: equal vectors give equal bits, and so does any number of threads.
/// @tparam Blocks  rows(), terms() and fill_terms(place, to), as kernel_blocks has them
template <class T, class Blocks>
class form_sums {
public:
  /// @param vectors  C x n, one vector in each row, contiguous
  form_sums(const Blocks& kernel, const matrix_view<const T>& vectors, own_pairs own)
      : kernel_(kernel), vectors_(vectors), own_(own), terms_(kernel.terms()), blocks_(block_count(kernel.rows())) {}

  template <class Exec>
  quadratic_forms run(const Exec& exec) const {
    // Few blocks: a task for each pair of them, so that threads share the work evenly. Many: a task for each row of blocks, to hold less.
    const bool by_pair = blocks_ <= 16;
    const index_t tasks = by_pair ? blocks_ * (blocks_ + 1) / 2 : blocks_;
    std::vector<quadratic_forms> parts(static_cast<std::size_t>(tasks));
    std::vector<worker_memory> workers(static_cast<std::size_t>(exec.workers()));
    exec.run(tasks, [&](index_t task, int worker) {
      quadratic_forms& part = parts[static_cast<std::size_t>(task)];
      start(part);
      worker_memory& memory = workers[static_cast<std::size_t>(worker)];
      if (by_pair) {
        index_t i = 0, left = task;
        while (left >= blocks_ - i) left -= blocks_ - i++;
        add_block(i, i + left, memory, part);
      } else {
        for (index_t j = task; j < blocks_; ++j) add_block(task, j, memory, part);
      }
    });
    quadratic_forms result;
    start(result);
    for (const quadratic_forms& part : parts) {
      for (std::size_t i = 0; i < result.form.size(); ++i) {
        result.form[i] += part.form[i];
        result.linear[i] += part.linear[i];
      }
      for (std::size_t i = 0; i < result.total.size(); ++i) result.total[i] += part.total[i];
    }
    return result;
  }

private:
  struct worker_memory {
    std::vector<T> values, products;
    std::vector<double> row_sums;
    workspace scratch;
  };

  void start(quadratic_forms& part) const {
    const auto size = static_cast<std::size_t>(terms_ * vectors_.rows);
    part = {vectors_.rows, terms_, std::vector<double>(size), std::vector<double>(size),
            std::vector<double>(static_cast<std::size_t>(terms_))};
  }

  void add_block(index_t i, index_t j, worker_memory& memory, quadratic_forms& part) const {
    const auto [row, rows] = block_range(i, kernel_.rows());
    const auto [col, cols] = block_range(j, kernel_.rows());
    const index_t size = rows * cols;
    memory.values.resize(static_cast<std::size_t>(size * terms_));
    memory.products.resize(static_cast<std::size_t>(vectors_.rows * rows));
    memory.row_sums.assign(static_cast<std::size_t>(rows), 0);
    kernel_.fill_terms({row, rows, col, cols}, memory.values.data());
    for (int term = 0; term < terms_; ++term) {
      T* values = memory.values.data() + term * size;
      if (i == j && own_ == own_pairs::without)
        for (index_t r = 0; r < rows; ++r) values[r * cols + r] = T(0);
      add_term(term, {row, rows, col, cols}, values, memory, part);
    }
  }

  /// Adds what one term's block does to all vectors.
  void add_term(int term, const block_place& at, const T* values, worker_memory& memory, quadratic_forms& part) const {
    const bool twice = at.row != at.col;
    double block_total = 0;
    for (index_t r = 0; r < at.rows; ++r) {
      double sum = 0;
      for (index_t c = 0; c < at.cols; ++c) sum += static_cast<double>(values[r * at.cols + c]);
      memory.row_sums[static_cast<std::size_t>(r)] = sum;
      block_total += sum;
    }
    part.total[static_cast<std::size_t>(term)] += twice ? 2 * block_total : block_total;
    const matrix_view<const T> of_columns(vectors_.data + at.col, vectors_.rows, at.cols, vectors_.row_stride, 1);
    const matrix_view<const T> block(values, at.cols, at.rows, 1, at.cols); // transposed
    const matrix_view<T> products(memory.products.data(), vectors_.rows, at.rows);
    backend<host_memory>::product(exec::serial{}, of_columns, block, products, engine::product_scale<T>{}, memory.scratch);
    for (index_t v = 0; v < vectors_.rows; ++v) {
      const T* own = &vectors_(v, at.row);
      const T* product = &products(v, 0);
      double form = 0, ones = 0, sums = 0;
      for (index_t r = 0; r < at.rows; ++r) {
        form += static_cast<double>(own[r]) * static_cast<double>(product[r]);
        ones += static_cast<double>(product[r]);
        sums += static_cast<double>(own[r]) * memory.row_sums[static_cast<std::size_t>(r)];
      }
      const auto place = static_cast<std::size_t>(term * vectors_.rows + v);
      part.form[place] += twice ? 2 * form : form;
      part.linear[place] += twice ? ones + sums : ones;
    }
  }

  const Blocks& kernel_;
  matrix_view<const T> vectors_;
  own_pairs own_;
  int terms_;
  index_t blocks_;
};

/// Rows of vectors, as the forms take them.
template <class T>
class vector_rows {
public:
  vector_rows(index_t count, index_t length) : count_(count), length_(length), values_(static_cast<std::size_t>(count * length)) {}
  T* row(index_t i) { return values_.data() + i * length_; }
  matrix_view<const T> view() const { return {values_.data(), count_, length_}; }

private:
  index_t count_, length_;
  std::vector<T> values_;
};

/// The same for a kernel through the pair engine: K Z with the vectors, and a vector of ones, as columns. Vectors come in runs whose
/// products fit `most_bytes`. The product of a vector does not depend on the others, so that equal vectors give equal bits.
template <class Exec, class T, class Profile>
quadratic_forms forms_of(const Exec& exec, const kernel_blocks<T, Profile>& kernel, const vector_rows<T>& vectors, own_pairs own) {
  constexpr index_t most_bytes = index_t{512} << 20;
  const index_t n = kernel.rows(), count = vectors.view().rows;
  const int terms = kernel.terms();
  const index_t run = std::clamp<index_t>(most_bytes / (n * terms * static_cast<index_t>(sizeof(T))), 32, count);
  const engine::pair_set pairs = own == own_pairs::with ? engine::pair_set::all : engine::pair_set::distinct;
  quadratic_forms result{count, terms, std::vector<double>(static_cast<std::size_t>(terms * count)), {}, {}};
  result.linear = result.form;
  workspace scratch;
  // K 1 of every term.
  std::vector<std::vector<T>> ones(static_cast<std::size_t>(terms), std::vector<T>(static_cast<std::size_t>(n)));
  std::vector<matrix_view<T>> outputs;
  for (auto& one : ones) outputs.emplace_back(one.data(), n, index_t{1});
  const std::vector<T> ones_right(static_cast<std::size_t>(n), T(1));
  engine::kernel_products(exec, kernel.layer(), pairs, matrix_view<const T>(ones_right.data(), n, 1), outputs, scratch);
  for (const auto& one : ones) result.total.push_back(sum_of(one.data(), n));
  std::vector<T> products(static_cast<std::size_t>(terms * run * n));
  for (index_t first = 0; first < count; first += run) {
    const index_t now = std::min(run, count - first);
    outputs.clear();
    for (int k = 0; k < terms; ++k) outputs.emplace_back(products.data() + k * run * n, n, now, index_t{1}, n);
    engine::kernel_products(exec, kernel.layer(), pairs, vectors.view().rows_from(first, now).transposed(), outputs, scratch);
    exec.run(now, [&](index_t v, int) {
      const T* own_row = &vectors.view()(first + v, 0);
      for (int k = 0; k < terms; ++k) {
        const auto place = static_cast<std::size_t>(k * count + first + v);
        result.form[place] = dot(own_row, products.data() + (k * run + v) * n, n);
        result.linear[place] = dot(own_row, ones[static_cast<std::size_t>(k)].data(), n);
      }
    });
  }
  return result;
}

} // namespace dalib::inference::detail
