/// @file
/// CDAN with the map and the discriminator inside.
#pragma once

#include "dalib/measure/conditional_domain_adversarial.hpp"
#include "dalib/measure/maps/randomised_multilinear_map.hpp"

#include <array>
#include <utility>

namespace dalib {

/// CDAN: features f conditioned on class predictions g of both domains pass, as one batch, `map`, a gradient reversal with the schedule's
/// coefficient, and the discriminator, whose logits give conditional_domain_adversarial. Call it with (g_s, f_s, g_t, f_t): class logits
/// (n, C) and features (n, F); the softmax is inside.
///
/// The predictions are detached (as in DALIB), unless `detach_predictions` is false: then the map's gradient reaches the class logits too.
/// A conditioning that reverses the entropy sends its own gradient there in any case. `Discriminator` maps a graph value (n, map columns)
/// to logits (n, 1). The class works on every type with graph_traits. The map with its reversal is one node, the loss another; neither a
/// sigmoid nor a softmax is recorded. The schedule advances once per call in training mode, after use. A randomised map is part of the
/// state: save it with `map.visit_state`.
/// @throws std::invalid_argument for shapes that do not fit, and for reduction::none with a conditioning that reverses the entropy, whose
///         gradient is one of the whole batch.
///
/// @code{.cpp}
/// const Eigen::MatrixXd f_s = Eigen::MatrixXd::Random(6, 5), f_t = Eigen::MatrixXd::Random(4, 5); // features
/// const Eigen::MatrixXd g_s = Eigen::MatrixXd::Random(6, 3), g_t = Eigen::MatrixXd::Random(4, 3); // class logits
/// const auto discriminator = [](const Eigen::MatrixXd& h) { return Eigen::MatrixXd(h.rowwise().sum()); };
/// conditional_domain_adversarial_loss loss{discriminator, multilinear_map{}, conditioning::joint_entropy{}};
/// const auto [value, accuracy] = loss(g_s, f_s, g_t, f_t); // a tape's variables would be recorded
/// const Eigen::MatrixXd l_s = f_s.rowwise().sum(), l_t = f_t.rowwise().sum(); // the softmax sums to 1
/// assert(std::abs(value - conditional_domain_adversarial(conditioning::joint_entropy{})(l_s, l_t, g_s, g_t)) < 1e-14);
/// assert(loss.reversal.iteration == 1 && accuracy >= 0 && accuracy <= 100);
/// @endcode
template <class Discriminator, class Map = multilinear_map, conditioning_policy Conditioning = conditioning::none,
          reduction_policy Reduction = reduction::mean, class CrossEntropy = logit_cross_entropy>
struct conditional_domain_adversarial_loss {
  static constexpr const char* name = "conditional_domain_adversarial_loss";

  Discriminator discriminator;
  Map map{};
  Conditioning conditioning{};
  warm_start_reversal reversal{};
  Reduction reduction{};
  CrossEntropy cross_entropy{};
  bool detach_predictions = true;

  template <class V>
  auto operator()(const V& logits_s, const V& features_s, const V& logits_t, const V& features_t) {
    using graph = graph_traits<V>;
    require_valid(graph::view(logits_s), graph::view(features_s), graph::view(logits_t), graph::view(features_t));
    const double lambda = reversal.coefficient();
    const index_t source_rows = graph::rows(features_s), target_rows = graph::rows(features_t);
    const V joint = conditioned(logits_s, features_s, logits_t, features_t, lambda);
    reversal.step();
    const V logits = discriminator(joint);
    require_shapes(graph::rows(logits) == source_rows + target_rows && graph::view(logits).cols == 1, name,
                   "the discriminator must give one logit per sample", graph::view(logits), graph::view(joint));
    auto loss = weighted_loss(logits, logits_s, logits_t, lambda);
    const auto accuracy_of = [source_rows, target_rows](const auto& view) {
      return pooled_domain_accuracy(view.rows_from(0, source_rows), view.rows_from(source_rows, target_rows));
    };
    const double accuracy = with_graph_views(accuracy_of, logits);
    return adversarial_result<decltype(loss)>{std::move(loss), accuracy};
  }

private:
  template <class T, class Memory>
  void require_valid(const matrix_view<const T, Memory>& g_s, const matrix_view<const T, Memory>& f_s,
                     const matrix_view<const T, Memory>& g_t, const matrix_view<const T, Memory>& f_t) const {
    require_two_samples(name, f_s, f_t);
    require_two_samples(name, g_s, g_t);
    require_shapes(g_s.rows == f_s.rows, name, "source logits and features must have the same number of samples", g_s, f_s);
    require_shapes(g_t.rows == f_t.rows, name, "target logits and features must have the same number of samples", g_t, f_t);
    if (Reduction::per_sample && conditioning.reverses_entropy())
      fail(name, "reduction::none cannot carry the gradient through the entropy; take reduction::mean or reduction::sum");
  }

