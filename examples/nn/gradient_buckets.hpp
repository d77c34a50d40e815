#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../autodiff/elementwise.hpp"
#include "../distributed/running_sums.hpp"
#include "module.hpp"

namespace dalib::nn {

/// Parameter gradients on their way to becoming sums over the ranks. As what watches ad::backward it starts with a gradient when the last
/// operation has added to it: gradients of ranks::gradient_bucket bytes and more travel by themselves, from where they are, smaller ones
/// are packed until there are so many. The order is the graph's, which all ranks share, and the bits are those of a sum behind the pass.
template <class Scalar>
class gradient_buckets {
public:
  using variable = ad::variable<Scalar>;

  explicit gradient_buckets(const distributed::ranks& all) : ranks_(all), flight_(std::make_unique<flight>(all)) {}
  gradient_buckets(const gradient_buckets&) = delete;
  gradient_buckets& operator=(const gradient_buckets&) = delete;
  // Only an exception leaves messages on their way. The others may not come for theirs: these buffers are never freed, and nobody waits.
  ~gradient_buckets() {
    if (!flight_->sums.empty()) static_cast<void>(flight_.release());
  }

  /// The parameters whose gradients are summed, each once.
  void include(const std::vector<parameter_group<Scalar>>& groups) {
    for (const auto& group : groups)
      for (const auto& p : group.parameters)
        if (uses_.emplace(p.handle().get(), 0).second) parameters_.push_back(p);
  }

  void begin(const auto& nodes) {
    for (const auto& node : nodes)
      for (const variable& input : node->inputs)
        if (const auto found = uses_.find(input.handle().get()); found != uses_.end()) ++found->second;
  }
  void visited(const std::vector<variable>& inputs) {
    for (const variable& input : inputs)
      if (const auto found = uses_.find(input.handle().get()); found != uses_.end() && --found->second == 0) take(input);
    flight_->sums.advance();
  }

  /// Sums what has not been started with, waits, and puts the sums into the gradients.
  void finish() {
    for (const variable& p : parameters_) take(p);
    start_packed();
    auto& [sums, packed] = *flight_;
    sums.finish();
    for (const bucket& b : packed) {
      const Scalar* from = b.values.data();
      for (const variable& p : b.parameters) {
        const ad::tensor<Scalar>& to = p.handle()->gradient;
        std::copy(from, from + to.size(), to.data());
        from += to.size();
      }
    }
    packed.clear();
  }

private:
  struct bucket {
    std::vector<Scalar> values;
    std::vector<variable> parameters;
    bool started = false;
  };
  struct flight {
    explicit flight(const distributed::ranks& all) : sums(all) {}
    distributed::running_sums<Scalar> sums;
    std::vector<bucket> packed;
  };

  void take(const variable& p) {
    if (!p.has_gradient() || std::exchange(p.handle()->summed, true)) return;
    const std::span<Scalar> gradient(p.handle()->gradient.data(), static_cast<std::size_t>(p.handle()->gradient.size()));
    const std::size_t bucket_size = ranks_.gradient_bucket;
    if (bucket_size != 0 && gradient.size_bytes() >= bucket_size) {
      flight_->sums.start(gradient);
      return;
    }
    auto& packed = flight_->packed;
    if (packed.empty() || packed.back().started) packed.emplace_back();
    bucket& b = packed.back();
    b.values.insert(b.values.end(), gradient.begin(), gradient.end());
    b.parameters.push_back(p);
    if (bucket_size != 0 && b.values.size() * sizeof(Scalar) >= bucket_size) start_packed();
  }

  void start_packed() {
    auto& packed = flight_->packed;
    if (packed.empty() || std::exchange(packed.back().started, true)) return;
    flight_->sums.start(std::span(packed.back().values));
  }

  const distributed::ranks& ranks_;
  std::vector<variable> parameters_;
  std::unordered_map<const ad::node<Scalar>*, std::size_t> uses_; // by operations of this pass that are still to be visited
  std::unique_ptr<flight> flight_;
};

} // namespace dalib::nn
