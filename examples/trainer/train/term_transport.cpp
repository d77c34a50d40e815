#include "term.hpp"

#include "../../autodiff/dalib_graph.hpp"

#include <dalib/measure/joint_distribution_transport.hpp>
#include <dalib/measure/optimal_transport.hpp>
#include <dalib/measure/sinkhorn_divergence.hpp>
#include <dalib/measure/sliced_wasserstein.hpp>
#include <dalib/tensor/eigen.hpp>

namespace dalib::train {

namespace {

/// Sliced Wasserstein distance along directions that are drawn anew in each iteration.
variable<scalar> sliced(const term_input<scalar>& in) {
  constexpr index_t count = 64;
  const auto& [source, target] = in.outputs;
  Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic> directions(source.features.cols(), count);
  fill_directions(directions, static_cast<std::uint64_t>(in.iteration));
  return sliced_wasserstein{2}(source.features, target.features, ad::constant(directions));
}

/// DeepJDOT: the plan of least cost between the batches, of distances of features and of the target's predictions to the source's labels,
/// is found anew in each iteration and held fixed for its gradient.
variable<scalar> jointly_transported(const term_input<scalar>& in, const transport_costs& costs) {
  const auto& [source, target] = in.outputs;
  const joint_distribution_transport loss{in.source_labels, costs};
  const index_t rows = source.features.rows(), cols = target.features.rows();
  Eigen::MatrixXd pairs(rows, cols);
  loss.pair_costs(source.features.value(), target.features.value(), target.logits.value(), pairs);
  const transport_plan best = optimal_plan(pairs);
  using plan_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Matrix<scalar, Eigen::Dynamic, Eigen::Dynamic> coupling =
      Eigen::Map<const plan_matrix>(best.plan.data(), rows, cols).cast<scalar>();
  return loss(source.features, target.features, target.logits, ad::constant(coupling));
}

} // namespace

method_entry swd() {
  return entry_of({.name = "swd",
                   .description = "sliced Wasserstein distance of the features",
                   .settings = {weight_of("swd", 10)},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     return {config.settings.at("swd-weight"), sliced};
                   }});
}

method_entry sinkhorn() {
  return entry_of({.name = "sinkhorn",
                   .description = "Sinkhorn divergence of the features: entropic transport",
                   .settings = {weight_of("sinkhorn", 0.1), {"blur", 1, 1e-3, 1e6, "sinkhorn: blur, in the unit of the features"}},
                   .term = [](const method_config& config) -> transfer_term<scalar> {
                     const sinkhorn_divergence loss{{.blur = config.settings.at("blur"), .tolerance = 1e-3, .iterations = 100}};
                     return {config.settings.at("sinkhorn-weight"),
                             [loss](const term_input<scalar>& in) { return loss(in.outputs.source.features, in.outputs.target.features); }};
                   }});
}

method_entry jdot() {
  return entry_of(
      {.name = "jdot",
       .description = "DeepJDOT: optimal transport of features and labels together",
       .settings = {weight_of("jdot", 0.1), {"jdot-features", 0.01, 0, 1e6, "jdot: weight of the features' distances"}},
       .term = [](const method_config& config) -> transfer_term<scalar> {
         const transport_costs costs{.features = config.settings.at("jdot-features"), .labels = 1};
         return {config.settings.at("jdot-weight"), [costs](const term_input<scalar>& in) { return jointly_transported(in, costs); }};
       }});
}

} // namespace dalib::train
