/// Groups adda, osbp, pada, iwan: discriminators against one label, the unknown class, weights of partial adaptation.
#include "loss_cases.hpp"

#include <dalib/measure/domain_label.hpp>
#include <dalib/measure/partial_adaptation.hpp>
#include <dalib/measure/unknown_class_boundary.hpp>
#include <dalib/measure/weighted_cross_entropy.hpp>

#include <numeric>

namespace {

using namespace golden;

template <class T>
std::vector<outcome> run_adda(const test_case& test) {
  if (test.method == "ADDA target mapping") return run_one<T>(test, "d_t", dalib::domain_label{1});
  if (test.method == "domain confusion (uniform target)") return run_one<T>(test, "d_t", dalib::domain_label{0.5});
  if (test.method != "ADDA discriminator") unknown("method", test.method);
  auto source = run_one<T>(test, "d_s", dalib::domain_label{1});
  const auto target = run_one<T>(test, "d_t", dalib::domain_label{0});
  for (std::size_t i = 0; i < source.size(); ++i) {
    source[i].outputs["loss"].values[0] += target[i].outputs.at("loss").values[0];
    source[i].outputs["grad.d_t"] = target[i].outputs.at("grad.d_t");
  }
  return source;
}

template <class T>
std::vector<outcome> run_osbp(const test_case& test) {
  if (test.method != "OSBP") unknown("method", test.method);
  return run_one<T>(test, "y_t", dalib::unknown_class_boundary{test.param<double>("t"), test.param<double>("eps")});
}

/// Value and gradients of the weighted adversarial loss.
template <class T>
struct adversarial_run {
  T value;
  array source, target;
};
template <class T, class Tensor>
adversarial_run<T> run_weighted(const array& d_s, const array& d_t, const std::vector<double>& weights,
                                const dalib::weighted_domain_adversarial& loss) {
  Tensor x(d_s), y(d_t), gx(unwritten_like(d_s)), gy(unwritten_like(d_t));
  const std::vector<T> w(weights.begin(), weights.end());
  const auto& rows = x.get();
  const T value = loss.value_and_gradient(dalib::weighted(rows, w), y.get(), dalib::gradients{gx.get(), gy.get()});
  return {value, gx.read(), gy.read()};
}

template <class T>
std::vector<outcome> run_pada(const test_case& test) {
  if (test.method != "PADA") unknown("method", test.method);
  const std::vector<double> of_classes = dalib::partial_class_weights(dense_input<T>(test, "outputs_t"), test.param<double>("temperature"));
  const std::vector<std::int64_t> labels = test.input("labels_s").integers();
  const std::vector<double> weights = dalib::weights_of_labels(of_classes, labels);
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
  const dalib::weighted_cross_entropy paper{labels, weights}, tllib{labels, weights, dalib::weighted_mean::by_weight};
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    Tensor y(test.input("y_s")), g(unwritten_like(test.input("y_s"))), g_tllib(unwritten_like(test.input("y_s")));
    const T value = paper.value_and_gradient(y.get(), dalib::gradient{g.get()});
    const T value_tllib = tllib.value_and_gradient(y.get(), dalib::gradient{g_tllib.get()});
    const array &d_s = test.input("d_s"), &d_t = test.input("d_t");
    const auto own = run_weighted<T, Tensor>(d_s, d_t, weights, dalib::weighted_domain_adversarial{});
    const auto theirs = run_weighted<T, Tensor>(d_s, d_t, weights, dalib::weighted_domain_adversarial{0.5, 0.5 * mean});
    return outputs_map{{"class_weight", vector_array(of_classes)},
                       {"sample_weight", vector_array(weights)},
                       {"classification", scalar(value)},
                       {"classification_tllib", scalar(value_tllib)},
                       {"adversarial", scalar(own.value)},
                       {"adversarial_tllib", scalar(theirs.value)},
                       {"grad.y_s", g.read()},
                       {"grad.d_s", own.source},
                       {"grad.d_t", own.target},
                       {"grad_tllib.y_s", g_tllib.read()},
                       {"grad_tllib.d_s", theirs.source},
                       {"grad_tllib.d_t", theirs.target}};
  });
}

template <class T>
std::vector<outcome> run_iwan(const test_case& test) {
  if (test.method != "IWAN") unknown("method", test.method);
  const std::vector<double> weights = dalib::importance_weights_of(dense_input<T>(test, "d_s"), test.param<double>("eps"));
  return through_kinds<T>([&]<class Tensor>(tag<Tensor>) {
    const auto own = run_weighted<T, Tensor>(test.input("d0_s"), test.input("d0_t"), weights, dalib::weighted_domain_adversarial{});
    return outputs_map{{"weight", array(test.input("d_s").shape, weights)},
                       {"loss", scalar(own.value)},
                       {"grad.d0_s", own.source},
                       {"grad.d0_t", own.target}};
  });
}

const claim_group adda("adda", both_precisions([]<class T>(const test_case& test) { return run_adda<T>(test); }));
const claim_group osbp("osbp", both_precisions([]<class T>(const test_case& test) { return run_osbp<T>(test); }));
const claim_group pada("pada", both_precisions([]<class T>(const test_case& test) { return run_pada<T>(test); }));
const claim_group iwan("iwan", both_precisions([]<class T>(const test_case& test) { return run_iwan<T>(test); }));

} // namespace