  /// The map's output for both domains, source first, with the reversal behind it.
  template <class V>
  V conditioned(const V& logits_s, const V& features_s, const V& logits_t, const V& features_t, double lambda) const {
    using graph = graph_traits<V>;
    const auto predictions = [&](const V& logits) { return detach_predictions ? graph::detach(logits) : logits; };
    const index_t source_rows = graph::rows(features_s), target_rows = graph::rows(features_t);
    const index_t columns = map.columns(graph::view(features_s).cols, graph::view(logits_s).cols);
    const auto forward = [this, source_rows, target_rows](const auto& in, const auto& h) {
      const exec::default_for<memory_of_views<decltype(in)>> exec;
      map(exec, in[0], in[1], h.rows_from(0, source_rows));
      map(exec, in[2], in[3], h.rows_from(source_rows, target_rows));
    };
    // The node outlives this call: it holds what it needs of the map.
    const auto pull = [map = map, source_rows, target_rows, lambda](const auto& in, const auto& upstream, const auto& gradient) {
      using T = scalar_of_views<decltype(gradient)>;
      using out = gradients<T, memory_of_views<decltype(gradient)>>;
      const exec::default_for<memory_of_views<decltype(gradient)>> exec;
      const T scale = static_cast<T>(-lambda);
      map.pull(exec, in[0], in[1], upstream.rows_from(0, source_rows), out{gradient[0], gradient[1], scale});
      map.pull(exec, in[2], in[3], upstream.rows_from(source_rows, target_rows), out{gradient[2], gradient[3], scale});
    };
    return graph::transform(std::array<V, 4>{features_s, predictions(logits_s), features_t, predictions(logits_t)},
                            source_rows + target_rows, columns, forward, pull);
  }

  template <class V>
  auto weighted_loss(const V& logits, const V& logits_s, const V& logits_t, double lambda) const {
    using graph = graph_traits<V>;
    conditional_domain_adversarial measure{conditioning, reduction, cross_entropy};
    measure.entropy_reversal = lambda;
    const auto evaluate = [&](const auto& l, const auto& g_s, const auto& g_t, const auto& to, const auto& class_out) {
      using view = std::remove_cvref_t<decltype(to)>;
      const index_t source_rows = g_s.rows, target_rows = g_t.rows;
      const auto part = [](const view& m, index_t first, index_t count) { return m.data ? m.rows_from(first, count) : m; };
      const gradients<typename view::value_type, typename view::memory> out{part(to, 0, source_rows), part(to, source_rows, target_rows)};
      return measure.value_and_gradient(l.rows_from(0, source_rows), l.rows_from(source_rows, target_rows), g_s, g_t, out, class_out);
    };
    if constexpr (!Reduction::per_sample)
      if (conditioning.reverses_entropy())
        return graph::record(std::array<V, 3>{logits, logits_s, logits_t}, [&](const auto& value, const auto& gradient, const auto&...) {
          using out = gradients<scalar_of_views<decltype(gradient)>, memory_of_views<decltype(gradient)>>;
          return evaluate(value[0], value[1], value[2], gradient[0], out{gradient[1], gradient[2]});
        });
    return graph::record(std::array<V, 1>{logits}, [&](const auto& value, const auto& gradient, const auto&...) {
      using T = scalar_of_views<decltype(gradient)>;
      return evaluate(value[0], graph_view<T>(logits_s), graph_view<T>(logits_t), gradient[0],
                      no_gradients<T, memory_of_views<decltype(gradient)>>());
    });
  }
};

template <class Discriminator>
conditional_domain_adversarial_loss(Discriminator) -> conditional_domain_adversarial_loss<Discriminator>;
template <class Discriminator, class Map>
conditional_domain_adversarial_loss(Discriminator, Map) -> conditional_domain_adversarial_loss<Discriminator, Map>;
template <class Discriminator, class Map, class Conditioning>
conditional_domain_adversarial_loss(Discriminator, Map, Conditioning)
    -> conditional_domain_adversarial_loss<Discriminator, Map, Conditioning>;
template <class Discriminator, class Map, class Conditioning>
conditional_domain_adversarial_loss(Discriminator, Map, Conditioning, warm_start_reversal)
    -> conditional_domain_adversarial_loss<Discriminator, Map, Conditioning>;
template <class Discriminator, class Map, class Conditioning, class Reduction>
conditional_domain_adversarial_loss(Discriminator, Map, Conditioning, warm_start_reversal, Reduction)
    -> conditional_domain_adversarial_loss<Discriminator, Map, Conditioning, Reduction>;
template <class Discriminator, class Map, class Conditioning, class Reduction, class CrossEntropy>
conditional_domain_adversarial_loss(Discriminator, Map, Conditioning, warm_start_reversal, Reduction, CrossEntropy)
    -> conditional_domain_adversarial_loss<Discriminator, Map, Conditioning, Reduction, CrossEntropy>;

} // namespace dalib
